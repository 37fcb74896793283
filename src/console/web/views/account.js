// @ts-check
// One account: how it is, what happened, what can be done.
import { time } from '../lib/clock.js';
import { el, once, patch, shape, speak, toast } from '../lib/dom.js';
import { phone, plural } from '../lib/text.js';
import { exact } from '../lib/time.js';
import { entitle } from '../lib/title.js';
import * as api from '../model/api.js';
import { chronicle } from '../model/history.js';
import { gathered, isOfMessage, who } from '../model/messages.js';
import { listAddress } from '../model/place.js';
import * as store from '../model/store.js';
import { story } from '../model/story.js';
import { STATUS } from '../model/status.js';
import { actions, control } from './actions.js';
import { advice, badge, why } from './badge.js';
import { card } from './card.js';
import { composer } from './compose.js';
import { connectionSettings } from './connection_settings.js';
import { gone } from './gone.js';
import { cancelButton, moment, outcome, said } from './message.js';
import { tagList } from './tags.js';

/** @import { Account, Group, Message } from '../model/api.js' */

/** The audit log is not in the stream: it is read a moment after an event, once for several. */
const AUDIT_AFTER_MS = 200;
/** Nor is what a message says. */
const MESSAGES_AFTER_MS = 100;

/** @param {HTMLElement} main @param {string} id */
export function account(main, id) {
  const past = chronicle(id);
  /** @type {Group[]} */
  let groups = [];
  /** @type {Message[]} */
  let messages = [];
  /** Why the messages cannot be read, if the console's login may not. */
  let refusal = '';
  let status = '';

  const report = (/** @type {unknown} */ error) => api.statusOf(error) > 404 && toast(api.messageOf(error), 'bad');
  /** @param {...Promise<unknown>} reads */
  const drawAfter = (...reads) => Promise.all(reads).then(draw, report);
  const readGroups = () => api.groups(id).then((read) => (groups = read));
  async function readMessages() {
    try {
      messages = await api.lastMessages(id);
      refusal = '';
    } catch (error) {
      if (api.statusOf(error) !== 403) throw error;
      refusal = api.messageOf(error);
    }
  }
  const auditSoon = gathered(() => drawAfter(past.readAudit()), AUDIT_AFTER_MS);
  const messagesSoon = gathered(() => drawAfter(readMessages()), MESSAGES_AFTER_MS);
  const compose = composer(id, { changed: draw, sent: messagesSoon });

  store.begun.on(() => {
    drawAfter(readGroups(), past.read());
    messagesSoon();
  });
  store.happened.on((event) => {
    if (event.accountId !== id) return;
    drawAfter(past.take(event), event.type === 'groups.synced' ? readGroups() : Promise.resolve());
    if (isOfMessage(event)) messagesSoon();
    else auditSoon();
  });

  async function readOlder(/** @type {MouseEvent} */ { currentTarget }) {
    try {
      await once(/** @type {Element} */ (currentTarget), past.older);
      draw();
      speak(past.hasOlder() ? 'Older moments are shown.' : 'All of it is shown.');
    } catch (error) {
      report(error);
    }
  }

  function draw() {
    if (!store.accounts.isComplete) return;
    const account = store.accounts.get(id);
    if (!account) return patch(main, gone());
    entitle(account.label);
    if (status && status !== account.status) speak(`${account.label}: ${STATUS[account.status].word}`);
    status = account.status;
    patch(
      main,
      el('div.stack', {}, el('a.back', { href: listAddress() }, shape('back'), 'Accounts'), summary(account)),
      el(
        'div.columns',
        {},
        el('div.stack', {}, card('messages', drawLastMessages(account)), card('story', drawStory())),
        el(
          'div.stack',
          {},
          card('connection', connectionSettings(account)),
          card('groups', drawGroups()),
          card('details', details(account)),
        ),
      ),
    );
  }

  /** The newest first, like what happened. @param {Account} account */
  const drawLastMessages = (account) => [
    el('div.row.apart', {}, el('h2', { id: 'messages' }, 'Messages'), el('a', { href: `/accounts/${id}/chats` }, 'Conversations')),
    compose(account),
    messages.length === 0 || refusal
      ? el('p.muted', {}, refusal || 'None yet.')
      : el('ol.messages', {}, messages.toReversed().map(drawMessage)),
  ];

  /** @param {Message} message */
  const drawMessage = (message) =>
    el(
      'li',
      { 'data-key': message.id, 'data-direction': message.direction, 'data-state': message.state },
      el('p.small.muted', {}, el('bdi', {}, who(message)), ' · ', moment(message), outcome(message)),
      said(message),
      compose.isAllowed() && cancelButton(message, messagesSoon),
    );

  function drawStory() {
    const lines = story(past.events(), past.audit());
    return [
      el('h2', { id: 'story' }, 'What happened'),
      lines.length === 0 ? el('p.muted', {}, 'Nothing yet.') : el('ol.story', {}, lines.map(drawLine)),
      past.hasOlder() &&
        el('button.wide', { type: 'button', 'data-action': 'older', onclick: readOlder }, 'Show older'),
    ];
  }

  function drawGroups() {
    const list = groups.toSorted((a, b) => a.subject.localeCompare(b.subject));
    return [
      el('h2', { id: 'groups' }, list.length ? `Groups (${list.length})` : 'Groups'),
      list.length === 0
        ? el('p.muted', {}, 'None are known. They are fetched when the account connects.')
        : el('ul.groups', {}, list.map(drawGroup)),
    ];
  }

  return draw;
}

