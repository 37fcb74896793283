// @ts-check
// The head and the rows of the fleet's table. Every row has the same height: which of them are in sight is arithmetic.
import { el } from '../lib/dom.js';
import { menu } from '../lib/menu.js';
import { quoted } from '../lib/text.js';
import { actions, control } from './actions.js';
import { CELLS } from './cells.js';

/**
 * @import { Account } from '../model/api.js'
 * @import { Column } from '../model/columns.js'
 * @import { View } from '../model/fleet_view.js'
 */

/**
 * @param {Column[]} columns @param {View} view
 * @param {{ sortBy: (key: string) => void, chooseAll: () => void }} handlers
 */
export const head = (columns, { sort, isDown }, { sortBy, chooseAll }) =>
  el(
    'tr',
    { role: 'row', 'aria-rowindex': '1' },
    el(
      'th.pick',
      { role: 'columnheader', scope: 'col' },
      el('label', {}, el('input', { type: 'checkbox', onchange: chooseAll }), el('span.unseen', {}, 'Select all')),
    ),
    columns.map(({ key, title }) =>
      el(
        'th',
        {
          role: 'columnheader',
          scope: 'col',
          'data-key': key,
          'data-column': key,
          'aria-sort': key === sort && (isDown ? 'descending' : 'ascending'),
        },
        el('button', { type: 'button', onclick: () => sortBy(key) }, title),
      ),
    ),
    el('th.do', { role: 'columnheader', scope: 'col' }, el('span.unseen', {}, 'Action')),
    el('th.more', { role: 'columnheader', scope: 'col' }, el('span.unseen', {}, 'More')),
  );

/**
 * @param {Account} account @param {Column[]} columns
 * @param {{ isActive: boolean, isChosen: boolean, isOpen: boolean }} now `isActive`: Tab leads here; `isOpen`: its menu is
 * @param {{ choose: (id: string, isRange: boolean) => void, menu: (id: string, isOpen: boolean) => void }} handlers
 */
export function row(account, columns, { isActive, isChosen, isOpen }, handlers) {
  const { id, label } = account;
  const { wanted, more } = actions(account);
  // What comes back by itself is not urged.
  const look = account.nextRetryAt ? '' : '.soft';
  const items = isOpen ? more.map((action) => control(action, account)) : null;
  const node = el(
    'tr.account',
    { role: 'row', 'data-account': id, 'data-key': id, 'aria-selected': String(isChosen) },
    el(
      'td.pick',
      { role: 'gridcell' },
      el(
        'label',
        {},
        el('input', {
          type: 'checkbox',
          checked: isChosen,
          onclick: (/** @type {MouseEvent} */ { shiftKey }) => handlers.choose(id, shiftKey),
        }),
        el('span.unseen', {}, `Select ${quoted(label)}`),
      ),
    ),
    columns.map(({ key }) => CELLS[key](account)),
    el('td.do', { role: 'gridcell' }, wanted && control(wanted, account, look)),
    el(
      'td.more',
      { role: 'gridcell' },
      more.length > 0 &&
        menu(`menu-${id}`, `More for ${quoted(label)}`, items, (isNowOpen) => handlers.menu(id, isNowOpen)),
    ),
  );
  // One stop for Tab in the whole table, which has thousands of rows.
  for (const each of node.querySelectorAll('a, button, input'))
    /** @type {HTMLElement} */ (each).tabIndex = isActive ? 0 : -1;
  return node;
}
