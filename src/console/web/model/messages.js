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
