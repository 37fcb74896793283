// @ts-check
// What the page of a pairing link says, to somebody who knows nothing of paird. Pure.
import { quoted } from '../lib/text.js';

/**
 * What the server says of the pairing; `phase` is one of an account's phases.
 * @typedef {{ label: string, phase: string, canPair: boolean, isAsked: boolean, qr: string | null, qrAt: string | null,
 *   qrExpiresAt: string | null, code: string | null, deadline: string | null, setback: string | null,
 *   expects: string | null, expiresAt: string }} Pairing
 * @typedef {{ step: number, tone: string, shape: string, title: string, text: string }} Words
 */

const ASK = 'Ask whoever sent you this link.';

/** @type {Record<string, (pairing: Pairing) => Words>} */
const WORDS = {
  idle: () => ({ step: 1, tone: 'idle', shape: 'phone', title: 'How do you want to link the phone?', text: '' }),
  starting: () => ({
    step: 1,
    tone: 'busy',
    shape: 'reconnecting',
    title: 'Connecting to WhatsApp…',
    text: 'The code comes in a moment.',
  }),
  retrying: () => ({
    step: 1,
    tone: 'warn',
    shape: 'reconnecting',
    title: 'Trying again',
    text: 'WhatsApp did not answer. This goes on by itself, until the time is up.',
  }),
  scan: () => ({ step: 2, tone: 'busy', shape: 'pending', title: 'Scan this code with the phone', text: '' }),
  code: () => ({ step: 2, tone: 'busy', shape: 'phone', title: 'Type this code on the phone', text: '' }),
  passkey: () => ({
    step: 2,
    tone: 'warn',
    shape: 'phone',
    title: 'WhatsApp asks for a passkey',
    text: `The number is protected by a passkey, which this page cannot answer. ${ASK}`,
  }),
  passkey_confirmation: () => ({
    step: 3,
    tone: 'warn',
    shape: 'phone',
    title: 'WhatsApp wants the codes compared',
    text: `The phone shows a code, which has to be compared elsewhere. ${ASK}`,
  }),
  linking: () => ({
    step: 3,
    tone: 'busy',
    shape: 'phone',
    title: 'Linking…',
    text: 'WhatsApp is adding the new device. Keep WhatsApp open on the phone.',
  }),
  connected: ({ label }) => ({
    step: 4,
    tone: 'good',
    shape: 'connected',
    title: 'The phone is linked',
    text: `${quoted(label)} is connected. You can close this page.`,
  }),
  duplicate: () => ({
    step: 2,
    tone: 'warn',
    shape: 'held',
    title: 'This phone is linked already',
    text: `It has another link of the same kind, so nothing new was linked. Use another phone, or ask whoever sent you this link.`,
  }),
  wrong_phone: ({ expects }) => ({
    step: 2,
    tone: 'warn',
    shape: 'held',
    title: 'That was another phone',
    text: expects
      ? `A phone whose number ends with ${expects} is expected. Nothing was linked.`
      : 'Another phone is expected. Nothing was linked.',
  }),
  timeout: () => ({
    step: 2,
    tone: 'warn',
    shape: 'clock',
    title: 'Time is up',
    text: 'Nothing was linked. You can try again.',
  }),
  cancelled: () => ({
    step: 1,
    tone: 'idle',
    shape: 'unpaired',
    title: 'Cancelled',
    text: 'Nothing was linked. You can try again.',
  }),
  failed: () => ({
    step: 2,
    tone: 'bad',
    shape: 'refused',
    title: 'It did not work',
    text: 'Nothing was linked. You can try again later.',
  }),
};

const OFFLINE = () => ({
  step: 4,
  tone: 'warn',
  shape: 'reconnecting',
  title: 'A phone is linked',
  text: 'It is not connected at the moment.',
});

/** @param {Pairing} pairing @returns {Words} */
export const words = (pairing) => (WORDS[pairing.phase] ?? OFFLINE)(pairing);

/** The same for every link that opens nothing, whatever the reason. @type {Words} */
export const OVER = {
  step: 0,
  tone: 'idle',
  shape: 'clock',
  title: 'This link opens nothing',
  text: 'It may have been used, have expired or been withdrawn, or been cut off when it was copied. Ask whoever sent it for a new one.',
};

/** @param {string} hash Of the address. @returns {string} Empty if it holds no token. */
export const tokenIn = (hash) => hash.match(/^#([\w-]{43})$/)?.[1] ?? '';
