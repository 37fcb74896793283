// @ts-check
// All accounts: a table of which only the rows in sight are in the document.
import { el, memo, patch, shape, speak, toast } from '../lib/dom.js';
import { hideNumbers, plural } from '../lib/text.js';
import { entitle } from '../lib/title.js';
import * as api from '../model/api.js';
import { choosing } from '../model/choosing.js';
import { shownColumns } from '../model/columns.js';
import * as figures from '../model/figures.js';
import { arranged, asBefore, searchOf, viewOf } from '../model/fleet_view.js';
import * as places from '../model/place.js';
import { STATUS } from '../model/status.js';
import * as store from '../model/store.js';
import { askInBulk } from './bulk.js';
import * as dialogs from './dialogs.js';
import { exportLink, importAccounts } from './files.js';
import { firstHour } from './first_hour.js';
import { fleetKeys } from './fleet_keys.js';
import { rowsInSight } from './fleet_rows.js';
import { head, row } from './fleet_table.js';
import { bulkBar, tiles, tools } from './fleet_tools.js';

/**
 * @import { Account, Fleet } from '../model/api.js'
 * @import { Bulk } from '../model/bulk.js'
 * @import { View } from '../model/fleet_view.js'
 */

export const HIDE = 'paird.hide-numbers';
/** More changes at once than anybody wants to hear one by one. */
const SPOKEN = 3;
/** The address follows the typing: browsers refuse too many changes of it. */
const WRITE_AFTER_MS = 250;

