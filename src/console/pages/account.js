// One account: how it is, what happened, what can be done.
import * as api from './api.js';
import * as live from './live.js';
import { actions, control } from './actions.js';
import { advice, badge, why } from './badge.js';
import { el, once, part, shape, speak, toast } from './dom.js';
import { time, exact } from './clock.js';
import { connection } from './connection.js';
import { chronicle } from './history.js';
import { event, audit, phone, reason, STATUS } from './words.js';

export function account(main, id) {
  const known = { account: null, groups: [] };
  const past = chronicle(id);
  const head = el('div.stack');
  const story = el('section.card.stack', { 'aria-labelledby': 'story' });
  const ways = el('section.card.stack', { 'aria-labelledby': 'connection' });
  const groups = el('section.card.stack', { 'aria-labelledby': 'groups' });
  const details = el('section.card.stack', { 'aria-labelledby': 'details' });
  main.replaceChildren(head, el('div.columns', {}, story, el('div.stack', {}, ways, groups, details)));
  const draw = {
    head: part(head),
    story: part(story),
    ways: part(ways),
    groups: part(groups),
    details: part(details),
  };
  let status = '';

  live.onAccounts(() => {
    const account = live.account(id);
    if (!account) return gone();
    known.account = account;
    document.title = `${account.label} · paird`;
    if (status && status !== account.status) speak(`${account.label}: ${STATUS[account.status]?.word}`);
    status = account.status;
    drawAccount();
  });
  live.onEvent((told) => told.accountId === id && readAll());
  live.onBack(readAll);

  async function readAll() {
    try {
      const [groups] = await Promise.all([api.groups(id), past.read()]);
      known.groups = groups;
      drawStory();
      drawGroups();
    } catch (error) {
      if (error.status > 404) toast(error.message, 'bad');
    }
  }

  function drawAccount() {
    const { account } = known;
    const all = actions(account);
    const [, raw] = reason(account.statusReason);
    draw.head([account], () => [
      el('a.back', { href: '/' }, shape('back'), 'Accounts'),
      el(
        'div.card.stack.summary',
        {},
        el('div.row.apart', {}, el('h1', {}, account.label), badge(account)),
        el(
          'p.number',
          {},
          account.phoneNumber
            ? phone(account.phoneNumber)
            : account.lastPhoneNumber
              ? el('span.muted', {}, `Last linked with ${phone(account.lastPhoneNumber)}`)
              : el('span.muted', {}, 'No phone yet'),
        ),
        el('p', {}, why(account)),
        advice(account) &&
          el('p.note', { 'data-tone': STATUS[account.status]?.tone }, el('b', {}, 'What to do: '), advice(account)),
        account.openTickets > 0 && el('p.small.muted', {}, 'An old device is being removed from the phone.'),
        raw &&
          el(
            'details.raw',
            {},
            el('summary', { 'data-focus': 'raw' }, 'WhatsApp’s own words'),
            el('pre', {}, account.statusReason),
          ),
        all.length > 0 &&
          el(
            'div.row.all',
            {},
            all.map((action) => control(action, account, action.wanted ? '.primary' : '')),
          ),
      ),
    ]);
    draw.ways([account.proxy, account.proxyHasLogin, account.deviceName, account.status, account.label], () =>
      connection(account),
    );
    draw.details([account], () => [el('h2', { id: 'details' }, 'Details'), el('dl.facts', {}, facts(account))]);
  }

  function drawStory() {
    const told = gathered(
      [...past.events().map(asEvent), ...past.audit().map(asAudit)].sort(
        (a, b) => Date.parse(b.at) - Date.parse(a.at) || b.nth - a.nth,
      ),
    );
    draw.story([told, past.hasOlder()], () => [
      el('h2', { id: 'story' }, 'What happened'),
      told.length === 0 ? el('p.muted', {}, 'Nothing yet.') : el('ol.story', {}, told.map(drawMoment)),
      past.hasOlder() &&
        el(
          'button.wide',
          { type: 'button', 'data-action': 'older', 'data-focus': 'older', onclick: readOlder },
          'Show older',
        ),
    ]);
  }

  async function readOlder({ currentTarget }) {
    try {
      await once(currentTarget, past.older);
      drawStory();
      speak(past.hasOlder() ? 'Older moments are shown.' : 'All of it is shown.');
    } catch (error) {
      toast(error.message, 'bad');
    }
  }

  function drawGroups() {
    const list = [...known.groups].sort((a, b) => a.subject.localeCompare(b.subject));
    draw.groups([list], () => [
      el('h2', { id: 'groups' }, list.length ? `Groups (${list.length})` : 'Groups'),
      list.length === 0
        ? el('p.muted', {}, 'None are known. They are fetched when the account connects.')
        : el(
            'ul.groups',
            {},
            list.map((group) =>
              el(
                'li',
                {},
                el('span', {}, group.subject || group.jid),
                el(
                  'span.small.muted',
                  {},
                  group.participants === 1 ? '1 member' : `${group.participants} members`,
                  group.isAdmin && ' · admin',
                ),
              ),
            ),
          ),
    ]);
  }

  function gone() {
    main.focus();
    main.replaceChildren(
      el(
        'div.card.empty',
        {},
        el('h1', {}, 'No such account'),
        el('p.muted', {}, 'It was deleted, or the address is wrong.'),
        el('a.button', { href: '/' }, 'All accounts'),
      ),
    );
  }
}

function drawMoment({ kind, text, tone, at, raw, times, where, nth }) {
  const when = [time(at, 'since'), ` · ${where}`];
  return el(
    'li',
    { 'data-tone': tone, 'data-kind': kind },
    el('p', {}, text, times > 1 && el('span.muted', {}, ` (${times} times)`)),
    raw
      ? el(
          'details.raw',
          {},
          el('summary', { 'data-focus': `${kind}-${nth}` }, when),
          el('pre', { tabindex: '0' }, raw),
        )
      : el('p.small.muted', {}, when),
  );
}

function asEvent({ type, payload, seq, createdAt }) {
  const [text, tone] = event(type, payload);
  const raw = Object.keys(payload).length > 0 && JSON.stringify(payload, null, 2);
  return { kind: type, text, tone, raw, at: createdAt, nth: seq, where: `event ${seq}` };
}

function asAudit({ action, source, payload, id, createdAt }) {
  return {
    kind: action,
    text: audit(action, source),
    tone: 'idle',
    raw: payload?.raw && String(payload.raw),
    at: createdAt,
    nth: id,
    where: 'audit log',
  };
}

/** A code that nobody scans is followed by others: one line for all of them. */
function gathered(moments) {
  const lines = [];
  for (const moment of moments) {
    const before = lines.at(-1);
    if (before?.kind === moment.kind && ['session.qr', 'session.code'].includes(moment.kind)) before.times += 1;
    else lines.push({ ...moment, times: 1 });
  }
  return lines;
}

/** What is there of these; others may join them. */
const FACTS = [
  ['id', 'Account'],
  ['operatorId', 'Operator'],
  ['desired', 'Wanted'],
  ['deviceJid', 'Device'],
];

function facts(account) {
  const lines = FACTS.filter(([name]) => account[name]).map(([name, title]) => [
    title,
    el('code', {}, String(account[name])),
  ]);
  const { owner } = account;
  if (owner) lines.push(['Run by', `paird ${owner.version} on ${owner.host}, process ${owner.pid}`]);
  lines.push(['Made', exact(account.createdAt)]);
  return lines.map(([title, value]) => el('div', {}, el('dt', {}, title), el('dd', {}, value)));
}
