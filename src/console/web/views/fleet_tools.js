// @ts-check
// What is around the fleet's table: tiles, search, filters, columns, and what is done with the selected accounts.
import { el, once, shape } from '../lib/dom.js';
import { plural } from '../lib/text.js';
import { BULKS } from '../model/bulk.js';
import { COLUMNS } from '../model/columns.js';
import { FACETS, STATUSES, choices } from '../model/facets.js';
import { isFiltered, toggled } from '../model/fleet_view.js';
import { STATUS } from '../model/status.js';
import { isAlarmed, toggleAlarm } from './alarm.js';
import { panel } from './panel.js';

/**
 * @import { Bulk } from '../model/bulk.js'
 * @import { Column } from '../model/columns.js'
 * @import { Facet, Tally } from '../model/facets.js'
 * @import { View } from '../model/fleet_view.js'
 * @typedef {object} Desk
 * @property {View} view
 * @property {Record<string, Map<string, Tally>>} counted By facet.
 * @property {Column[]} columns That are shown.
 * @property {number} all Accounts.
 * @property {number} shown Accounts.
 * @property {boolean} isComplete All accounts are here.
 * @property {boolean} areHidden Numbers are.
 * @property {string} opened The panel whose list is drawn.
 * @property {(view: View) => void} show
 * @property {(key: string, isOpen: boolean) => void} open
 * @property {(sort: string) => void} sortBy
 * @property {() => void} showAll
 * @property {() => void} toggleNumbers
 * @property {() => void} draw
 */

/** @param {Desk} desk */
export const tiles = ({ view, counted, show }) =>
  STATUSES.map((status) => {
    const { word, tone } = STATUS[status];
    const count = counted.status.get(status)?.count ?? 0;
    const isPressed = view.filters.status?.includes(status) ?? false;
    const attributes = {
      type: 'button',
      'data-key': status,
      'data-tone': tone,
      'data-status': status,
      'aria-pressed': String(isPressed),
      onclick: () => show(toggled(view, 'status', status)),
    };
    const isShown = count > 0 || isPressed || status !== 'deleting';
    return isShown && el('button.tile', attributes, el('b', {}, String(count)), el('span', {}, shape(status), word));
  });

/** @param {Desk} desk */
export const tools = (desk) => [
  el('input', {
    type: 'search',
    'data-key': 'search',
    'aria-label': 'Find by name, number, reason, proxy, tag or id',
    placeholder: 'Find by name, number, reason …',
    'aria-keyshortcuts': '/',
    value: desk.view.text,
    oninput: (/** @type {InputEvent} */ { target }) =>
      desk.show({ ...desk.view, text: /** @type {HTMLInputElement} */ (target).value }),
  }),
  FACETS.map((facet) => !facet.isTiles && filterOf(facet, desk)),
  columnChooser(desk),
  sortChooser(desk),
  el(
    'button.quiet',
    {
      type: 'button',
      'aria-pressed': String(desk.areHidden),
      onclick: desk.toggleNumbers,
      'data-action': 'hide-numbers',
    },
    'Hide numbers',
  ),
  'Notification' in window &&
    el(
      'button.quiet',
      {
        type: 'button',
        'aria-pressed': String(isAlarmed()),
        'data-action': 'notify',
        title: 'The browser tells you when an account becomes held',
        onclick: (/** @type {MouseEvent} */ { currentTarget }) =>
          once(/** @type {Element} */ (currentTarget), toggleAlarm).then(desk.draw),
      },
      'Notify me',
    ),
  total(desk),
];

/** @param {Desk} desk */
function total({ view, all, shown, isComplete, showAll }) {
  const count = isFiltered(view) ? `${shown} of ${plural(all, 'account')}` : plural(all, 'account');
  return el(
    'p.total.small.muted',
    { 'data-fact': 'total' },
    isComplete ? count : 'Reading accounts …',
    isFiltered(view) && el('button.quiet', { type: 'button', onclick: showAll, 'data-action': 'show-all' }, 'Show all'),
  );
}