/** @param {HTMLElement} main */
export function fleet(main) {
  entitle('Accounts');
  document.body.dataset.page = 'fleet';
  history.scrollRestoration = 'manual';

  let view = viewOf(location.search);
  let columns = shownColumns(view.columns, false);
  let areHidden = localStorage.getItem(HIDE) === 'yes';
  /** @type {Fleet | null} */
  let facts = null;
  /** What each account was when it was drawn last. @type {Map<string, string>} */
  const statuses = new Map();
  /** @type {Account[]} */
  let shown = [];
  const chosen = choosing();
  const drawFirstHour = firstHour(draw, pair);
  let wasEmpty = false;
  /** The account whose menu, and the panel whose list, is filled. */
  let menuOf = '';
  let opened = '';
  let isPlaced = false;
  let writing = 0;

  const header = /** @type {HTMLTableSectionElement} */ (el('thead', { role: 'rowgroup' }));
  const body = /** @type {HTMLTableSectionElement} */ (el('tbody.accounts', { role: 'rowgroup' }));
  const table = /** @type {HTMLTableElement} */ (
    el(
      'table.fleet',
      { role: 'grid', 'aria-label': 'Accounts', 'aria-multiselectable': 'true', 'data-key': 'table' },
      header,
      body,
    )
  );
  const toolbar = () => main.querySelector('.tools');
  const rows = rowsInSight({
    table,
    header,
    body,
    tools: toolbar,
    bar: () => main.querySelector('.bulk'),
    row: drawRow,
  });
  /** The heads of the columns stay below the tools, however many lines these take. */
  const heights = new ResizeObserver(([{ target }]) => {
    table.style.setProperty('--under', `${/** @type {HTMLElement} */ (target).offsetHeight}px`);
    rows.draw();
  });

  figures.changed.on((fleet) => {
    facts = fleet;
    draw();
  });
  figures.failed.on((error) => api.statusOf(error) > 401 && toast(api.messageOf(error), 'bad'));
  fleetKeys({
    body,
    step: rows.step,
    search: () => main.querySelector('input')?.focus(),
    choose: () => rows.active() && choose(rows.active(), false),
    clear: chooseNone,
  });
  addEventListener('pagehide', () => {
    writeAddress();
    places.keep({ search: location.search, ...rows.place() });
  });

  /** @param {View} wanted */
  function show(wanted) {
    view = wanted;
    clearTimeout(writing);
    writing = setTimeout(writeAddress, WRITE_AFTER_MS);
    draw();
  }

  function writeAddress() {
    clearTimeout(writing);
    const search = searchOf(view);
    if (search !== location.search) history.replaceState(null, '', `/${search}`);
  }

  function draw() {
    const accounts = store.accounts.all();
    const { isComplete } = store.accounts;
    const isEmpty = isComplete && accounts.length === 0;
    if (isComplete) follow(accounts);
    if (wasEmpty && !isEmpty) speak('The first account is there.');
    wasEmpty = isEmpty;
    const { shown: now, counted } = arranged(accounts, view);
    // Nothing moves under the hand of somebody who has a menu or a question open.
    shown = document.querySelector('dialog[open], .account :popover-open') ? asBefore(now, rows.places()) : now;
    rows.show(shown);
    columns = shownColumns(view.columns, new Set(accounts.map(({ operatorId }) => operatorId)).size > 1);
    const desk = {
      ...{ view, counted, columns, isComplete, areHidden, opened, all: accounts.length, shown: shown.length },
      ...{ show, open, sortBy, showAll, toggleNumbers, draw },
    };
    patch(
      main,
      el(
        'div.row.apart',
        {},
        el('div', {}, el('h1', {}, 'Accounts'), el('p.daemons.small.muted', {}, facts && sentences(facts))),
        !isEmpty && el('div.row', {}, exportLink(), importButton(), addButton()),
      ),
      el('div.tiles', { role: 'group', 'aria-label': 'Show only', hidden: isEmpty }, tiles(desk)),
      el('div.tools', { hidden: isEmpty }, tools(desk)),
      el('p.unseen', { 'data-key': 'help' }, 'Press ? for the keys.'),
      table,
      isEmpty && drawFirstHour(),
      isComplete &&
        !isEmpty &&
        shown.length === 0 &&
        el('div.card.empty', { 'data-key': 'empty' }, nothing(showAll)),
      el('div.bulk', { hidden: chosen.size() === 0, 'data-key': 'bulk' }, drawBulkBar()),
    );
    table.hidden = isEmpty;
    drawHead(isComplete);
    rows.draw();
    if (isComplete && !isPlaced) settle();
  }

  /** Once, when all accounts are there: to where somebody was. */
  function settle() {
    isPlaced = true;
    const tools = toolbar();
    if (tools) heights.observe(tools);
    const place = places.kept();
    if (place?.search === location.search) rows.goTo(place);
  }

  /** Says what has changed, and forgets what is gone. @param {Account[]} accounts */
  function follow(accounts) {
    chosen.keep((id) => store.accounts.get(id) !== undefined);
    const changes = accounts.filter(({ id, status }) => (statuses.get(id) ?? status) !== status);
    for (const { id, status } of accounts) statuses.set(id, status);
    if (changes.length > SPOKEN) speak(`${changes.length} accounts have changed.`);
    else if (changes.length > 0)
      speak(changes.map(({ label, status }) => `${label}: ${STATUS[status].word}`).join('. '));
  }

  /** @param {boolean} isComplete */
  function drawHead(isComplete) {
    patch(header, head(columns, view, { sortBy, chooseAll }));
    const some = shown.some(({ id }) => chosen.has(id));
    const box = /** @type {HTMLInputElement} */ (header.querySelector('.pick input'));
    box.checked = some && shown.every(({ id }) => chosen.has(id));
    box.indeterminate = some && !box.checked;
    table.setAttribute('aria-rowcount', String(isComplete ? shown.length + 1 : -1));
    table.ariaBusy = String(!isComplete);
    const widths = columns.map(({ share, least = 0 }) => `minmax(${least}rem, ${share}fr)`).join(' ');
    if (table.style.getPropertyValue('--columns') !== widths) table.style.setProperty('--columns', widths);
  }

  /** @param {Account} account */
  function drawRow(account) {
    const { id } = account;
    const now = { isActive: rows.isActive(id), isChosen: chosen.has(id), isOpen: id === menuOf };
    const keys = columns.map(({ key }) => key).join();
    return memo(id, [account, keys, areHidden, now.isActive, now.isChosen, now.isOpen], () =>
      row(account, columns, now, { choose, menu }),
    );
  }

  /** @param {string} id @param {boolean} isRange */
  function choose(id, isRange) {
    if (isRange) chosen.toggleTo(id, [...rows.places().keys()]);
    else chosen.toggle(id);
    draw();
  }

  function chooseAll() {
    chosen.toggleAll([...rows.places().keys()]);
    draw();
  }

  function chooseNone() {
    chosen.clear();
    draw();
  }

  /** A menu's items are made when it is opened: a row is lighter without. @param {string} id @param {boolean} isOpen */
  function menu(id, isOpen) {
    menuOf = isOpen ? id : menuOf === id ? '' : menuOf;
    rows.draw();
  }

  /** The same for the list of a panel. @param {string} key @param {boolean} isOpen */
  function open(key, isOpen) {
    opened = isOpen ? key : opened === key ? '' : opened;
    draw();
  }

  /** @param {string} sort */
  function sortBy(sort) {
    show({ ...view, sort, isDown: view.sort === sort && !view.isDown });
  }

  function showAll() {
    const search = main.querySelector('input');
    if (search) search.value = '';
    show({ ...view, filters: {}, text: '' });
  }

  function toggleNumbers() {
    areHidden = !areHidden;
    localStorage.setItem(HIDE, areHidden ? 'yes' : 'no');
    hideNumbers(areHidden);
    draw();
  }

  function drawBulkBar() {
    if (chosen.size() === 0) return [];
    const unseen = chosen.ids().filter((id) => !rows.places().has(id)).length;
    return bulkBar(
      { size: chosen.size(), unseen, shown: shown.length },
      { run: runBulk, all: chooseShown, none: chooseNone },
    );
  }

  function chooseShown() {
    chosen.replace([...chosen.ids(), ...rows.places().keys()]);
    draw();
  }

  /** @param {Bulk} bulk */
  async function runBulk(bulk) {
    const unseen = store.accounts.all().filter(({ id }) => !rows.places().has(id));
    const rest = await askInBulk(
      bulk,
      [...shown, ...unseen].filter(({ id }) => chosen.has(id)),
    );
    if (rest) chosen.replace(rest);
    draw();
  }

  draw();
  return draw;
}

