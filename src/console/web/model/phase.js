// @ts-check
// How each phase of a pairing looks. Which phase it is, the server says. Pure.
import { phone, quoted, sentence } from '../lib/text.js';

/**
 * `step` is how far one is: 1 start, 2 scan, 3 link, 4 done.
 * @import { Account } from './api.js'
 * @typedef {Record<string, any>} Payload
 * @typedef {{ step: number, tone: string, shape: string, title: string, text: string,
 *   small?: string | null | false, raw?: string | null }} Look
 * @typedef {Account['phase']} Phase
 */

/** What an attempt without a link leaves on the phone. @param {Account} account */
const remains = ({ openTickets }) =>
  openTickets > 0 ? 'A device that was linked is being removed from the phone.' : 'Nothing was linked.';

/** @type {Record<Phase, (account: Account, end: Payload | undefined) => Look>} */
const LOOKS = {
  idle: () => ({
    step: 1,
    tone: 'idle',
    shape: 'unpaired',
    title: 'How do you want to link the phone?',
    text: '',
  }),
  starting: () => ({
    step: 1,
    tone: 'busy',
    shape: 'reconnecting',
    title: 'Connecting to WhatsApp…',
    text: 'The code comes in a moment.',
  }),
  retrying: ({ statusText }) => ({
    step: 1,
    tone: 'warn',
    shape: 'reconnecting',
    title: 'Trying again',
    text: `${statusText}. paird tries again by itself, until the time is up.`,
  }),
  scan: () => ({ step: 2, tone: 'busy', shape: 'pending', title: 'Scan this code with the phone', text: '' }),
  code: () => ({ step: 2, tone: 'busy', shape: 'phone', title: 'Type this code on the phone', text: '' }),
  passkey: () => ({
    step: 2,
    tone: 'busy',
    shape: 'phone',
    title: 'WhatsApp asks for a passkey',
    text: 'This number is protected by a passkey. WhatsApp wants it before it links a device.',
  }),
  passkey_confirmation: () => ({
    step: 3,
    tone: 'busy',
    shape: 'phone',
    title: 'Compare the codes',
    text: 'WhatsApp took the passkey. It links as soon as you say that both screens show the same code.',
  }),
  linking: () => ({
    step: 3,
    tone: 'busy',
    shape: 'phone',
    title: 'Scanned. Linking…',
    text: 'WhatsApp is adding paird to the phone. Keep WhatsApp open there.',
  }),
  connected: ({ label, phoneNumber }) => ({
    step: 4,
    tone: 'good',
    shape: 'connected',
    title: 'Connected',
    text: phoneNumber ? `${quoted(label)} is linked with ${phone(phoneNumber)}.` : `${quoted(label)} is linked.`,
  }),
  offline: ({ statusText }) => ({
    step: 4,
    tone: 'warn',
    shape: 'reconnecting',
    title: 'Linked, but offline',
    text: `${statusText}. paird connects again by itself.`,
  }),
  held: ({ statusText }) => ({
    step: 4,
    tone: 'bad',
    shape: 'held',
    title: 'Linked, but held',
    text: `${statusText}.`,
  }),
  gone: () => ({
    step: 1,
    tone: 'idle',
    shape: 'deleting',
    title: 'Deleted',
    text: 'This account cannot be paired any more.',
  }),
  duplicate: ({ statusText }, end) => ({
    step: 2,
    tone: 'warn',
    shape: 'held',
    title: 'This phone is linked already',
    text: end
      ? `${phone(end.phoneNumber)} is linked to ${quoted(end.existingLabel)}. Unpair that account first, or scan with another phone.`
      : `${statusText}.`,
    small:
      'The link was refused before WhatsApp made it: the phone lists no new device, and the other account was not touched.',
  }),
  wrong_phone: ({ statusText }, end) => ({
    step: 2,
    tone: 'warn',
    shape: 'held',
    title: 'Another phone scanned',
    text: end
      ? `${phone(end.phoneNumber)} scanned, but ${phone(end.expectedPhone)} is expected. Scan with that phone.`
      : `${statusText}.`,
    small: 'The link was refused: the phone that scanned lists no new device.',
  }),
  timeout: (account) => ({
    step: 2,
    tone: 'warn',
    shape: 'clock',
    title: 'Time is up',
    text: `${account.statusText}. ${remains(account)}`,
    small: account.advice && `${sentence(account.advice)}.`,
  }),
  cancelled: (account) => ({
    step: 1,
    tone: 'idle',
    shape: 'unpaired',
    title: 'Cancelled',
    text: remains(account),
  }),
  failed: ({ statusText, statusRaw, advice }) => ({
    step: 2,
    tone: 'bad',
    shape: 'refused',
    title: 'Pairing failed',
    text: `${statusText}.`,
    raw: statusRaw,
    small: advice && `${sentence(advice)}.`,
  }),
};

/**
 * `end` is the payload of the event that ended the attempt, which follows the account's row in a moment.
 * @param {Phase} phase @param {Account} account @param {Payload} [end]
 */
export const look = (phase, account, end) => LOOKS[phase](account, end);
