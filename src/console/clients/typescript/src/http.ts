import { PairdError, type ErrorCode } from "./errors.js";
import type { Offsets } from "./offsets.js";
import { Backoff, isPassing, patiently, pause } from "./retry.js";
import type { Account, Command, CommandArgs, Event, Message, NewMessage } from "./schema.js";
import { lookEvery, type Delivery, type Following, type Queueing, type Transport } from "./transport.js";

export interface HttpOptions {
  /** Where the positions of consumers are kept, such as `fileOffsets(directory)`: over HTTP paird does not keep them. */
  offsets?: Offsets;
  /** How long a call waits for the daemon before it fails as `unavailable`; 30 s by default. */
  patienceMs?: number;
}

const REQUEST_TIMEOUT_MS = 30_000;
/** The live stream has a comment every 15 s. */
const SILENCE_MS = 45_000;
/** Before the first event. */
const START = "0-0";
const PAGE = 100;

interface Ask {
  body?: object;
  key?: string;
}

/** A block of server-sent events. */
interface Frame {
  event: string | undefined;
  id: string | undefined;
  data: string;
}

/** The daemon's HTTP API. */
export class HttpTransport implements Transport {
  readonly #url: string;
  readonly #token: string;
  readonly #offsets: Offsets | undefined;
  readonly #patienceMs: number;
  readonly #closing = new AbortController();

