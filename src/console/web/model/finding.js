// @ts-check
// Free search: over names, numbers however they are written, ids, reasons, proxies and tags. Pure.

/** @import { Account } from './api.js' */

/** Fewer digits are in most numbers. */
const DIGITS = 3;
/** Fewer letters and digits are in most ids. */
const OF_ID = 6;

/** In lower case and without accents: "Worthersee" finds "Wörthersee". @param {string} text */
const folded = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** What is searched in an account, which is a new object when it has changed. @type {WeakMap<Account, string>} */
const texts = new WeakMap();

/** @param {Account} account */
function textOf(account) {
  const known = texts.get(account);
  if (known !== undefined) return known;
  const { label, statusText, statusReason, proxy, tags } = account;
  const text = folded([label, statusText, statusReason, proxy, ...tags].join('\n'));
  texts.set(account, text);
  return text;
}

/**
 * The digits that a number has in a row: without +, 00, the 0 of a call at home, and what stands between digits.
 * Empty if it is no number.
 * @param {string} text
 */
export function digitsOf(text) {
  if (!/^[\d\s()+./‐-―-]+$/.test(text)) return '';
  const digits = text.replace('(0)', '').replace(/\D/g, '').replace(/^0+/, '');
  return digits.length < DIGITS ? '' : digits;
}

/** Whether an account is looked for: every word is somewhere in it, or it is its number. @param {string} text */
export function finder(text) {
  const words = folded(text.trim()).split(/\s+/).filter(Boolean);
  const digits = digitsOf(text.trim());
  return (/** @type {Account} */ account) => {
    if (words.length === 0) return true;
    const { phoneNumber, lastPhoneNumber } = account;
    if (digits && (phoneNumber ?? lastPhoneNumber ?? '').includes(digits)) return true;
    const searched = textOf(account);
    const isPartOfId = (/** @type {string} */ word) => word.length >= OF_ID && account.id.includes(word);
    return words.every((word) => searched.includes(word) || isPartOfId(word));
  };
}