const importButton = () =>
  el('button', { type: 'button', onclick: importAccounts, 'data-action': 'import' }, 'Import CSV');

const addButton = () =>
  el('button.primary', { type: 'button', onclick: add, 'data-action': 'add' }, shape('plus'), 'Add account');

async function add() {
  const made = await dialogs.add();
  if (made) pair(made.id);
}

/** @param {string} id */
const pair = (id) => location.assign(`/accounts/${id}/pair`);

/** @param {() => void} showAll */
const nothing = (showAll) => [
  el('h2', {}, 'Nothing here'),
  el('p.muted', {}, 'No account fits the filters and the search.'),
  el('button', { type: 'button', onclick: showAll }, 'Show all'),
];

/** What is under way behind the accounts, in words. @param {Fleet} fleet */
function sentences({ daemons, openTickets, queuedCommands, oldestQueuedCommandAgeMs, unsentEvents }) {
  const age = Math.round((oldestQueuedCommandAgeMs ?? 0) / 1000);
  const texts = [
    daemons.length ? `${plural(daemons.length, 'daemon')} running` : 'No daemon is running: commands wait',
    openTickets && `${plural(openTickets, 'device')} being removed from phones`,
    queuedCommands && `${plural(queuedCommands, 'command')} waiting${age > 5 ? `, the oldest for ${age} s` : ''}`,
    unsentEvents && `${plural(unsentEvents, 'event')} not sent yet`,
  ];
  return texts.filter((text) => typeof text === 'string').map((text) => el('span', {}, text));
}
