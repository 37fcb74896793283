// @ts-check
// All accounts: a table of which only the rows in sight are in the document.
import { el, memo, once, patch, shape, speak, toast } from '../lib/dom.js';
import { hideNumbers, plural } from '../lib/text.js';
import { entitle } from '../lib/title.js';
import * as api from '../model/api.js';
import { BULKS } from '../model/bulk.js';
import { choosing } from '../model/choosing.js';
import { COLUMNS, shownColumns } from '../model/columns.js';
import { FACETS, STATUSES, choices } from '../model/facets.js';
import * as figures from '../model/figures.js';
import { arranged, asBefore, isFiltered, searchOf, toggled, viewOf } from '../model/fleet_view.js';
import { SPARE, pane, wayTo } from '../model/pane.js';
import * as places from '../model/place.js';
import { STATUS } from '../model/status.js';
import * as store from '../model/store.js';
import { isAlarmed, toggleAlarm } from './alarm.js';
import { askInBulk } from './bulk.js';
import * as dialogs from './dialogs.js';
import { fleetKeys } from './fleet_keys.js';
import { head, row } from './fleet_table.js';
import { panel } from './panel.js';

/**
 * @import { Account, Fleet } from '../model/api.js'
 * @import { Bulk } from '../model/bulk.js'
 * @import { Facet, Tally } from '../model/facets.js'
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
  document.querySelector('nav a')?.setAttribute('aria-current', 'page');
  document.body.dataset.page = 'fleet';
  history.scrollRestoration = 'manual';

  let view = viewOf(location.search);
  let isHidden = localStorage.getItem(HIDE) === 'yes';
  /** @type {Fleet | null} */
  let facts = null;
  /** What each account was when it was drawn last. @type {Map<string, string>} */
  const statuses = new Map();
  /** @type {Account[]} */
  let shown = [];
  /** Where each stands. @type {Map<string, number>} */
  let placeOf = new Map();
  let columns = shownColumns(view.columns, false);
  const chosen = choosing();
  /** The account whose row the keyboard is in, or would be. */
  let active = '';
  /** The account whose menu, and the filter whose list, is filled. */
  let menuOf = '';
  let panelOf = '';
  let isPlaced = false;
  let writing = 0;

  const header = el('thead', { role: 'rowgroup' });
  const body = /** @type {HTMLTableSectionElement} */ (el('tbody.accounts', { role: 'rowgroup' }));
  const table = el(
    'table.fleet',
    { role: 'grid', 'aria-label': 'Accounts', 'aria-multiselectable': 'true', 'data-key': 'table' },
    header,
    body,
  );

  const heights = new ResizeObserver(([{ target }]) =>
    table.style.setProperty('--under', `${/** @type {HTMLElement} */ (target).offsetHeight}px`),
  );

  figures.changed.on((fleet) => {
    facts = fleet;
    draw();
  });
  figures.failed.on((error) => api.statusOf(error) > 401 && toast(api.messageOf(error), 'bad'));

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

  function toggleNumbers() {
    isHidden = !isHidden;
    localStorage.setItem(HIDE, isHidden ? 'yes' : 'no');
    hideNumbers(isHidden);
    draw();
  }

  function draw() {
    const accounts = store.accounts.all();
    if (store.accounts.isComplete) follow(accounts);
    const { shown: now, counted } = arranged(accounts, view);
    // Nothing moves under the hand of somebody who has a menu or a question open.
    shown = document.querySelector('dialog[open], .account :popover-open') ? asBefore(now, placeOf) : now;
    placeOf = new Map(shown.map(({ id }, at) => [id, at]));
    if (!placeOf.has(active)) active = shown[0]?.id ?? '';
    const hasOperators = new Set(accounts.map(({ operatorId }) => operatorId)).size > 1;
    columns = shownColumns(view.columns, hasOperators);
    const isEmpty = store.accounts.isComplete && accounts.length === 0;
    patch(
      main,
      el(
        'div.row.apart',
        {},
        el('div', {}, el('h1', {}, 'Accounts'), el('p.daemons.small.muted', {}, facts && sentences(facts))),
        addButton(),
      ),
      el('div.tiles', { role: 'group', 'aria-label': 'Show only' }, tiles(counted.status)),
      el('div.tools', { hidden: isEmpty }, tools(accounts, counted)),
      el('p.unseen', { 'data-key': 'help', id: 'keys' }, 'Press ? for the keys.'),
      table,
      store.accounts.isComplete &&
        shown.length === 0 &&
        el('div.card.empty', { 'data-key': 'empty' }, accounts.length === 0 ? welcome() : nothing()),
      el('div.bulk', { hidden: chosen.size() === 0, 'data-key': 'bulk' }, bulkBar()),
    );
    table.hidden = isEmpty;
    if (!isPlaced) watchTools();
    drawHead();
    drawRows(true);
    restorePlace();
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

  function drawHead() {
    const ids = shown.map(({ id }) => id);
    const some = ids.some(chosen.has);
    patch(header, head(columns, view, { sortBy, chooseAll }));
    const box = /** @type {HTMLInputElement} */ (header.querySelector('.pick input'));
    box.checked = some && ids.every(chosen.has);
    box.indeterminate = some && !box.checked;
    table.setAttribute('aria-rowcount', String(store.accounts.isComplete ? shown.length + 1 : -1));
    table.ariaBusy = String(!store.accounts.isComplete);
    const widths = columns.map(({ share, least = 0 }) => `minmax(${least}rem, ${share}fr)`).join(' ');
    if (table.style.getPropertyValue('--columns') !== widths) table.style.setProperty('--columns', widths);
  }

  /** The heads of the columns stay below them, however many lines they take. */
  function watchTools() {
    const tools = main.querySelector('.tools');
    if (!tools) return;
    heights.disconnect();
    heights.observe(tools);
  }

  /** What was drawn last, and how far below the document's begin the rows begin, in px. */
  const drawn = { first: -1, end: -1, top: 0 };

  /** A leap shows rows that are all new: first those in sight, then those around them. */
  function onScroll() {
    const { first, end } = pane({
      count: shown.length,
      height: rowHeight(),
      above: scrollY - drawn.top,
      sight: innerHeight,
    });
    const isLeap = first >= drawn.end || end <= drawn.first;
    drawRows(false, isLeap ? 0 : SPARE);
    if (isLeap) setTimeout(drawRows, 0, false);
  }

  /** The rows in sight, and the one that has the focus, wherever it is. @param {boolean} isChanged */
  function drawRows(isChanged, spare = SPARE) {
    const height = rowHeight();
    if (isChanged) drawn.top = scrollY + body.getBoundingClientRect().top;
    const { first, end } = pane({ count: shown.length, height, above: scrollY - drawn.top, sight: innerHeight, spare });
    if (!isChanged && first === drawn.first && end === drawn.end) return;
    Object.assign(drawn, { first, end });
    const key = columns.map((column) => column.key).join();
    const inSight = shown.slice(first, end);
    const away = body.contains(document.activeElement) ? placeOf.get(active) : undefined;
    const isAway = away !== undefined && (away < first || away >= end);
    if (isAway) inSight[away < first ? 'unshift' : 'push'](shown[away]);
    patch(
      body,
      inSight.map((account) => {
        const { id } = account;
        const now = { isActive: id === active, isChosen: chosen.has(id), isOpen: id === menuOf };
        return memo(id, [account, key, isHidden, now.isActive, now.isChosen, now.isOpen], () =>
          row(account, columns, now, handlers),
        );
      }),
    );
    for (const [at, node] of [...body.rows].entries()) {
      const nth = placeOf.get(node.dataset.account ?? '') ?? at;
      const index = String(nth + 2);
      if (node.ariaRowIndex !== index) node.ariaRowIndex = index;
      const isElsewhere = isAway && nth === away;
      if (node.classList.toggle('away', isElsewhere)) node.style.top = `${nth * height}px`;
      else if (node.style.top) node.style.top = '';
    }
    body.style.height = `${shown.length * height}px`;
    body.style.paddingTop = `${first * height}px`;
  }

  let knownHeight = 0;
  /** In px, by the style sheet; it is another one on a phone. */
  const rowHeight = () => (knownHeight ||= parseFloat(getComputedStyle(table).getPropertyValue('--row')));
  /** What stays at the top of the window once the rows are scrolled, and at its bottom. On a phone, nothing does. */
  const coveredAbove = () =>
    header.offsetHeight && header.offsetHeight + (main.querySelector('.tools')?.getBoundingClientRect().height ?? 0);
  const coveredBelow = () => main.querySelector('.bulk')?.getBoundingClientRect().height ?? 0;

  const handlers = {
    /** @param {string} id @param {boolean} isRange */
    choose(id, isRange) {
      if (isRange)
        chosen.toggleTo(
          id,
          shown.map((account) => account.id),
        );
      else chosen.toggle(id);
      draw();
    },
    /** Its items are made when it is opened: a row is lighter without. @param {string} id @param {boolean} isOpen */
    menu(id, isOpen) {
      menuOf = isOpen ? id : menuOf === id ? '' : menuOf;
      drawRows(true);
    },
  };

  /** @param {string} sort */
  function sortBy(sort) {
    show({ ...view, sort, isDown: view.sort === sort && !view.isDown });
  }

  function chooseAll() {
    chosen.toggleAll(shown.map(({ id }) => id));
    draw();
  }

  /** @param {string} id The row becomes the keyboard's. */
  function activate(id) {
    if (id === active) return;
    active = id;
    drawRows(true);
  }

  body.addEventListener('focusin', ({ target }) => {
    const id = /** @type {HTMLElement} */ (target).closest('tr')?.dataset.account;
    if (id) activate(id);
  });

  /** @param {number} by Rows down. */
  function step(by) {
    const isThere = body.contains(document.activeElement);
    const at = (placeOf.get(active) ?? 0) + (isThere ? by : 0);
    const account = shown[Math.min(Math.max(at, 0), shown.length - 1)];
    if (!account) return;
    reveal(placeOf.get(account.id) ?? 0);
    active = account.id;
    drawRows(true);
    focusActive();
  }

  function focusActive() {
    /** @type {HTMLElement | null} */ (body.querySelector(`[data-account="${active}"] .name a`))?.focus({
      preventScroll: true,
    });
  }

  /** @param {number} at */
  function reveal(at) {
    const above = -body.getBoundingClientRect().top;
    const sight = innerHeight - coveredBelow();
    scrollBy(0, wayTo({ at, height: rowHeight(), above, sight, covered: coveredAbove() }));
  }

  fleetKeys({
    body,
    step,
    search: () => /** @type {HTMLElement | null} */ (main.querySelector('input[type=search]'))?.focus(),
    choose: () => active && handlers.choose(active, false),
    clear: () => {
      chosen.clear();
      draw();
    },
  });
  addEventListener('scroll', onScroll, { passive: true });
  addEventListener('resize', () => {
    knownHeight = 0;
    drawRows(true);
  });
  addEventListener('pagehide', keepPlace);

  function keepPlace() {
    writeAddress();
    const edge = coveredAbove() - body.getBoundingClientRect().top;
    const at = scrollY > 0 ? Math.max(0, Math.floor(edge / rowHeight())) : 0;
    places.keep({
      search: location.search,
      id: scrollY > 0 ? (shown[at]?.id ?? '') : '',
      offset: edge - at * rowHeight(),
      active,
      hasFocus: body.contains(document.activeElement),
    });
  }

  /** Once, when all accounts are there. */
  function restorePlace() {
    if (isPlaced || !store.accounts.isComplete) return;
    isPlaced = true;
    const place = places.kept();
    if (!place || place.search !== location.search) return;
    if (placeOf.has(place.active)) active = place.active;
    const at = placeOf.get(place.id);
    if (at !== undefined)
      scrollTo(0, scrollY + body.getBoundingClientRect().top + at * rowHeight() + place.offset - coveredAbove());
    drawRows(true);
    if (place.hasFocus) focusActive();
  }

  /** @param {Map<string, Tally>} counted */
  const tiles = (counted) =>
    STATUSES.map((status) => {
      const { word, tone } = STATUS[status];
      const count = counted.get(status)?.count ?? 0;
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

  /** @param {Account[]} accounts @param {Record<string, Map<string, Tally>>} counted */
  const tools = (accounts, counted) => [
    el('input', {
      type: 'search',
      'data-key': 'search',
      'aria-label': 'Find by name, number, reason, proxy or id',
      placeholder: 'Find by name, number, reason …',
      'aria-keyshortcuts': '/',
      value: view.text,
      oninput: (/** @type {InputEvent} */ { target }) =>
        show({ ...view, text: /** @type {HTMLInputElement} */ (target).value }),
    }),
    FACETS.map((facet) => !facet.isTiles && filterOf(facet, counted[facet.key])),
    columnChooser(),
    sortChooser(),
    el(
      'button.quiet',
      { type: 'button', 'aria-pressed': String(isHidden), onclick: toggleNumbers, 'data-action': 'hide-numbers' },
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
            once(/** @type {Element} */ (currentTarget), toggleAlarm).then(draw),
        },
        'Notify me',
      ),
    el(
      'p.total.small.muted',
      { 'data-fact': 'total' },
      !store.accounts.isComplete
        ? 'Reading accounts …'
        : isFiltered(view)
          ? `${shown.length} of ${plural(accounts.length, 'account')}`
          : plural(accounts.length, 'account'),
      isFiltered(view) &&
        el('button.quiet', { type: 'button', onclick: showAll, 'data-action': 'show-all' }, 'Show all'),
    ),
  ];

  /** Its list is drawn while it is open. @param {string} key @param {boolean} isOpen */
  function open(key, isOpen) {
    panelOf = isOpen ? key : panelOf === key ? '' : panelOf;
    draw();
  }

  /** @param {Facet} facet @param {Map<string, Tally>} counted */
  function filterOf(facet, counted) {
    const wanted = view.filters[facet.key] ?? [];
    // A choice between one is none.
    if (counted.size < 2 && wanted.length === 0) return false;
    const { listed, others } = panelOf === facet.key ? choices(facet, counted, wanted) : { listed: [], others: 0 };
    return panel(
      { key: facet.key, title: facet.title, count: wanted.length, open },
      el(
        'fieldset',
        {},
        el('legend.unseen', {}, facet.title),
        listed.map(({ value, word, count }) =>
          el(
            'label',
            { 'data-key': value || '-', 'data-value': value },
            el('input', {
              type: 'checkbox',
              checked: wanted.includes(value),
              onchange: () => show(toggled(view, facet.key, value)),
            }),
            el('span', {}, word),
            el('span.muted', {}, String(count)),
          ),
        ),
      ),
      others > 0 && el('p.small.muted', {}, `${others} more: search for them.`),
    );
  }

  function columnChooser() {
    const keys = columns.map(({ key }) => key);
    /** @param {string} key */
    const toggle = (key) =>
      show({ ...view, columns: keys.includes(key) ? keys.filter((each) => each !== key) : [...keys, key] });
    return panel(
      { key: 'columns', title: 'Columns', count: 0, open },
      panelOf === 'columns' &&
        el(
          'fieldset',
          {},
          el('legend.unseen', {}, 'Columns'),
          COLUMNS.map(
            ({ key, title, isFixed }) =>
              !isFixed &&
              el(
                'label',
                { 'data-key': key, 'data-value': key },
                el('input', { type: 'checkbox', checked: keys.includes(key), onchange: () => toggle(key) }),
                el('span', {}, title),
              ),
          ),
        ),
      el(
        'button.quiet',
        { type: 'button', onclick: () => show({ ...view, columns: null }), hidden: view.columns === null },
        'The usual ones',
      ),
    );
  }

  /** Where the heads of the columns are hidden, on a phone. */
  const sortChooser = () =>
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

  function bulkBar() {
    const size = chosen.size();
    if (size === 0) return [];
    const unseen = chosen.ids().filter((id) => !placeOf.has(id)).length;
    return [
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
            { type: 'button', 'data-bulk': bulk.name, onclick: () => runBulk(bulk) },
            bulk.text,
          ),
        ),
        size < shown.length &&
          el(
            'button.quiet',
            { type: 'button', onclick: chooseShown, 'data-action': 'select-all' },
            `Select all ${shown.length}`,
          ),
        el('button.quiet', { type: 'button', onclick: clearChosen, 'data-action': 'select-none' }, 'Clear'),
      ),
    ];
  }

  function chooseShown() {
    chosen.replace([...chosen.ids(), ...placeOf.keys()]);
    draw();
  }

  function clearChosen() {
    chosen.clear();
    draw();
  }

  /** @param {Bulk} bulk */
  async function runBulk(bulk) {
    const ids = new Set(chosen.ids());
    const inOrder = [...shown, ...store.accounts.all().filter(({ id }) => !placeOf.has(id))];
    const rest = await askInBulk(
      bulk,
      inOrder.filter(({ id }) => ids.has(id)),
    );
    if (rest) chosen.replace(rest);
    draw();
  }

  const nothing = () => [
    el('h2', {}, 'Nothing here'),
    el('p.muted', {}, 'No account fits the filters and the search.'),
    el('button', { type: 'button', onclick: showAll }, 'Show all'),
  ];

  function showAll() {
    const search = main.querySelector('input');
    if (search) search.value = '';
    show({ ...view, filters: {}, text: '' });
  }

  draw();
  return draw;
}

const addButton = () =>
  el('button.primary', { type: 'button', onclick: add, 'data-action': 'add' }, shape('plus'), 'Add account');

async function add() {
  const made = await dialogs.add();
  if (made) location.assign(`/accounts/${made.id}/pair`);
}

const welcome = () => [
  shape('phone'),
  el('h2', {}, 'No accounts yet'),
  el('p.muted', {}, 'Add one, then link it with a phone: it takes a minute.'),
  addButton(),
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
