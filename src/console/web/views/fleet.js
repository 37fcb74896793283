// @ts-check
// All accounts, in the order in which they were made.
import { el, memo, patch, shape, speak, toast } from '../lib/dom.js';
import { menu } from '../lib/menu.js';
import { phone, plural, quoted } from '../lib/text.js';
import * as api from '../model/api.js';
import * as figures from '../model/figures.js';
import * as store from '../model/store.js';
import { STATUS } from '../model/status.js';
import { actions, control } from './actions.js';
import { advice, badge, why } from './badge.js';
import * as dialogs from './dialogs.js';

/** @import { Account, Fleet } from '../model/api.js' */

const HIDE = 'paird.hide-numbers';
/** Fewer than this are found by looking. */
const MANY = 8;

/** @param {HTMLElement} main */
export function fleet(main) {
  document.title = 'Accounts · paird';
  const filter = { status: '', text: '' };
  let isHidden = localStorage.getItem(HIDE) === 'yes';
  /** @type {Fleet | null} */
  let facts = null;
  /** What each account was when it was drawn last. @type {Map<string, string>} */
  const statuses = new Map();

  figures.changed.on((fleet) => {
    facts = fleet;
    draw();
  });
  figures.failed.on((error) => api.statusOf(error) > 401 && toast(api.messageOf(error), 'bad'));

  /** @param {Partial<typeof filter>} wanted */
  function show(wanted) {
    Object.assign(filter, wanted);
    draw();
  }

  function toggleNumbers() {
    isHidden = !isHidden;
    localStorage.setItem(HIDE, isHidden ? 'yes' : 'no');
    draw();
  }

  /** @param {Account} account */
  function matches({ label, status, phoneNumber, lastPhoneNumber }) {
    if (filter.status && status !== filter.status) return false;
    const text = filter.text.trim().toLowerCase();
    const digits = text.replace(/\D/g, '');
    const number = phoneNumber ?? lastPhoneNumber ?? '';
    return label.toLowerCase().includes(text) || (digits.length > 2 && number.includes(digits));
  }

  function draw() {
    if (!store.accounts.isComplete) return;
    const accounts = store.accounts.all();
    const shown = accounts.filter(matches);
    const hasOperators = new Set(accounts.map(({ operatorId }) => operatorId)).size > 1;
    patch(
      main,
      el('div.row.apart', {}, el('h1', {}, 'Accounts'), addButton()),
      el('div.tiles', { role: 'group', 'aria-label': 'Show only' }, tiles(accounts)),
      el('div.row.tools', { hidden: accounts.length === 0 }, searchField(accounts.length), hideButton()),
      el(
        'ul.accounts',
        { 'aria-label': 'Accounts' },
        shown.map((account) => memo(account.id, [account, isHidden, hasOperators], () => row(account, isHidden, hasOperators))),
      ),
      shown.length === 0 &&
        el('div.card.empty', { 'data-key': 'empty' }, accounts.length === 0 ? welcome() : nothing()),
      facts &&
        el(
          'p.daemons.small.muted',
          {},
          sentences(facts).map((text) => el('span', {}, text)),
        ),
    );
    for (const { id, label, status } of accounts) {
      if ((statuses.get(id) ?? status) !== status) speak(`${label}: ${STATUS[status].word}`);
      statuses.set(id, status);
    }
  }

  /** @param {Account[]} accounts */
  const tiles = (accounts) =>
    Object.entries(STATUS).map(([status, { word, tone }]) => {
      const count = accounts.filter((account) => account.status === status).length;
      const isPressed = filter.status === status;
      const attributes = {
        type: 'button',
        'data-key': status,
        'data-tone': tone,
        'data-status': status,
        'aria-pressed': String(isPressed),
        onclick: () => show({ status: isPressed ? '' : status }),
      };
      const isShown = count > 0 || ['connected', 'unpaired'].includes(status);
      return isShown && el('button.tile', attributes, el('b', {}, String(count)), el('span', {}, shape(status), word));
    });

  /** @param {number} count */
  const searchField = (count) =>
    el('input', {
      type: 'search',
      hidden: count < MANY && !filter.text,
      'aria-label': 'Find by name or number',
      placeholder: 'Find by name or number',
      oninput: (/** @type {InputEvent} */ { target }) => show({ text: /** @type {HTMLInputElement} */ (target).value }),
    });

  const hideButton = () =>
    el('button.quiet', { type: 'button', 'aria-pressed': String(isHidden), onclick: toggleNumbers }, 'Hide numbers');

  const nothing = () => [
    el('h2', {}, 'Nothing here'),
    el('p.muted', {}, 'No account has this status or name.'),
    el('button', { type: 'button', onclick: showAll }, 'Show all'),
  ];

  function showAll() {
    const search = main.querySelector('input');
    if (search) search.value = '';
    show({ status: '', text: '' });
  }

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

/** @param {Account} account @param {boolean} isHidden @param {boolean} hasOperators There are accounts of several. */
function row(account, isHidden, hasOperators) {
  const number = account.phoneNumber ?? account.lastPhoneNumber;
  const { wanted, more } = actions(account);
  return el(
    'li.account',
    { 'data-key': account.id, 'data-account': account.id },
    el(
      'div.who',
      {},
      el('h2.name', {}, el('a', { href: `/accounts/${account.id}` }, account.label)),
      el(
        'p.number.small.muted',
        {},
        number ? (isHidden ? `… ${number.slice(-3)}` : phone(number)) : 'No phone yet',
        number && !account.phoneNumber && ' (last)',
      ),
      hasOperators && el('p.operator.small.muted', {}, `Operator ${account.operatorId}`),
    ),
    el(
      'div.state',
      {},
      badge(account),
      el('p.small.muted', {}, why(account)),
      advice(account) && el('p.small', {}, advice(account)),
      account.openTickets > 0 && el('p.small.muted', {}, 'A device is being removed from the phone.'),
    ),
    el('div.do', {}, wanted && control(wanted, account, '.soft')),
    more.length > 0 &&
      menu(
        `menu-${account.id}`,
        `More for ${quoted(account.label)}`,
        more.map((action) => control(action, account)),
      ),
  );
}

/** What is under way behind the accounts, in words. @param {Fleet} fleet */
function sentences({ daemons, openTickets, queuedCommands, oldestQueuedCommandAgeMs, unsentEvents }) {
  const age = Math.round((oldestQueuedCommandAgeMs ?? 0) / 1000);
  return [
    daemons.length ? `${plural(daemons.length, 'daemon')} running` : 'No daemon is running: commands wait',
    openTickets && `${plural(openTickets, 'device')} being removed from phones`,
    queuedCommands && `${plural(queuedCommands, 'command')} waiting${age > 5 ? `, the oldest for ${age} s` : ''}`,
    unsentEvents && `${plural(unsentEvents, 'event')} not sent yet`,
  ].filter((text) => typeof text === 'string');
}
