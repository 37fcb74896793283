// @ts-check
// All accounts, kept up to date by the messages of the live stream. Pure.

/** @import { Account } from './api.js' */

/** Order of creation. Times are UTC with as many digits as they need. @param {Account} account */
const keyOf = ({ createdAt, id }) => `${createdAt.replace('Z', '')},${id}`;

export function accountList() {
  /** @type {Map<string, Account>} */
  const known = new Map();
  /** Their ids in order: thousands of accounts change, but few come and go. @type {string[] | null} */
  let order = [];
  /** @type {Account[] | null} */
  let all = [];

  function ordered() {
    const keyed = [...known.values()].map((account) => ({ id: account.id, key: keyOf(account) }));
    keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
    return keyed.map(({ id }) => id);
  }

  return {
    /** False until the stream has sent every account once. */
    isComplete: false,
    /** @param {string} id */
    get: (id) => known.get(id),
    /** The same array until something changes. */
    all: () => (all ??= (order ??= ordered()).map((id) => /** @type {Account} */ (known.get(id)))),
    /** An account, or that it was deleted. @param {Account | { id: string, deleted: true }} account */
    onAccount(account) {
      if ('deleted' in account) {
        known.delete(account.id);
        order = null;
      } else {
        if (known.get(account.id)?.createdAt !== account.createdAt) order = null;
        known.set(account.id, account);
      }
      all = null;
    },
    /** These are all: others were deleted while the stream was away. @param {{ ids: string[] }} message */
    onAccounts({ ids }) {
      const present = new Set(ids);
      for (const id of known.keys()) if (!present.has(id)) known.delete(id);
      order = null;
      all = null;
      this.isComplete = true;
    },
  };
}
