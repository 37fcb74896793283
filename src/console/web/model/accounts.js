// @ts-check
// All accounts, kept up to date by the messages of the live stream. Pure.

/** @import { Account } from './api.js' */

/** Order of creation. Times are UTC with as many digits as they need. @param {Account} a @param {Account} b */
export function inOrder(a, b) {
  const [one, other] = [a, b].map(({ createdAt, id }) => [createdAt.replace('Z', ''), id]);
  return one < other ? -1 : Number(one > other);
}

export function accountList() {
  /** @type {Map<string, Account>} */
  const known = new Map();
  /** @type {Account[] | null} */
  let sorted = [];

  return {
    /** False until the stream has sent every account once. */
    isComplete: false,
    /** @param {string} id */
    get: (id) => known.get(id),
    all: () => (sorted ??= [...known.values()].sort(inOrder)),
    /** An account, or that it was deleted. @param {Account | { id: string, deleted: true }} account */
    onAccount(account) {
      if ('deleted' in account) known.delete(account.id);
      else known.set(account.id, account);
      sorted = null;
    },
    /** These are all: others were deleted while the stream was away. @param {{ ids: string[] }} message */
    onAccounts({ ids }) {
      const present = new Set(ids);
      for (const id of known.keys()) if (!present.has(id)) known.delete(id);
      sorted = null;
      this.isComplete = true;
    },
  };
}
