// @ts-check
// The page of a pairing link: one account, paired by whoever has the phone. It asks every second, so that a
// phone that slept, or a proxy that holds back what is streamed, misses nothing.
import { everySecond, time } from './lib/clock.js';
import { byId, el, once, patch, shape, speak } from './lib/dom.js';
import { setByServer } from './lib/time.js';
import { OVER, tokenIn, words } from './model/link.js';
import { code, qr } from './views/pairing_views.js';

/**
 * @import { Pairing, Words } from './model/link.js'
 * @typedef {'qr' | 'code'} Method
 */

const STEPS = ['Start', 'Scan', 'Link', 'Done'];
const STEPS_BY_CODE = STEPS.with(1, 'Code');
/** A phone cannot scan its own screen. */
const isPhone = matchMedia('(max-width: 36rem), (pointer: coarse)').matches;

const main = byId('main');
const token = tokenIn(location.hash);
const page = {
  /** @type {Pairing | null} */
  pairing: null,
  etag: '',
  isOver: token === '',
  /** The form is wanted, though there is something else to show. */
  isChosenAnew: false,
  /** @type {Method} */
  method: isPhone ? 'code' : 'qr',
  wrong: '',
  phase: '',
};

/** @param {string} path @param {RequestInit} [options] */
function ask(path, { headers, ...options } = {}) {
  const signed = { Authorization: `Bearer ${token}`, ...headers };
  return fetch(path, { cache: 'no-store', credentials: 'omit', headers: signed, ...options });
}

async function read() {
  if (page.isOver || document.hidden) return;
  const answer = await ask('/state', { headers: page.etag ? { 'If-None-Match': page.etag } : {} }).catch(() => null);
  byId('lost').hidden = answer !== null && answer.status < 500;
  if (!answer) return;
  setByServer(answer.headers.get('Date'));
  if (answer.status === 404) page.isOver = true;
  if (answer.ok) {
    page.pairing = await answer.json();
    page.etag = answer.headers.get('ETag') ?? '';
  }
}

/** @param {object} wanted */
async function start(wanted) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await ask('/pair', { method: 'POST', headers, body: JSON.stringify(wanted) }).catch(() => null);
  if (!answer?.ok) {
    const problem = await answer?.json().catch(() => null);
    page.wrong = problem?.detail ? sentence(problem.detail) : 'There is no connection at the moment. Try again.';
    // Nothing is read first: the button takes no click before this ends.
    return draw();
  }
  page.isChosenAnew = false;
  page.wrong = '';
  await read();
  draw();
}

/** @param {string} text */
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function draw() {
  const { pairing } = page;
  if (page.isOver) return drawOver();
  if (!pairing) return;
  const isBetween = pairing.isAsked && !page.isChosenAnew;
  const phase = isBetween ? 'starting' : page.isChosenAnew && pairing.canPair ? 'idle' : pairing.phase;
  const now = words({ ...pairing, phase });
  const isOther = page.phase !== '' && page.phase !== phase;
  page.phase = phase;
  document.title = `${now.title} · ${pairing.label}`;
  patch(
    main,
    el('h1', {}, 'Link a phone to ', el('bdi', {}, pairing.label)),
    el('ol.steps', { 'aria-label': 'Progress', 'data-tone': now.tone }, steps(phase, now)),
    el(
      'section.card.face',
      { 'aria-labelledby': 'phase', 'data-phase': phase, 'data-tone': now.tone },
      el('div.phase', { 'data-key': phase }, drawPhase(phase, now, pairing)),
    ),
    el('p.small.muted', {}, 'This link can be used for another ', time(pairing.expiresAt, 'left'), '.'),
  );
  if (isOther) speak(`${now.title}. ${now.text}`);
}

function drawOver() {
  document.title = OVER.title;
  const { shape: name, title, text } = OVER;
  patch(
    main,
    el('section.card.face', { 'data-phase': 'over' }, el('div.hero', {}, shape(name), el('h1', {}, title), el('p', {}, text))),
  );
}

