// The faces of a pairing that a person acts on: QR, code, passkey.
import * as api from './api.js';
import { el, toast } from './dom.js';
import { eachSecond, left, secondsLeft } from './clock.js';
import { phone } from './words.js';

const scanning = [
  'Open WhatsApp on the phone',
  [
    'Open ',
    el('b', {}, 'Settings'),
    ' (iPhone) or the ',
    el('b', {}, '⋮ menu'),
    ' (Android), then ',
    el('b', {}, 'Linked devices'),
  ],
  ['Tap ', el('b', {}, 'Link a device')],
];

const hints = (...last) =>
  el(
    'ol.hints',
    {},
    [...scanning, ...last].map((text) => el('li', {}, cloned(text))),
  );
const cloned = (text) => [text].flat().map((piece) => (piece instanceof Node ? piece.cloneNode(true) : piece));

const noteOf = (rejected) => rejected && el('p.note', { 'data-tone': 'warn', role: 'alert' }, rejected);

export function qr({ account, titled, title, rejected, whenOver, cancel }) {
  const frame = el('div.qr', { 'data-stale': true }, el('p.stale', {}, 'A new code comes…'));
  // One that WhatsApp has taken back is gone before the page hears of it.
  api.qr(account.id).then(
    (src) => {
      frame.prepend(el('img', { id: 'qr', src, alt: 'QR code to scan with WhatsApp', width: 320, height: 320 }));
      frame.toggleAttribute('data-stale', secondsLeft(account.qr.expiresAt) === 0);
    },
    () => {},
  );
  const bar = el('progress', { max: '100', 'aria-hidden': 'true' });
  const ends = el('span', { 'data-expiry': account.qr.expiresAt });
  const lasts = Math.max(1, (Date.parse(account.qr.expiresAt) - Date.parse(account.qr.at)) / 1000);
  const stop = eachSecond(() => {
    if (frame.isConnected === false && ends.textContent) return stop();
    const seconds = secondsLeft(account.qr.expiresAt);
    bar.value = Math.min(100, (100 * seconds) / lasts);
    ends.textContent = left(account.qr.expiresAt);
    if (seconds === 0) frame.setAttribute('data-stale', '');
  });
  return el(
    'div.split',
    {},
    el('figure.scan', {}, frame, bar, el('figcaption.small.muted', {}, 'New code in ', ends)),
    el(
      'div.stack',
      {},
      titled(title),
      noteOf(rejected),
      account.expectPhone && el('p.note', { 'data-tone': 'busy' }, `Only ${phone(account.expectPhone)} is accepted.`),
      hints('Point the camera at this code'),
      whenOver,
      el('div.row', {}, cancel),
    ),
  );
}

/** Codes are read in fours, without the dash between them; more at once do not fit on a phone. */
const bare = (text) => text.replace(/[^0-9a-z]/gi, '');
const inFours = (text) => bare(text).match(/.{1,4}/g) ?? [];
const boxed = (group) =>
  el(
    'span',
    {},
    [...group].map((letter) => el('b', {}, letter)),
  );
/** For who hears it. */
const spelt = (groups) => groups.map((group) => [...group].join(' ')).join(', ');

export function code({ code: shown, titled, title, rejected, whenOver, cancel }) {
  const letters = bare(shown ?? '');
  const groups = inFours(letters);
  const copy = el(
    'button',
    {
      type: 'button',
      'data-focus': 'copy',
      onclick: async () => {
        await navigator.clipboard.writeText(letters).then(
          () => toast('The code is copied.'),
          () => toast('This browser does not let pages copy.', 'bad'),
        );
      },
    },
    'Copy code',
  );
  return el(
    'div.split.by-code',
    {},
    el(
      'div.code',
      {},
      el('p.unseen', { id: 'spelt' }, `Code: ${spelt(groups)}`),
      el(
        'p.letters',
        { id: 'code', 'data-code': letters, 'aria-hidden': 'true' },
        groups.map(boxed),
      ),
      shown ? copy : el('p.muted', {}, 'The code comes in a moment.'),
    ),
    el(
      'div.stack',
      {},
      titled(title),
      noteOf(rejected),
      hints(['Tap ', el('b', {}, 'Link with phone number instead')], 'Type the code'),
      el('p.small.muted', {}, 'WhatsApp also shows a notification on the phone that leads there.'),
      whenOver,
      el('div.row', {}, cancel),
    ),
  );
}

/** WhatsApp asks at its own origin; the console carries question and answer. */
export function passkey({ asked, answer, cancel }) {
  if (!asked) return [el('div.progress'), el('div.row', {}, cancel)];
  if (asked.stage === 'confirm') {
    const groups = inFours(String(asked.request?.code ?? ''));
    return el(
      'form.stack',
      {
        onsubmit: (event) => {
          event.preventDefault();
          answer({ confirm: true }, event.submitter);
        },
      },
      el('p', {}, 'Compare this code with the one on the phone:'),
      el('p.unseen', {}, `Code: ${spelt(groups)}`),
      el('p.letters', { 'aria-hidden': 'true' }, groups.map(boxed)),
      el(
        'div.row',
        {},
        el('button.primary', { type: 'submit', 'data-action': 'confirm' }, 'The codes are the same'),
        cancel,
      ),
    );
  }
  const text = JSON.stringify(asked.request, null, 2);
  const wrong = el('p.wrong', { role: 'alert', id: 'response-wrong' });
  const field = el('textarea', {
    id: 'response',
    name: 'response',
    rows: '6',
    required: true,
    spellcheck: 'false',
    'aria-describedby': 'response-wrong response-hint',
    'data-focus': 'response',
  });
  return el(
    'form.stack',
    {
      onsubmit: (event) => {
        event.preventDefault();
        wrong.textContent = problem(field.value);
        if (wrong.textContent) field.focus();
        else answer({ response: JSON.parse(field.value) }, event.submitter);
      },
    },
    el(
      'ol.hints',
      {},
      el('li', {}, 'Copy WhatsApp’s challenge.'),
      el(
        'li',
        {},
        'Answer it in a browser on web.whatsapp.com where the passkey is available (navigator.credentials.get).',
      ),
      el('li', {}, 'Paste the answer, a PublicKeyCredential as JSON, and send it within 3 minutes.'),
    ),
    el(
      'details.raw',
      {},
      el('summary', {}, 'WhatsApp’s challenge'),
      el('pre', { id: 'challenge', tabindex: '0' }, text),
    ),
    el(
      'div.row',
      {},
      el(
        'button',
        {
          type: 'button',
          onclick: () =>
            navigator.clipboard.writeText(text).then(
              () => toast('The challenge is copied.'),
              () => toast('This browser does not let pages copy.', 'bad'),
            ),
        },
        'Copy challenge',
      ),
    ),
    el(
      'div.field',
      {},
      el('label', { for: 'response' }, 'Answer'),
      field,
      wrong,
      el('p.hint', { id: 'response-hint' }, 'It goes to WhatsApp as it is; paird does not keep it.'),
    ),
    el('div.row', {}, el('button.primary', { type: 'submit', 'data-action': 'answer' }, 'Send answer'), cancel),
  );
}

function problem(text) {
  try {
    const answer = JSON.parse(text);
    return answer && typeof answer.response === 'object'
      ? ''
      : 'This is not a PublicKeyCredential: it has no “response”.';
  } catch {
    return 'This is not JSON.';
  }
}
