import { PairdError } from "./errors.js";

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** Waits that double, each a quarter longer or shorter by chance. */
export class Backoff {
  #next = FIRST_MS;

  next(): number {
    const wait = this.#next * (0.75 + Math.random() / 2);
    this.#next = Math.min(this.#next * 2, LONGEST_MS);
    return wait;
  }

  reset(): void {
    this.#next = FIRST_MS;
  }
}

/** Waits so long, or until `signal`. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener("abort", over);
  });
}

/** Does `work` again as long as its error is `unavailable`, for `patienceMs`. */
export async function patiently<T>(work: () => Promise<T>, patienceMs: number, signal: AbortSignal): Promise<T> {
  const backoff = new Backoff();
  const deadline = Date.now() + patienceMs;
  for (;;) {
    if (signal.aborted) throw new PairdError("closed", "the client is closed");
    try {
      return await work();
    } catch (error) {
      const wait = backoff.next();
      if (!isPassing(error) || Date.now() + wait > deadline) throw error;
      await pause(wait, signal);
    }
  }
}

export function isPassing(error: unknown): boolean {
  return error instanceof PairdError && error.code === "unavailable";
}
