// @ts-check
// The phases of a pairing that a person acts on: QR code, code to type, passkey.
import { el } from '../lib/dom.js';
import { bare, inFours, phone, spelt } from '../lib/text.js';
import { left, secondsLeft, soonest } from '../lib/time.js';
import { copyButton } from './copy.js';

/**
 * @import { Account } from '../model/api.js'
 * @import { Children } from '../lib/dom.js'
 * @typedef {{ title: string, rejected?: { text: string, again: HTMLElement | false | null | undefined | '' } | null | '', whenOver: Children, cancel: HTMLElement }} Frame
 */

const bold = (/** @type {string} */ text) => el('b', {}, text);
const titled = (/** @type {string} */ text) => el('h2', { id: 'phase' }, text);
const note = (/** @type {Frame['rejected']} */ rejected) =>
  rejected &&
  el(
    'div.note.stack',
    { 'data-tone': 'warn', 'data-fact': 'setback' },
    el('p', { role: 'alert' }, rejected.text),
    rejected.again && el('div.row', {}, rejected.again),
  );

/** @param {...Children} last */
const hints = (...last) =>
  el(
    'ol.hints',
    {},
    [
      'Open WhatsApp on the phone',
      ['Open ', bold('Settings'), ' (iPhone) or the ', bold('⋮ menu'), ' (Android), then ', bold('Linked devices')],
      ['Tap ', bold('Link a device')],
      ...last,
    ].map((hint) => el('li', {}, hint)),
  );

/** @param {string[]} groups */
const boxed = (groups) =>
  groups.map((group) =>
    el(
      'span',
      {},
      [...group].map((letter) => bold(letter)),
    ),
  );

/** @param {Pick<Account, 'qr' | 'expectPhone' | 'pairDeadline'>} account @param {string} picture @param {Frame} frame */
export function qr({ qr, expectPhone, pairDeadline }, picture, { title, rejected, whenOver, cancel }) {
  const end = soonest(qr?.expiresAt, pairDeadline);
  const isLast = end !== '' && end === pairDeadline;
  const seconds = secondsLeft(end);
  const lifetime = Math.max(1, (Date.parse(end) - Date.parse(qr?.at ?? '')) / 1000);
  return el(
    'div.split',
    {},
    el(
      'figure.scan',
      {},
      el(
        'div.qr',
        { 'data-stale': !picture || seconds === 0 },
        picture && el('img', { id: 'qr', src: picture, alt: 'QR code to scan with WhatsApp', width: 320, height: 320 }),
        el('p.stale', {}, 'A new code comes…'),
      ),
      el('progress', { max: 100, value: Math.min(100, (100 * seconds) / lifetime), 'aria-hidden': 'true' }),
      el('figcaption.small.muted', {}, isLast ? 'The last code, for ' : 'New code in ', el('span', { 'data-expiry': end }, left(end))),
    ),
    el(
      'div.stack',
      {},
      titled(title),
      note(rejected),
      expectPhone && el('p.note', { 'data-tone': 'busy' }, `Only ${phone(expectPhone)} is accepted.`),
      hints('Point the camera at this code'),
      whenOver,
      el('div.row', {}, cancel),
    ),
  );
}

/** @param {string} pairCode @param {Frame} frame */
export function code(pairCode, { title, rejected, whenOver, cancel }) {
  const letters = bare(pairCode);
  return el(
    'div.split.by-code',
    {},
    el(
      'div.code',
      {},
      el('p.unseen', { id: 'spelt' }, `Code: ${spelt(inFours(letters))}`),
      el('p.letters', { id: 'code', 'data-code': letters, 'aria-hidden': 'true' }, boxed(inFours(letters))),
      letters ? copyButton('code', letters) : el('p.muted', {}, 'The code comes in a moment.'),
    ),
    el(
      'div.stack',
      {},
      titled(title),
      note(rejected),
      hints(['Tap ', bold('Link with phone number instead')], 'Type the code'),
      el('p.small.muted', {}, 'WhatsApp also shows a notification on the phone that leads there.'),
      whenOver,
      el('div.row', {}, cancel),
    ),
  );
}

/**
 * @typedef {{ asked: Record<string, any> | undefined, wrong: string, setWrong: (wrong: string) => void,
 *   answer: (args: object, button: Element) => void, cancel: HTMLElement }} Passkey
 */

/** WhatsApp asks at its own origin; the console carries question and answer. @param {Passkey} passkey */
export function passkey(passkey) {
  if (!passkey.asked) return [el('div.progress'), el('div.row', {}, passkey.cancel)];
  return passkey.asked.stage === 'confirm'
    ? confirmation(String(passkey.asked.request?.code ?? ''), passkey)
    : challenge(JSON.stringify(passkey.asked.request, null, 2), passkey);
}

/** @param {string} shown @param {Passkey} passkey */
const confirmation = (shown, { answer, cancel }) =>
  el(
    'form.stack',
    { 'data-key': 'confirm', onsubmit: submitted((_, button) => answer({ confirm: true }, button)) },
    el('p', {}, 'Compare this code with the one on the phone:'),
    el('p.unseen', {}, `Code: ${spelt(inFours(shown))}`),
    el('p.letters', { 'aria-hidden': 'true' }, boxed(inFours(shown))),
    el(
      'div.row',
      {},
      el('button.primary', { type: 'submit', 'data-action': 'confirm' }, 'The codes are the same'),
      cancel,
    ),
  );

/** @param {string} question @param {Passkey} passkey */
function challenge(question, { wrong, setWrong, answer, cancel }) {
  const onsubmit = submitted((form, button) => {
    const field = /** @type {HTMLTextAreaElement} */ (form.querySelector('textarea'));
    const found = problem(field.value);
    setWrong(found);
    if (found) field.focus();
    else answer({ response: JSON.parse(field.value) }, button);
  });
  return el(
    'form.stack',
    { 'data-key': 'challenge', onsubmit },
    el(
      'ol.hints',
      {},
      el('li', {}, 'Copy WhatsApp’s challenge.'),
      el(
        'li',
        {},
        'Answer it in a browser on web.whatsapp.com where the passkey is available (navigator.credentials.get).',
      ),
      el('li', {}, 'Paste the answer, a PublicKeyCredential as JSON, and send it before the time below is over.'),
    ),
    el(
      'details.raw',
      {},
      el('summary', {}, 'WhatsApp’s challenge'),
      el('pre', { id: 'challenge', tabindex: '0' }, question),
    ),
    el('div.row', {}, copyButton('challenge', question)),
    el(
      'div.field',
      {},
      el('label', { for: 'response' }, 'Answer'),
      el('textarea', {
        id: 'response',
        name: 'response',
        rows: '6',
        required: true,
        spellcheck: 'false',
        'aria-describedby': 'response-wrong response-hint',
      }),
      el('p.wrong', { role: 'alert', id: 'response-wrong' }, wrong),
      el('p.hint', { id: 'response-hint' }, 'It goes to WhatsApp as it is; paird does not keep it.'),
    ),
    el('div.row', {}, el('button.primary', { type: 'submit', 'data-action': 'answer' }, 'Send answer'), cancel),
  );
}

/** @param {(form: HTMLFormElement, button: Element) => void} work */
const submitted = (work) => (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  work(/** @type {HTMLFormElement} */ (event.currentTarget), /** @type {Element} */ (event.submitter));
};

/** @param {string} text */
function problem(text) {
  try {
    const answer = JSON.parse(text);
    return typeof answer?.response === 'object' ? '' : 'This is not a PublicKeyCredential: it has no “response”.';
  } catch {
    return 'This is not JSON.';
  }
}
