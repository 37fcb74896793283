// @ts-check
// What others can listen to.

/** @template T */
export function signal() {
  /** @type {Set<(value: T) => void>} */
  const listeners = new Set();
  return {
    /** @param {(value: T) => void} listener */
    on: (listener) => void listeners.add(listener),
    /** @param {T} value */
    emit: (value) => listeners.forEach((listener) => listener(value)),
  };
}
