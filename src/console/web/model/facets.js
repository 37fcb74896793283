// @ts-check
// What the fleet can be filtered by. Pure. One more: an entry here.
import { STATUS, TROUBLE } from './status.js';

/**
 * @import { Account } from './api.js'
 * @typedef {object} Facet
 * @property {string} key Its name in the address.
 * @property {string} title
 * @property {(account: Account) => string | string[]} of An account's value or values; '' is "none".
 * @property {(value: string, account?: Account) => string} word What people read; without an account nobody has it now.
 * @property {boolean} [isTiles] Drawn as tiles, not as a list.
 */

/** A proxy's and a daemon's value is what tells it from others, and that is what people read, too. */
const asItIs = (/** @type {string} */ none) => (/** @type {string} */ value) => value || none;

/** @type {Facet[]} */
export const FACETS = [
  {
    key: 'status',
    title: 'Status',
    of: ({ status }) => status,
    word: (value) => STATUS[value]?.word ?? value,
    isTiles: true,
  },
  {
    key: 'reason',
    title: 'Reason',
    of: ({ statusWord }) => statusWord,
    // What follows the headline differs from account to account.
    word: (value, account) =>
      account && value !== 'unknown' ? account.statusText.split('. ')[0] : value.replaceAll('_', ' '),
  },
  { key: 'tag', title: 'Tag', of: ({ tags }) => (tags.length > 0 ? tags : ['']), word: asItIs('No tag') },
  { key: 'operator', title: 'Operator', of: ({ operatorId }) => operatorId, word: asItIs('None') },
  { key: 'daemon', title: 'Daemon', of: ({ owner }) => owner?.host ?? '', word: asItIs('No daemon') },
  { key: 'proxy', title: 'Proxy', of: ({ proxy }) => proxy ?? '', word: asItIs('No proxy') },
];

/** Statuses as tiles are ordered: trouble first. */
export const STATUSES = Object.keys(STATUS).sort((a, b) => TROUBLE[a] - TROUBLE[b]);

/** More of one facet are found by the search. */
const MOST = 60;

/**
 * The values of a facet that are chosen or frequent, in the order of their words, and how many others there are.
 * @typedef {{ value: string, word: string, count: number }} Choice
 * @typedef {{ count: number, account: Account }} Tally
 * @param {Facet} facet @param {Map<string, Tally>} counted @param {string[]} chosen
 * @returns {{ listed: Choice[], others: number }}
 */
export function choices({ word }, counted, chosen) {
  const frequent = [...counted].sort(([, a], [, b]) => b.count - a.count).slice(0, MOST);
  const values = new Set([...chosen, ...frequent.map(([value]) => value)]);
  const listed = [...values].map((value) => {
    const tally = counted.get(value);
    return { value, word: word(value, tally?.account), count: tally?.count ?? 0 };
  });
  listed.sort((a, b) => a.word.localeCompare(b.word, 'en', { numeric: true }));
  return { listed, others: Math.max(0, counted.size - MOST) };
}
