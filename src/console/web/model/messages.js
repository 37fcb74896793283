// @ts-check
// The last messages of one account: who wrote them, and what is shown of them.
import { phone } from '../lib/text.js';

/** @import { Event, Message } from './api.js' */

/** Characters of a message that are shown: it may have 65,536, and a stranger wrote it. */
const SHOWN = 500;

/** An event says that there is a message, and not what it says: that is to be read. @param {Pick<Event, 'type'>} event */
export const isOfMessage = ({ type }) => type.startsWith('message.');

/**
 * The number before the name, which people choose themselves.
 * @param {string} jid
 * @param {string | null | undefined} digits
 * @param {string | null | undefined} name
 */
function person(jid, digits, name) {
  const known = digits ? phone(digits) : jid;
  return name?.trim() ? `${known} (${name})` : known;
}

/** @param {Message} message */
export function who({ direction, chat, chatPhone, chatName, sender, senderPhone, senderName }) {
  const from = person(sender, senderPhone, senderName);
  const place = person(chat, chatPhone, chatName);
  if (direction === 'echo') return `From the phone to ${place}`;
  if (direction === 'out') return `To ${place}`;
  return chat === sender ? from : `${from} in ${place}`;
}

/** @param {{ jid: string, phone?: string | null, name?: string | null }} chat */
export const titleOf = ({ jid, phone: digits, name }) => person(jid, digits, name);

/**
 * The messages of a chat that are known now, oldest first. Pages are read in any order, and a message again once it has
 * got further.
 * @template {{ id: number }} T @param {T[]} known @param {T[]} read @returns {T[]}
 */
export function merged(known, read) {
  const byId = new Map([...known, ...read].map((one) => [one.id, one]));
  return [...byId.values()].sort((a, b) => a.id - b.id);
}

/**
 * The chats that are known now, that with the newest message first.
 * @template {{ jid: string, lastMessage: { id: number } }} T @param {T[]} known @param {T[]} read @returns {T[]}
 */
export function byLastMessage(known, read) {
  const byJid = new Map([...known, ...read].map((one) => [one.jid, one]));
  return [...byJid.values()].sort((a, b) => b.lastMessage.id - a.lastMessage.id);
}

/**
 * Messages by the day on which they were sent, in the reader's time; one that waits to be sent is of the day when it was
 * written.
 * @param {Message[]} messages Oldest first.
 * @param {(at: string) => string} dayOf
 * @returns {{ day: string, messages: Message[] }[]}
 */
export function byDay(messages, dayOf) {
  /** @type {{ day: string, messages: Message[] }[]} */
  const days = [];
  for (const message of messages) {
    const day = dayOf(message.sentAt ?? message.createdAt);
    if (days.at(-1)?.day !== day) days.push({ day, messages: [] });
    days.at(-1)?.messages.push(message);
  }
  return days;
}

/** @param {Pick<Message, 'text'>} message */
export function shown({ text }) {
  const letters = [...text];
  return letters.length > SHOWN ? `${letters.slice(0, SHOWN).join('')}…` : text;
}

/** How well a message on its way out does, for its colour. @param {Pick<Message, 'state'>} message */
export const toneOf = ({ state }) => OUTGOING[state] ?? 'idle';

/** @type {Record<string, string>} */
const OUTGOING = { queued: 'busy', sending: 'busy', delivered: 'good', read: 'good', failed: 'bad', expired: 'bad' };

/**
 * The key of what is being written. What is sent again as it was, because an answer was lost, keeps its key and is
 * one message; what was changed gets a new one.
 */
export function draft() {
  let key = '';
  let of = '';
  /** @param {unknown} message */
  function keyOf(message) {
    const now = JSON.stringify(message);
    if (!key || now !== of) [key, of] = [crypto.randomUUID(), now];
    return key;
  }
  keyOf.forget = () => {
    key = '';
  };
  return keyOf;
}

/**
 * Does `work` a moment after it is asked for: once for all that ask until then, and never twice at a time.
 * @param {() => Promise<unknown>} work
 * @param {number} afterMs
 */
export function gathered(work, afterMs) {
  let isAsked = false;
  let isRunning = false;
  async function run() {
    isAsked = false;
    isRunning = true;
    try {
      await work();
    } finally {
      isRunning = false;
      if (isAsked) setTimeout(run, afterMs);
    }
  }
  return () => {
    if (!isAsked && !isRunning) setTimeout(run, afterMs);
    isAsked = true;
  };
}
