// @ts-check
// The conversations of an account, and one of them.
import { el, once, patch, shape, speak, toast } from '../lib/dom.js';
import { sentence } from '../lib/text.js';
import { day } from '../lib/time.js';
import { entitle } from '../lib/title.js';
import * as api from '../model/api.js';
import { byDay, byLastMessage, gathered, isOfMessage, merged, shown, titleOf, who } from '../model/messages.js';
import * as store from '../model/store.js';
import { composer } from './compose.js';
import { gone } from './gone.js';
import { cancelButton, moment, outcome, said } from './message.js';

/** @import { Chat, Message } from '../model/api.js' */

/** No event says what a message says: it is read a moment later, once for several. */
const READ_AFTER_MS = 100;
/** Pixels from the end within which one reads what comes last. */
const NEAR_THE_END = 80;

/** @param {HTMLElement} main @param {string} id The account's. @param {string} [jid] The chat that is open. */
export function chats(main, id, jid) {
  /** @type {Chat[]} */
  let list = [];
  /** @type {Message[]} */
  let messages = [];
  let hasOlder = false;
  let hasMoreChats = false;
  let isRead = false;
  /** Why they cannot be read, if the console's login may not. */
  let refusal = '';

  async function read() {
    try {
      const [newestChats, newest] = await Promise.all([
        api.chatsBefore(id, api.NEWEST),
        jid ? api.messagesOf(id, jid, api.NEWEST) : Promise.resolve([]),
      ]);
      if (!isRead) {
        hasMoreChats = newestChats.length === api.CHAT_PAGE;
        hasOlder = newest.length === api.CHAT_PAGE;
      }
      list = byLastMessage(list, newestChats);
      messages = merged(messages, newest);
      [isRead, refusal] = [true, ''];
    } catch (error) {
      if (api.statusOf(error) === 403) refusal = api.messageOf(error);
      else if (api.statusOf(error) > 404) toast(api.messageOf(error), 'bad');
    }
    draw();
  }
  const soon = gathered(read, READ_AFTER_MS);
  const compose = composer(id, { changed: draw, sent: soon }, jid);

  store.begun.on(soon);
  store.happened.on((event) => {
    if (event.accountId !== id) return;
    // The person is the same, under another id.
    if (event.type === 'chat.merged' && event.payload.former === jid) location.replace(addressOf(id, String(event.payload.chat)));
    else if (event.type === 'chat.merged') startAnew();
    else if (isOfMessage(event)) soon();
  });

  function startAnew() {
    [list, messages, isRead] = [[], [], false];
    soon();
  }

  /** @param {MouseEvent} event @param {() => Promise<void>} work @param {string} spoken */
  async function readMore({ currentTarget }, work, spoken) {
    try {
      await once(/** @type {Element} */ (currentTarget), work);
      draw();
      speak(spoken);
    } catch (error) {
      toast(api.messageOf(error), 'bad');
    }
  }

  const older = (/** @type {MouseEvent} */ event) =>
    readMore(
      event,
      async () => {
        const page = await api.messagesOf(id, /** @type {string} */ (jid), messages[0].id);
        hasOlder = page.length === api.CHAT_PAGE;
        messages = merged(messages, page);
      },
      'Older messages are shown.',
    );

  const moreChats = (/** @type {MouseEvent} */ event) =>
    readMore(
      event,
      async () => {
        const page = await api.chatsBefore(id, /** @type {Chat} */ (list.at(-1)).lastMessage.id);
        hasMoreChats = page.length === api.CHAT_PAGE;
        list = byLastMessage(list, page);
      },
      'More conversations are shown.',
    );

  function draw() {
    if (!store.accounts.isComplete) return;
    const account = store.accounts.get(id);
    if (!account) return patch(main, gone());
    const open = list.find((chat) => chat.jid === jid);
    const title = jid && (open ? titleOf(open) : jid);
    entitle(`${title ?? 'Conversations'} · ${account.label}`);
    const pane = main.querySelector('.said-so-far');
    const isAtEnd = !pane || pane.scrollHeight - pane.scrollTop - pane.clientHeight < NEAR_THE_END;
    const first = messages[0]?.id;
    const height = pane?.scrollHeight ?? 0;
    const wasFirst = Number(pane?.querySelector('li[data-key]')?.getAttribute('data-key') ?? first);
    patch(
      main,
      el(
        'div.talk',
        { 'data-open': jid ? 'yes' : 'no' },
        el(
          'section.stack.chats',
          { 'aria-labelledby': 'chats' },
          el('a.back', { href: `/accounts/${id}` }, shape('back'), el('bdi', {}, account.label)),
          el(jid ? 'h2' : 'h1', { id: 'chats' }, 'Conversations'),
          drawChats(),
        ),
        jid &&
          el(
            'section.card.conversation',
            { 'aria-labelledby': 'chat' },
            el('a.back.to-chats', { href: `/accounts/${id}/chats` }, shape('back'), 'Conversations'),
            el('h1', { id: 'chat' }, el('bdi', {}, title)),
            el('div.said-so-far', { tabindex: '0', role: 'region', 'aria-label': 'Messages' }, drawMessages()),
            compose(account),
          ),
      ),
    );
    keepPlace(isAtEnd, first !== wasFirst ? height : 0);
  }

  /** @param {boolean} isAtEnd @param {number} former The height before older messages were put above, or 0. */
  function keepPlace(isAtEnd, former) {
    const pane = main.querySelector('.said-so-far');
    if (!pane) return;
    if (former && !isAtEnd) pane.scrollTop += pane.scrollHeight - former;
    else if (isAtEnd && !former) pane.scrollTop = pane.scrollHeight;
  }

  function drawChats() {
    if (refusal || (isRead && list.length === 0)) return el('p.muted', {}, refusal || 'None yet, as far as messages are kept.');
    return [
      el(
        'ol.card.chat-list',
        {},
        list.map(({ jid: of, phone, name, lastMessage }) =>
          el(
            'li',
            { 'data-key': of },
            el(
              'a',
              { href: addressOf(id, of), 'aria-current': of === jid && 'page' },
              el('b', {}, el('bdi', {}, titleOf({ jid: of, phone, name }))),
              el('span.small.muted', {}, moment(lastMessage)),
              el('span.small.muted.last', {}, lastMessage.direction === 'in' ? '' : 'You: ', el('bdi', {}, shown(lastMessage))),
            ),
          ),
        ),
      ),
      hasMoreChats && el('button.wide', { type: 'button', 'data-action': 'more-chats', onclick: moreChats }, 'Show more'),
    ];
  }

  function drawMessages() {
    if (refusal || (isRead && messages.length === 0)) return el('p.muted', {}, refusal || 'Nothing of it is kept.');
    return [
      hasOlder && el('button.wide', { type: 'button', 'data-action': 'older', onclick: older }, 'Show older'),
      byDay(messages, day).map(({ day: name, messages: ofDay }) =>
        el(
          'section.day',
          { 'data-key': `day ${name}`, 'aria-label': name },
          el('h2.small.muted', {}, name),
          el('ol', {}, ofDay.map(bubble)),
        ),
      ),
    ];
  }

  /** @param {Message} message */
  const bubble = (message) =>
    el(
      'li.bubble',
      { 'data-key': String(message.id), 'data-direction': message.direction, 'data-state': message.state, 'data-kind': message.kind },
      message.direction === 'in' && message.chat !== message.sender && el('p.small', {}, el('b', {}, el('bdi', {}, who(message)))),
      said(message),
      el(
        'p.small.muted',
        {},
        message.direction === 'echo' && 'On the phone · ',
        moment(message),
        outcome(message),
        message.direction === 'in' && message.state !== 'received' && ` · ${sentence(message.stateText)}`,
      ),
      compose.isAllowed() && cancelButton(message, soon),
    );

  return draw;
}

/** @param {string} id @param {string} jid */
const addressOf = (id, jid) => `/accounts/${id}/chats/${encodeURIComponent(jid)}`;