/** @param {string} phase @param {Words} now @param {Pairing} pairing */
function drawPhase(phase, now, pairing) {
  const { title } = now;
  const whenOver =
    pairing.deadline && el('p.small.muted.over', {}, 'Time left: ', time(pairing.deadline, 'left'));
  const other = button('other', 'Another way', chooseAnew);
  const rejected = pairing.setback && { text: pairing.setback, again: null };
  switch (phase) {
    case 'idle':
      return [el('h2', { id: 'phase' }, title), form(pairing)];
    case 'scan': {
      const picture = pairing.qr ? `data:image/svg+xml,${encodeURIComponent(pairing.qr)}` : '';
      const shown = {
        qr: pairing.qrAt ? { at: pairing.qrAt, expiresAt: pairing.qrExpiresAt } : null,
        pairDeadline: pairing.deadline,
      };
      return qr(shown, picture, { title, rejected, whenOver, cancel: other });
    }
    case 'code':
      return code(pairing.code ?? '', { title, rejected, whenOver, cancel: other });
    case 'starting':
    case 'retrying':
    case 'linking':
      return hero(now, el('div.progress'), whenOver);
    default:
      return hero(now, pairing.canPair && el('div.row', {}, button('again', 'Try again', chooseAnew, '.primary')));
  }
}

/** @param {Words} now @param {...import('./lib/dom.js').Child} more */
const hero = ({ shape: name, title, text }, ...more) =>
  el('div.hero', {}, shape(name), el('h2', { id: 'phase' }, title), text && el('p', {}, text), more);

function chooseAnew() {
  page.isChosenAnew = true;
  page.wrong = '';
  draw();
  main.querySelector('input')?.focus();
}

/** @param {Pairing} pairing */
function form({ expects }) {
  const isByCode = page.method === 'code';
  /** @param {Method} value @param {string} title @param {string} text */
  const option = (value, title, text) =>
    el(
      'label',
      {},
      el('input', { type: 'radio', name: 'method', value, checked: value === page.method, onchange: () => choose(value) }),
      el('span', {}, el('b', {}, title), el('span', {}, text)),
    );
  const byCode = option('code', 'Type a code', 'This page shows eight characters, which you type in WhatsApp. Also on this phone.');
  const byQr = option('qr', 'Scan a QR code', 'The phone scans it from this screen, so this page must be open on another device.');
  return el(
    'form.stack.request',
    { onsubmit: submit },
    expects && el('p.note', { 'data-tone': 'busy' }, `Only the phone whose number ends with ${expects} is accepted.`),
    el(
      'fieldset',
      {},
      el('legend.unseen', {}, 'Way of linking'),
      el('div.choice', {}, isPhone ? [byCode, byQr] : [byQr, byCode]),
    ),
    el(
      'div.field',
      { hidden: !isByCode },
      el('label', { for: 'phone' }, 'Number of the phone'),
      el('input', {
        id: 'phone',
        name: 'phone',
        type: 'tel',
        required: isByCode,
        autocomplete: 'tel',
        inputmode: 'tel',
        placeholder: '+43 660 1234567',
        'aria-describedby': 'phone-hint request-wrong',
      }),
      el('p.hint', { id: 'phone-hint' }, 'The number that WhatsApp has there, with the country code.'),
    ),
    el('p.wrong', { role: 'alert', id: 'request-wrong' }, page.wrong),
    el(
      'div.row',
      {},
      el('button.primary', { type: 'submit', 'data-action': 'start' }, isByCode ? 'Get code' : 'Show QR code'),
    ),
  );
}

/** @param {Method} method */
function choose(method) {
  page.method = method;
  page.wrong = '';
  draw();
}

/** @param {SubmitEvent} event */
function submit(event) {
  event.preventDefault();
  const said = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get('phone');
  const wanted = page.method === 'code' ? { phone: String(said).trim() } : {};
  once(/** @type {Element} */ (event.submitter), () => start(wanted));
}

/** @param {string} action @param {string} text @param {() => void} onclick */
const button = (action, text, onclick, look = '') =>
  el(`button${look}`, { type: 'button', 'data-action': action, onclick }, text);

/** @param {string} phase @param {Words} now */
const steps = (phase, { step }) =>
  (phase === 'code' || (phase === 'idle' && page.method === 'code') ? STEPS_BY_CODE : STEPS).map((text, at) => {
    const state = at + 1 < step || phase === 'connected' ? 'done' : at + 1 === step ? 'now' : 'next';
    return el('li', { 'data-state': state, 'aria-current': state === 'now' && 'step' }, text);
  });

async function look() {
  await read();
  draw();
}

let isLooking = false;
everySecond(async () => {
  if (isLooking) return;
  isLooking = true;
  await look().finally(() => (isLooking = false));
});
document.addEventListener('visibilitychange', look);
// Another link, pasted into the same tab.
window.addEventListener('hashchange', () => location.reload());
look();