  constructor(url: string, token: string, { offsets, patienceMs = 30_000 }: HttpOptions) {
    if (!/^https?:\/\/[^/?#]+/.test(url)) throw new PairdError("invalid", "url: must begin with http:// or https:// and a host");
    // An error of the header would have the token in its text.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new PairdError("invalid", "token: must be one word of visible ASCII characters");
    this.#url = url.replace(/\/+$/, "");
    this.#token = token;
    this.#offsets = offsets;
    this.#patienceMs = patienceMs;
  }

  async accounts(): Promise<Account[]> {
    const { accounts } = await this.#json<{ accounts: Account[] }>("GET", "/api/accounts");
    return accounts.map(accountOf);
  }

  async accountById(id: string): Promise<Account | undefined> {
    const account = await this.#found<Account>(`/api/accounts/${encodeURIComponent(id)}`);
    return account && accountOf(account);
  }

  async accountsByLabel(label: string): Promise<Account[]> {
    const query = new URLSearchParams({ q: label });
    const { accounts } = await this.#json<{ accounts: Account[] }>("GET", `/api/accounts?${query}`);
    return accounts.filter((account) => account.label === label).map(accountOf);
  }

  async addAccount(label: string, operator: string | undefined, key: string): Promise<Account> {
    const body = { label, ...(operator === undefined ? {} : { operatorId: operator }) };
    return accountOf(await this.#json<Account>("POST", "/api/accounts", { body, key }));
  }

  async sendCommand<K extends keyof CommandArgs>(account: string, kind: K, args: CommandArgs[K], key: string): Promise<number> {
    const { id } = await this.#json<{ id: number }>("POST", `/api/accounts/${account}/commands`, { body: { kind, args }, key });
    return id;
  }

  command(id: number): Promise<Command> {
    return this.#json("GET", `/api/commands/${id}`);
  }

  async sendMessage(account: string, message: NewMessage, { key, notBefore, expiresAt }: Queueing): Promise<number> {
    const times = { ...(notBefore && { notBefore }), ...(expiresAt && { expiresAt }) };
    const { id } = await this.#json<Message>("POST", `/api/accounts/${account}/messages`, { body: { ...message, ...times }, key });
    return id;
  }

  async message(id: number): Promise<Message | undefined> {
    const message = await this.#found<Message>(`/api/messages/${id}`);
    return message && messageOf(message);
  }

  eventsAfter(account: string, seq: number): Promise<Event[]> {
    return this.#events(account, { after: String(seq) });
  }

  async seqBefore(account: string, time: string): Promise<number> {
    const limit = nanoseconds(time);
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const page = await this.#events(account, { before: String(before) });
      const older = page.findLast((event) => nanoseconds(event.createdAt) < limit);
      if (older) return older.seq;
      const [first] = page;
      if (!first) return 0;
      before = first.seq;
    }
  }

  async qr(account: string): Promise<Uint8Array | undefined> {
    try {
      const response = await this.#ask("GET", `/api/accounts/${account}/qr?format=png`);
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      return undefinedIfAbsent(error);
    }
  }

  async pairCode(account: string): Promise<string | undefined> {
    const shown = await this.#found<{ pairCode?: string | null }>(`/api/accounts/${account}`);
    return shown?.pairCode ?? undefined;
  }

  changes(): number {
    return 0;
  }

  /** Looks again and again: a live stream for each wait would soon use up those of the daemon. */
  async changed(_since: number, round: number): Promise<void> {
    await pause(lookEvery(round), this.#closing.signal);
  }

  async *follow({ consumer, from, account }: Following): AsyncGenerator<Delivery, void, void> {
    const position = await this.#position(consumer, account);
    const backoff = new Backoff();
    let cursor = (await position?.load()) ?? (from === "start" ? START : undefined);
    const reached = async (id: string): Promise<void> => {
      if (cursor === id) return;
      cursor = id;
      await position?.save(id);
    };
    while (!this.#closing.signal.aborted) {
      try {
        for await (const { event: kind, id, data } of this.#stream(cursor)) {
          backoff.reset();
          // An account as it is now.
          if (id === undefined) continue;
          // Where the stream begins: from now on, also after the database was set back to before our position.
          if (kind === undefined) await reached(id);
          else {
            const event = eventOf(data);
            if (account === undefined || event.accountId === account) yield { event, acknowledge: () => reached(id) };
            else await reached(id);
          }
        }
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        if (!isPassing(error)) throw error;
      }
      await pause(backoff.next(), this.#closing.signal);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  /** The durable position of a consumer. That of all accounts is not that of one. */
  async #position(consumer: string | undefined, account: string | undefined): Promise<{ load(): Promise<string | undefined>; save(at: string): Promise<void> } | undefined> {
    if (consumer === undefined) return undefined;
    const offsets = this.#offsets;
    if (!offsets) {
      throw new PairdError("invalid", "consumer: over HTTP its position is kept on your side: connectHttp(url, token, { offsets: fileOffsets(directory) })");
    }
    const name = account === undefined ? consumer : `${consumer}/${account}`;
    return { load: () => offsets.load(name), save: (at) => offsets.save(name, at) };
  }

  async #events(account: string, query: Record<string, string>): Promise<Event[]> {
    const path = `/api/accounts/${account}/events?${new URLSearchParams({ ...query, limit: String(PAGE) })}`;
    const { events } = await this.#json<{ events: (Omit<Event, "kind"> & { type: string })[] }>("GET", path);
    return events.map(({ type: kind, ...event }) => typedEvent({ ...event, kind }));
  }

  async #found<T>(path: string): Promise<T | undefined> {
    try {
      return await this.#json<T>("GET", path);
    } catch (error) {
      return undefinedIfAbsent(error);
    }
  }

  async #json<T>(method: string, path: string, ask: Ask = {}): Promise<T> {
    return (await (await this.#ask(method, path, ask)).json()) as T;
  }

  /** The whole answer, after as many tries as it takes. What changes something has a key, so that it may be sent again. */
  #ask(method: string, path: string, { body, key }: Ask = {}): Promise<Response> {
    const headers: Record<string, string> = {
      ...(body && { "Content-Type": "application/json" }),
      ...(key !== undefined && { "Idempotency-Key": key }),
    };
    return patiently(
      async () => {
        const limit = new Limit(this.#closing.signal);
        limit.within(REQUEST_TIMEOUT_MS);
        try {
          const init = { method, headers, signal: limit.signal, ...(body && { body: JSON.stringify(body) }) };
          const response = await this.#fetch(path, init);
          return new Response(await response.arrayBuffer());
        } catch (error) {
          throw error instanceof PairdError ? error : unreachable(error);
        } finally {
          limit.end();
        }
      },
      this.#patienceMs,
      this.#closing.signal,
    );
  }

  async #fetch(path: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const headers = { ...init.headers, Authorization: `Bearer ${this.#token}` };
    let response;
    try {
      response = await fetch(`${this.#url}${path}`, { ...init, headers, redirect: "error" });
    } catch (error) {
      throw unreachable(error);
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  /** Of one connection, until it is lost. */
  async *#stream(cursor: string | undefined): AsyncGenerator<Frame, void, void> {
    const limit = new Limit(this.#closing.signal);
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream", ...(cursor !== undefined && { "Last-Event-ID": cursor }) };
      limit.within(SILENCE_MS);
      const { body } = await this.#fetch("/api/events", { headers, signal: limit.signal });
      const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        // Only while we read: what is done with an event may take its time.
        limit.within(SILENCE_MS);
        const part = await reader?.read();
        limit.pause();
        if (!part || part.done) return;
        const blocks = (rest + part.value).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) yield frameOf(block);
      }
    } catch (error) {
      throw error instanceof PairdError ? error : unreachable(error);
    } finally {
      limit.end();
    }
  }
}

/** Aborts what takes too long, or all with the client. */
class Limit {
  readonly #own = new AbortController();
  readonly #closing: AbortSignal;
  readonly #abort = (): void => this.#own.abort();
  #timer: NodeJS.Timeout | undefined;

  constructor(closing: AbortSignal) {
    this.#closing = closing;
    // Removed at the end, unlike what AbortSignal.any leaves behind on a signal that lives for long.
    closing.addEventListener("abort", this.#abort);
    if (closing.aborted) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  within(ms: number): void {
    this.pause();
    this.#timer = setTimeout(this.#abort, ms);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.pause();
    this.#closing.removeEventListener("abort", this.#abort);
    this.#abort();
  }
}

function frameOf(block: string): Frame {
  const frame: Frame = { event: undefined, id: undefined, data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    const value = line.slice(colon + 2);
    if (line.startsWith("event: ")) frame.event = value;
    else if (line.startsWith("id: ")) frame.id = value;
    else if (line.startsWith("data: ")) frame.data += value;
  }
  return frame;
}

/** The stream has the fields of the payload beside those of the event. */
function eventOf(data: string): Event {
  const { type: kind, id, accountId, seq, createdAt, eventText: _e, tone: _t, reasonText: _r, ...payload } = JSON.parse(data) as {
    [field: string]: unknown;
  };
  return typedEvent({ kind, id, accountId, seq, createdAt, payload });
}

/** Of the fields that an answer has, those of the type; absent is null. */
function typedEvent({ kind, id, accountId, seq, createdAt, payload }: { [field: string]: unknown }): Event {
  // The daemon is held to its schemas by its own tests.
  return { kind, id, accountId, seq, createdAt, payload } as Event;
}

function accountOf(given: Account): Account {
  const { id, operatorId, label, tags, status, statusReason, statusSince, desired, hasKeys, presence, createdAt } = given;
  return {
    id, operatorId, label, tags, status, statusReason, statusSince, desired, hasKeys, presence, createdAt,
    nextRetryAt: given.nextRetryAt ?? null,
    desiredPhone: given.desiredPhone ?? null,
    phoneNumber: given.phoneNumber ?? null,
    lastPhoneNumber: given.lastPhoneNumber ?? null,
    deviceName: given.deviceName ?? null,
    pairDeadline: given.pairDeadline ?? null,
    sendingPausedUntil: given.sendingPausedUntil ?? null,
  };
}

function messageOf(given: Message): Message {
  const { id, accountId, direction, chat, sender, waId, state, createdAt } = given;
  return {
    id, accountId, direction, chat, sender, waId, state, createdAt,
    chatPhone: given.chatPhone ?? null,
    senderPhone: given.senderPhone ?? null,
    kind: given.kind ?? null,
    refersTo: given.refersTo ?? null,
    reason: given.reason ?? null,
    code: given.code ?? null,
    key: given.key ?? null,
    notBefore: given.notBefore ?? null,
    expiresAt: given.expiresAt ?? null,
    sentAt: given.sentAt ?? null,
    deliveredAt: given.deliveredAt ?? null,
    readAt: given.readAt ?? null,
    recoveredAt: given.recoveredAt ?? null,
    content: given.content ?? null,
  };
}

/** More precise than a Date: what is before a command and what is after it may be in one millisecond. */
function nanoseconds(time: string): bigint {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? "";
  return BigInt(Date.parse(time.replace(/\.\d+/, ""))) * 1_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9));
}

function undefinedIfAbsent(error: unknown): undefined {
  if (error instanceof PairdError && error.code === "not_found") return undefined;
  throw error;
}

const BY_STATUS = new Map<number, ErrorCode>([
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "not_found"],
  [409, "conflict"],
  [429, "limit"],
  [502, "unavailable"],
  [503, "unavailable"],
  [504, "unavailable"],
]);

async function problemOf(response: Response): Promise<PairdError> {
  const { status } = response;
  let detail = `the daemon answers ${status}`;
  let told = "";
  try {
    const problem: unknown = await response.json();
    if (problem !== null && typeof problem === "object") {
      if ("detail" in problem) detail = String(problem.detail);
      if ("code" in problem) told = String(problem.code);
    }
  } catch {
    // No problem of ours: a proxy's page, or nothing.
  }
  let code = BY_STATUS.get(status) ?? (status < 500 ? "invalid" : "server");
  if (told === "key-taken") code = "conflict";
  // Whoever answers so without a code is not the daemon, and does not know what is there.
  if (status === 404 && told === "") code = "unavailable";
  return new PairdError(code, detail, { status });
}

function unreachable(error: unknown): PairdError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const words = cause instanceof Error ? cause.message : String(cause);
  return new PairdError("unavailable", `the daemon cannot be reached: ${words}`, { cause: error });
}
