// @ts-check
// Where somebody was in the list of accounts, kept for this tab: an account's page leads back there.

/**
 * @typedef {object} Place
 * @property {string} search Of the list's address.
 * @property {string} id The account at the upper edge.
 * @property {number} offset Its distance from the edge, in px.
 * @property {string} active The account whose row was the keyboard's.
 * @property {boolean} hasFocus
 */
const KEY = 'paird.place';

/** @param {Place} place */
export const keep = (place) => sessionStorage.setItem(KEY, JSON.stringify(place));

/** @returns {Place | null} */
export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

/** The address of the list as it was left. */
export const listAddress = () => `/${kept()?.search ?? ''}`;
