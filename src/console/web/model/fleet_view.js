// @ts-check
// Which accounts the fleet's page shows, in which order, and how its address says so. Pure.
import { COLUMNS } from './columns.js';
import { FACETS } from './facets.js';
import { finder } from './finding.js';

/**
 * @import { Account } from './api.js'
 * @import { Tally } from './facets.js'
 * @typedef {object} View
 * @property {string} text What is searched.
 * @property {Record<string, string[]>} filters By facet, the values of which one is wanted.
 * @property {string} sort A column's key.
 * @property {boolean} isDown The last one first.
 * @property {string[] | null} columns Their keys; null: the usual ones.
 */

/** Trouble first. */
const USUAL_SORT = 'status';

/** @returns {View} */
export const usualView = () => ({ text: '', filters: {}, sort: USUAL_SORT, isDown: false, columns: null });

/** The view of an address; what it does not know is left out. @param {string} search `location.search` @returns {View} */
export function viewOf(search) {
  const asked = new URLSearchParams(search);
  const view = usualView();
  view.text = asked.get('q') ?? '';
  for (const { key } of FACETS) if (asked.has(key)) view.filters[key] = [...new Set(asked.getAll(key))];
  const [, down, sort] = asked.get('sort')?.match(/^(-?)(\w+)$/) ?? [];
  if (COLUMNS.some(({ key }) => key === sort)) Object.assign(view, { sort, isDown: down === '-' });
  if (asked.has('columns')) view.columns = (asked.get('columns') ?? '').split(',').filter(Boolean);
  return view;
}

/** The other way round; what is usual is left out. @param {View} view */
export function searchOf({ text, filters, sort, isDown, columns }) {
  const search = new URLSearchParams();
  if (text.trim()) search.set('q', text.trim());
  for (const { key } of FACETS) for (const value of filters[key] ?? []) search.append(key, value);
  if (sort !== USUAL_SORT || isDown) search.set('sort', `${isDown ? '-' : ''}${sort}`);
  if (columns) search.set('columns', columns.join(','));
  const written = search.toString().replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%2F', '/');
  return written && `?${written}`;
}

/** @param {View} view */
export const isFiltered = ({ text, filters }) =>
  text.trim() !== '' || Object.values(filters).some((values) => values.length > 0);

/** With this value wanted, or no longer. @param {View} view @param {string} key @param {string} value @returns {View} */
export function toggled(view, key, value) {
  const before = view.filters[key] ?? [];
  const values = before.includes(value) ? before.filter((each) => each !== value) : [...before, value];
  return { ...view, filters: { ...view.filters, [key]: values } };
}

/**
 * The accounts that a view shows, and for each facet how many there would be of each value, were it not filtered.
 * @param {Account[]} accounts In order of creation, which decides between equals. @param {View} view
 * @returns {{ shown: Account[], counted: Record<string, Map<string, Tally>> }}
 */
export function arranged(accounts, view) {
  const isFound = finder(view.text);
  const facets = FACETS.map((facet) => {
    const wanted = view.filters[facet.key] ?? [];
    return {
      ...facet,
      wanted: wanted.length ? new Set(wanted) : null,
      tallies: /** @type {Map<string, Tally>} */ (new Map()),
    };
  });
  /** @type {Account[]} */
  const shown = [];
  for (const account of accounts) {
    if (!isFound(account)) continue;
    const failed = facets.filter(({ of, wanted }) => wanted && !listed(of(account)).some((value) => wanted.has(value)));
    if (failed.length === 0) shown.push(account);
    for (const { of, tallies } of failed.length === 0 ? facets : failed.length === 1 ? failed : []) {
      for (const value of listed(of(account))) {
        const tally = tallies.get(value);
        if (tally) tally.count += 1;
        else tallies.set(value, { count: 1, account });
      }
    }
  }
  return {
    shown: sorted(shown, view),
    counted: Object.fromEntries(facets.map(({ key, tallies }) => [key, tallies])),
  };
}

/** @param {string | string[]} values */
const listed = (values) => (typeof values === 'string' ? [values] : values);

/** @param {Account[]} accounts @param {View} view */
function sorted(accounts, { sort, isDown }) {
  const by = COLUMNS.find(({ key }) => key === sort)?.by ?? (() => null);
  const values = accounts.map(by);
  const texts = values.filter((value) => typeof value === 'string');
  const places = texts.length > 0 ? placesOf(sort, texts) : null;
  const ranks = values.map((value) => {
    if (value === null || value === undefined || value === '') return Number.POSITIVE_INFINITY;
    const rank = typeof value === 'string' ? (places?.get(value) ?? 0) : value;
    return isDown ? -rank : rank;
  });
  const order = accounts.map((_, at) => at);
  // The difference of two without a value is not a number.
  order.sort((a, b) => (ranks[a] === ranks[b] ? a - b : ranks[a] - ranks[b]));
  return order.map((at) => accounts[at]);
}

const collator = new Intl.Collator('en', { numeric: true });
/** @type {Map<string, Map<string, number>>} */
const known = new Map();

/**
 * The place of each text in the order of its column. They are kept until there is a new text, because people's order
 * ("Till 2" before "Till 10") is slow to find out, and names change less often than statuses.
 * @param {string} column @param {string[]} texts
 */
function placesOf(column, texts) {
  const before = known.get(column);
  if (before && texts.every((text) => before.has(text))) return before;
  const places = new Map([...new Set(texts)].sort(collator.compare).map((text, at) => [text, at]));
  known.set(column, places);
  return places;
}

/**
 * The same accounts as they stood before, with new ones at the end: nothing moves under the hand of somebody who has a
 * menu or a question open.
 * @param {Account[]} accounts @param {Map<string, number>} before Places by id.
 */
export function asBefore(accounts, before) {
  const place = (/** @type {Account} */ { id }) => before.get(id) ?? before.size;
  return accounts.toSorted((a, b) => place(a) - place(b));
}
