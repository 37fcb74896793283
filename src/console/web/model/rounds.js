// @ts-check
// Accounts to be paired one after the other. They are kept for this tab, because each has a page of its own.

/** @typedef {{ ids: string[] }} Round */
const KEY = 'paird.round';

/** @returns {string[]} */
function read() {
  try {
    const ids = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
    return Array.isArray(ids) ? ids.map(String) : [];
  } catch {
    return [];
  }
}

/** @param {string[]} ids */
export const begin = (ids) => sessionStorage.setItem(KEY, JSON.stringify(ids));
export const end = () => sessionStorage.removeItem(KEY);

/** Where this account is in the round, from 1 on; `null` if it is in none. @param {string} id */
export function place(id) {
  const ids = read();
  const at = ids.indexOf(id);
  return at < 0 ? null : { nth: at + 1, of: ids.length, next: ids[at + 1] ?? '' };
}
