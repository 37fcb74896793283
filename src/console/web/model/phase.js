// @ts-check
// Where a pairing stands, by the account's row and the end of its last attempt. Pure.
import { phone, sentence } from '../lib/text.js';
import { reason } from './words.js';

/**
 * `step` is how far one is: 1 start, 2 scan, 3 link, 4 done.
 * @import { Account, Event } from './api.js'
 * @typedef {{ name: string, step: number, tone: string, shape: string, title: string, text: string,
 *   small?: string | null | false, raw?: string, rejected?: string | false }} Phase
 */

const ENDINGS = [
  'session.connected',
  'session.duplicate',
  'session.wrong_phone',
  'session.timeout',
  'session.cancelled',
  'session.failed',
];
/** These end a link, so an attempt that ended before them is an old story. */
const LATER = ['account.unpaired', 'session.logged_out'];

/** How the last attempt ended, if nothing came after; events are oldest first. @param {Event[]} events */
export function ending(events) {
  const last = events.findLast((event) => ENDINGS.includes(event.type) || LATER.includes(event.type));
  return last && ENDINGS.includes(last.type) ? last : null;
}

/** Before an attempt, and between two. @type {Phase} */
export const CHOICE = {
  name: 'choose',
  step: 1,
  tone: 'idle',
  shape: 'unpaired',
  title: 'How do you want to link the phone?',
  text: '',
};

/** @param {Account} account @param {Event | null | undefined} end @returns {Phase} */
export function phase(account, end) {
  switch (account.status) {
    case 'pending':
      return pending(account);
    case 'connected':
      return {
        name: 'connected',
        step: 4,
        tone: 'good',
        shape: 'connected',
        title: 'Connected',
        text: account.phoneNumber
          ? `«${account.label}» is linked with ${phone(account.phoneNumber)}.`
          : `«${account.label}» is linked.`,
      };
    case 'reconnecting':
      return {
        name: 'linked',
        step: 4,
        tone: 'warn',
        shape: 'reconnecting',
        title: 'Linked, but offline',
        text: `${reason(account.statusReason)[0]}. paird connects again by itself.`,
      };
    case 'held':
      return {
        name: 'linked',
        step: 4,
        tone: 'bad',
        shape: 'held',
        title: 'Linked, but held',
        text: `${reason(account.statusReason)[0]}.`,
      };
    case 'deleting':
      return {
        name: 'gone',
        step: 1,
        tone: 'idle',
        shape: 'deleting',
        title: 'Deleted',
        text: 'This account cannot be paired any more.',
      };
    default:
      return unpaired(account, end);
  }
}

/** A code to type is on the row, or about to be; a QR may stand beside it. @param {Account} account */
export function mayHaveCode({ status, statusReason }) {
  return status === 'pending' && /^(waiting_for_code|scan_rejected)\b/.test(statusReason);
}

/** @param {Account} account @returns {Phase} */
function pending(account) {
  const [words, raw] = reason(account.statusReason);
  const word = account.statusReason.split(':')[0];
  if (word === 'linking') {
    return {
      name: 'linking',
      step: 3,
      tone: 'busy',
      shape: 'phone',
      title: 'Scanned. Linking…',
      text: 'WhatsApp is adding paird to the phone. Keep WhatsApp open there.',
    };
  }
  if (word === 'waiting_for_passkey_confirmation') {
    return {
      name: 'passkey',
      step: 3,
      tone: 'busy',
      shape: 'phone',
      title: 'Compare the codes',
      text: 'WhatsApp took the passkey. It links as soon as you say that both screens show the same code.',
    };
  }
  if (word.startsWith('waiting_for_passkey')) {
    return {
      name: 'passkey',
      step: 2,
      tone: 'busy',
      shape: 'phone',
      title: 'WhatsApp asks for a passkey',
      text: 'This number is protected by a passkey. WhatsApp wants it before it links a device.',
    };
  }
  const rejected = word === 'scan_rejected' && `The last try was not accepted${raw ? ` (${raw})` : ''}. Try again.`;
  if (account.pairCode || word === 'waiting_for_code') {
    return {
      name: 'code',
      step: 2,
      tone: 'busy',
      shape: 'phone',
      title: 'Type this code on the phone',
      text: '',
      rejected,
    };
  }
  if (account.qr) {
    return {
      name: 'scan',
      step: 2,
      tone: 'busy',
      shape: 'pending',
      title: 'Scan this code with the phone',
      text: '',
      rejected,
    };
  }
  const trouble = !['opening', 'daemon_restarted', 'waiting_for_scan', 'waiting_for_code'].includes(word);
  return {
    name: 'starting',
    step: 1,
    tone: trouble ? 'warn' : 'busy',
    shape: 'reconnecting',
    title: trouble ? 'Trying again' : 'Connecting to WhatsApp…',
    text: trouble ? `${words}. paird tries again by itself, until the time is up.` : 'The code comes in a moment.',
  };
}

/** @param {Account} account @param {Event | null | undefined} end @returns {Phase} */
function unpaired(account, end) {
  const told = /** @type {Record<string, any>} */ (end?.payload ?? {});
  switch (end?.type) {
    case 'session.duplicate':
      return {
        name: 'duplicate',
        step: 2,
        tone: 'warn',
        shape: 'held',
        title: 'This phone is linked already',
        text: `${phone(told.phoneNumber)} is linked to «${told.existingLabel}». Unpair that account first, or scan with another phone.`,
        small:
          'The link was refused before WhatsApp made it: the phone lists no new device, and the other account was not touched.',
      };
    case 'session.wrong_phone':
      return {
        name: 'wrong-phone',
        step: 2,
        tone: 'warn',
        shape: 'held',
        title: 'Another phone scanned',
        text: `${phone(told.phoneNumber)} scanned, but ${phone(told.expectedPhone)} is expected. Scan with that phone.`,
        small: 'The link was refused: the phone that scanned lists no new device.',
      };
    case 'session.timeout':
      return {
        name: 'timeout',
        step: 2,
        tone: 'warn',
        shape: 'clock',
        title: 'Time is up',
        text: 'Nobody scanned in time. Nothing was linked.',
      };
    case 'session.cancelled':
      return {
        name: 'cancelled',
        step: 1,
        tone: 'idle',
        shape: 'unpaired',
        title: 'Cancelled',
        text: 'Nothing was linked.',
      };
    case 'session.failed': {
      const [words, raw] = reason(told.reason ?? '');
      return {
        name: 'failed',
        step: 2,
        tone: 'bad',
        shape: 'refused',
        title: 'Pairing failed',
        text: `${words}.`,
        raw,
        small: account.advice && `${sentence(account.advice)}.`,
      };
    }
    default:
      return CHOICE;
  }
}