/** @param {Facet} facet @param {Desk} desk */
function filterOf(facet, { view, counted, opened, show, open }) {
  const { key, title } = facet;
  const wanted = view.filters[key] ?? [];
  // A choice between one is none.
  if (counted[key].size < 2 && wanted.length === 0) return false;
  const { listed, others } = opened === key ? choices(facet, counted[key], wanted) : { listed: [], others: 0 };
  return panel(
    { key, title, count: wanted.length, open },
    el(
      'fieldset',
      {},
      el('legend.unseen', {}, title),
      listed.map(({ value, word, count }) =>
        box(value, word, wanted.includes(value), () => show(toggled(view, key, value)), count),
      ),
    ),
    others > 0 && el('p.small.muted', {}, `${others} more: search for them.`),
  );
}

/** @param {Desk} desk */
function columnChooser({ view, columns, opened, show, open }) {
  const keys = columns.map(({ key }) => key);
  /** @param {string} key */
  const toggle = (key) =>
    show({ ...view, columns: keys.includes(key) ? keys.filter((each) => each !== key) : [...keys, key] });
  return panel(
    { key: 'columns', title: 'Columns', count: 0, open },
    opened === 'columns' &&
      el(
        'fieldset',
        {},
        el('legend.unseen', {}, 'Columns'),
        COLUMNS.map(({ key, title, isFixed }) => !isFixed && box(key, title, keys.includes(key), () => toggle(key))),
      ),
    el(
      'button.quiet',
      { type: 'button', onclick: () => show({ ...view, columns: null }), hidden: view.columns === null },
      'The usual ones',
    ),
  );
}

/** @param {string} value @param {string} word @param {boolean} checked @param {() => void} onchange @param {number} [count] */
const box = (value, word, checked, onchange, count) =>
  el(
    'label',
    { 'data-key': value || '-', 'data-value': value },
    el('input', { type: 'checkbox', checked, onchange }),
    el('span', {}, word),
    count !== undefined && el('span.muted', {}, String(count)),
  );

/** Where the heads of the columns are hidden, on a phone. @param {Desk} desk */
const sortChooser = ({ view, sortBy }) =>
  el(
    'label.sort',
    {},
    el('span.unseen', {}, 'Order'),
    el(
      'select',
      { onchange: (/** @type {Event} */ { target }) => sortBy(/** @type {HTMLSelectElement} */ (target).value) },
      COLUMNS.map(({ key, title }) =>
        el(
          'option',
          { value: key, selected: key === view.sort },
          key === 'status' ? 'Trouble first' : `By ${title.toLowerCase()}`,
        ),
      ),
    ),
  );

/**
 * @param {{ size: number, unseen: number, shown: number }} counts Of the selected, of those that are filtered out, and of
 *   all that are shown
 * @param {{ run: (bulk: Bulk) => void, all: () => void, none: () => void }} to
 */
export const bulkBar = ({ size, unseen, shown }, to) => [
  el(
    'p',
    { role: 'status' },
    el('b', {}, `${size} selected`),
    unseen > 0 && el('span.muted', {}, `, ${unseen} of them filtered out`),
  ),
  el(
    'div.row',
    { role: 'group', 'aria-label': 'For the selected accounts' },
    BULKS.map((bulk) =>
      el(
        bulk.isDangerous ? 'button.danger' : 'button',
        { type: 'button', 'data-bulk': bulk.name, onclick: () => to.run(bulk) },
        bulk.text,
      ),
    ),
    size < shown &&
      el('button.quiet', { type: 'button', onclick: to.all, 'data-action': 'select-all' }, `Select all ${shown}`),
    el('button.quiet', { type: 'button', onclick: to.none, 'data-action': 'select-none' }, 'Clear'),
  ),
];
