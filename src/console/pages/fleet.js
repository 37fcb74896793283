// All accounts, in the order in which they were made.
import * as api from './api.js';
import * as dialogs from './dialogs.js';
import * as live from './live.js';
import { actions, control } from './actions.js';
import { advice, badge, why } from './badge.js';
import { el, part, shape, speak, toast } from './dom.js';
import { menu } from './menu.js';
import { phone, STATUS } from './words.js';

const HIDE = 'paird.hide-numbers';
/** Fewer than this are found by looking. */
const MANY = 8;

export function fleet(main) {
  document.title = 'Accounts · paird';
  const seen = { status: '', text: '', hidden: localStorage.getItem(HIDE) === 'yes' };
  const tiles = el('div.tiles', { role: 'group', 'aria-label': 'Show only' });
  const daemons = el('p.daemons.small.muted');
  const list = el('ul.accounts', { 'aria-label': 'Accounts' });
  const empty = el('div.card.empty', { hidden: true });
  const search = el('input', {
    type: 'search',
    'aria-label': 'Find by name or number',
    placeholder: 'Find by name or number',
    oninput: () => {
      seen.text = search.value.trim().toLowerCase();
      draw();
    },
  });
  const hide = el(
    'button.quiet',
    { type: 'button', 'aria-pressed': String(seen.hidden), onclick: toggleNumbers },
    'Hide numbers',
  );
  const tools = el('div.row.tools', {}, search, hide);
  const add = () =>
    el('button.primary', { type: 'button', onclick: addAccount, 'data-action': 'add' }, shape('plus'), 'Add account');

  main.replaceChildren(el('div.row.apart', {}, el('h1', {}, 'Accounts'), add()), tiles, tools, list, empty, daemons);

  const drawTiles = part(tiles);
  const drawDaemons = part(daemons);
  const rows = new Map();

  live.onAccounts(draw);
  drawFleet();
  setInterval(() => document.hidden || drawFleet(), 5000);
  live.onBack(drawFleet);

  function toggleNumbers() {
    seen.hidden = !seen.hidden;
    localStorage.setItem(HIDE, seen.hidden ? 'yes' : 'no');
    hide.setAttribute('aria-pressed', String(seen.hidden));
    draw();
  }

  async function addAccount() {
    const made = await dialogs.add();
    if (made) location.assign(`/accounts/${made.id}/pair`);
  }

  function draw() {
    const accounts = live.all();
    const counts = {};
    accounts.forEach((account) => {
      counts[account.status] = (counts[account.status] ?? 0) + 1;
    });
    drawTiles([counts, seen.status], () =>
      Object.keys(STATUS)
        .filter((status) => counts[status] || ['connected', 'unpaired'].includes(status))
        .map((status) => tile(status, counts[status] ?? 0)),
    );
    tools.hidden = accounts.length === 0;
    search.hidden = accounts.length < MANY && !seen.text;

    const shown = accounts.filter(matches);
    empty.hidden = shown.length > 0;
    if (!empty.hidden) drawEmpty(accounts.length === 0);
    place(shown);
  }

  /** Rows stay the same elements: only what has changed in them is drawn. */
  function place(shown) {
    const ids = new Set(shown.map((account) => account.id));
    for (const [id, row] of rows) {
      if (!ids.has(id)) {
        if (row.node.contains(document.activeElement)) main.focus();
        row.node.remove();
        rows.delete(id);
      }
    }
    shown.forEach((account, at) => {
      if (!rows.has(account.id)) rows.set(account.id, newRow(account.id));
      const row = rows.get(account.id);
      if (list.children[at] !== row.node) list.insertBefore(row.node, list.children[at] ?? null);
      row.draw([account, seen.hidden], () => drawRow(account, seen.hidden));
      if (row.status && row.status !== account.status) speak(`${account.label}: ${STATUS[account.status]?.word}`);
      row.status = account.status;
    });
  }

  function matches(account) {
    if (seen.status && account.status !== seen.status) return false;
    if (!seen.text) return true;
    const digits = seen.text.replace(/\D/g, '');
    const number = account.phoneNumber ?? account.lastPhoneNumber ?? '';
    return account.label.toLowerCase().includes(seen.text) || (digits.length > 2 && number.includes(digits));
  }

  function tile(status, count) {
    const { word, tone, shape: picture } = STATUS[status];
    const pick = () => {
      seen.status = seen.status === status ? '' : status;
      draw();
    };
    return el(
      'button.tile',
      {
        type: 'button',
        'data-tone': tone,
        'data-focus': status,
        'data-status': status,
        'aria-pressed': String(seen.status === status),
        onclick: pick,
      },
      el('b', {}, String(count)),
      el('span', {}, shape(picture), word),
    );
  }

  function drawEmpty(none) {
    empty.replaceChildren(
      ...(none
        ? [
            shape('phone'),
            el('h2', {}, 'No accounts yet'),
            el('p.muted', {}, 'Add one, then link it with a phone: it takes a minute.'),
            add(),
          ]
        : [
            el('h2', {}, 'Nothing here'),
            el('p.muted', {}, 'No account has this status or name.'),
            el(
              'button',
              {
                type: 'button',
                onclick: () => {
                  seen.status = '';
                  seen.text = '';
                  search.value = '';
                  draw();
                },
              },
              'Show all',
            ),
          ]),
    );
  }

  async function drawFleet() {
    try {
      const facts = await api.fleet();
      drawDaemons(facts, () => sentences(facts).map((text) => el('span', {}, text)));
    } catch (error) {
      if (error.status > 401) toast(error.message, 'bad');
    }
  }
}

function newRow(id) {
  const node = el('li.account', { 'data-account': id });
  return { node, draw: part(node), status: null };
}

function drawRow(account, hidden) {
  const number = account.phoneNumber ?? account.lastPhoneNumber;
  const all = actions(account);
  const wanted = all.find((action) => action.wanted);
  const more = all.filter((action) => action !== wanted);
  const open = account.openTickets > 0 && 'A device is being removed from the phone.';
  return [
    el(
      'div.who',
      {},
      el('h2.name', {}, el('a', { href: `/accounts/${account.id}`, 'data-focus': 'name' }, account.label)),
      el(
        'p.number.small.muted',
        {},
        number ? (hidden ? `… ${number.slice(-3)}` : phone(number)) : 'No phone yet',
        number && !account.phoneNumber && ' (last)',
      ),
    ),
    el(
      'div.state',
      {},
      badge(account),
      el('p.small.muted', {}, why(account)),
      advice(account) && el('p.small', {}, advice(account)),
      open && el('p.small.muted', {}, open),
    ),
    el('div.do', {}, wanted && control(wanted, account, '.soft')),
    more.length > 0 &&
      menu(
        `More for «${account.label}»`,
        more.map((action) => control(action, account)),
      ),
  ];
}

/** What is under way behind the accounts, in words. */
function sentences({ daemons = [], openTickets = 0, queuedCommands = 0, oldestQueuedCommandAgeMs, unsentEvents = 0 }) {
  const many = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;
  const said = [daemons.length ? `${many(daemons.length, 'daemon')} running` : 'No daemon is running: commands wait'];
  if (openTickets) said.push(`${many(openTickets, 'device')} being removed from phones`);
  if (queuedCommands) {
    const age =
      oldestQueuedCommandAgeMs > 5000 ? `, the oldest for ${Math.round(oldestQueuedCommandAgeMs / 1000)} s` : '';
    said.push(`${many(queuedCommands, 'command')} waiting${age}`);
  }
  if (unsentEvents) said.push(`${many(unsentEvents, 'event')} not sent yet`);
  return said;
}