/** @param {Account} account */
function summary(account) {
  const { wanted, more } = actions(account);
  const last = account.lastPhoneNumber ? `Last linked with ${phone(account.lastPhoneNumber)}` : 'No phone yet';
  return el(
    'div.card.stack.summary',
    {},
    el('div.row.apart', {}, el('h1', {}, account.label), badge(account)),
    el('p.number', {}, account.phoneNumber ? phone(account.phoneNumber) : el('span.muted', {}, last)),
    tagList(account.tags),
    el('p', {}, why(account)),
    advice(account) &&
      el('p.note', { 'data-tone': STATUS[account.status].tone }, el('b', {}, 'What to do: '), advice(account)),
    account.sendingPausedUntil &&
      el(
        'p.note',
        { 'data-tone': 'warn', 'data-fact': 'paused' },
        el('b', {}, 'Nothing is sent to new chats: '),
        account.sendingPausedText,
        `. Until ${exact(account.sendingPausedUntil)}.`,
      ),
    account.openTickets > 0 && el('p.small.muted', {}, 'An old device is being removed from the phone.'),
    account.statusRaw &&
      el('details.raw', {}, el('summary', {}, 'WhatsApp’s own words'), el('pre', {}, account.statusReason)),
    (wanted || more.length > 0) &&
      el(
        'div.row.all',
        {},
        wanted && control(wanted, account, '.primary'),
        more.map((action) => control(action, account)),
      ),
  );
}

/** @param {import('../model/story.js').Line} line */
function drawLine({ key, kind, text, tone, at, raw, times, where }) {
  const when = [time(at, 'since'), ` · ${where}`];
  return el(
    'li',
    { 'data-key': key, 'data-tone': tone, 'data-kind': kind },
    el('p', {}, text, times > 1 && el('span.muted', {}, ` (${times} times)`)),
    raw
      ? el('details.raw', {}, el('summary', {}, when), el('pre', { tabindex: '0' }, raw))
      : el('p.small.muted', {}, when),
  );
}

/** @param {Group} group */
const drawGroup = ({ jid, subject, participants, isAdmin }) =>
  el(
    'li',
    { 'data-key': jid },
    el('span', {}, subject || jid),
    el('span.small.muted', {}, plural(participants, 'member'), isAdmin && ' · admin'),
  );

/** @param {Account} account */
function details({ id, operatorId, desired, owner, createdAt }) {
  const daemon = owner && `paird ${owner.version} on ${owner.host}, process ${owner.pid}`;
  const facts = Object.entries({
    Account: id,
    Operator: operatorId,
    Wanted: desired,
    'Run by': daemon,
    Made: exact(createdAt),
  });
  return [
    el('h2', { id: 'details' }, 'Details'),
    el(
      'dl.facts',
      {},
      facts.map(([title, value]) => value && el('div', {}, el('dt', {}, title), el('dd', {}, value))),
    ),
  ];
}
