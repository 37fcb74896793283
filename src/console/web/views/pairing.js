// @ts-check
// Pairing, live: one view for each phase, changed without a reload.
import { time } from '../lib/clock.js';
import { el, once, patch, shape, speak, toast } from '../lib/dom.js';
import { quoted } from '../lib/text.js';
import { soonest } from '../lib/time.js';
import { entitle } from '../lib/title.js';
import * as api from '../model/api.js';
import { needDaemon } from '../model/figures.js';
import { history } from '../model/history.js';
import { look } from '../model/phase.js';
import { listAddress } from '../model/place.js';
import * as rounds from '../model/rounds.js';
import * as store from '../model/store.js';
import { gone } from './gone.js';
import { pairForm } from './pair_form.js';
import { sendLink } from './pairing_link.js';
import { code, passkey, qr } from './pairing_views.js';

/**
 * @import { Account } from '../model/api.js'
 * @import { Look, Phase } from '../model/phase.js'
 */

const STEPS = ['Start', 'Scan', 'Link', 'Done'];
const STEPS_BY_CODE = STEPS.with(1, 'Code');

/** @param {HTMLElement} main @param {string} id */
export function pairing(main, id) {
  const past = history(id);
  const args = `paird.pair.${id}`;
  /** What the row does not say, and of which event and QR code it is. */
  const shown = { code: '', codeSeq: 0, picture: '', pictureAt: '' };
  /** @type {{ form: import('./pair_form.js').FormState, wrongAnswer: string, isAnew: boolean, status: string, phase: string }} */
  const page = { form: { method: 'qr', wrong: '' }, wrongAnswer: '', isAnew: false, status: '', phase: '' };
  const set = (/** @type {Partial<typeof page>} */ changes) => {
    Object.assign(page, changes);
    draw();
  };

  const report = (/** @type {unknown} */ error) => api.statusOf(error) > 404 && toast(api.messageOf(error), 'bad');
  /**
   * @template {api.Event['type']} Type
   * @param {Type} type
   */
  const last = (type) =>
    /** @type {Extract<api.Event, { type: Type }> | undefined} */ (past.all().findLast((event) => event.type === type));
  /** What the event says that ended an attempt with this phase. @param {Phase} phase */
  const end = (phase) => last(/** @type {api.Event['type']} */ (`session.${phase}`))?.payload;

  store.begun.on(() => past.read().then(draw, report));
  store.happened.on((event) => event.accountId === id && past.take(event).then(draw, report));

  /** The stream says neither code nor picture: each is read once. @param {Account} account */
  function readShown(account) {
    const seq = account.phase === 'code' ? (last('session.code')?.seq ?? 0) : 0;
    if (seq !== shown.codeSeq) {
      Object.assign(shown, { code: '', codeSeq: seq });
      const take = (/** @type {Account} */ { pairCode }) => {
        if (seq === shown.codeSeq) shown.code = pairCode ?? '';
        draw();
      };
      // It is read again with the next second.
      if (seq) api.one(id).then(take, () => (shown.codeSeq = 0));
    }
    const at = account.qr?.at ?? '';
    if (at !== shown.pictureAt) {
      Object.assign(shown, { picture: '', pictureAt: at });
      const take = (/** @type {string} */ picture) => {
        if (at === shown.pictureAt) shown.picture = picture;
        draw();
      };
      // A code that WhatsApp has taken back is gone before the page hears of it.
      if (at) api.qr(id).then(take, () => {});
    }
  }

  function draw() {
    const account = store.accounts.get(id);
    if (!store.accounts.isComplete) return;
    if (!account) return patch(main, gone());
    if (account.status !== page.status) page.isAnew = false;
    page.status = account.status;
    readShown(account);
    const isChosenAnew = page.isAnew && ['unpaired', 'reconnecting', 'held'].includes(account.status);
    const phase = isChosenAnew ? 'idle' : account.phase;
    const now = look(phase, account, end(phase));
    const isOther = page.phase !== '' && page.phase !== phase;
    if (isOther) Object.assign(page, { form: { method: 'qr', wrong: '' }, wrongAnswer: '' });
    page.phase = phase;
    entitle(`${now.title} · ${account.label}`);
    patch(
      main,
      el(
        'div.stack',
        {},
        el('a.back', { href: `/accounts/${id}` }, shape('back'), 'Account'),
        el('h1', {}, `Pair ${quoted(account.label)}`),
        round(id, draw),
      ),
      el('ol.steps', { 'aria-label': 'Progress', 'data-tone': now.tone }, steps(phase, now)),
      el(
        'section.card.face',
        { 'aria-labelledby': 'phase', 'data-phase': phase, 'data-tone': now.tone },
        el('div.phase', { 'data-key': phase }, drawPhase(phase, now, account)),
      ),
      phase !== 'connected' &&
        phase !== 'gone' &&
        el(
          'p.elsewhere',
          {},
          'Is the phone somewhere else? ',
          button('send-link', 'Send a link', (target) => sendOne(target, account), '.quiet'),
        ),
    );
    if (isOther) speak(`${now.title}. ${now.text}`);
  }

  /** @param {Phase} phase @param {Look} now @param {Account} account */
  function drawPhase(phase, now, account) {
    const { title, text } = now;
    const { pairDeadline, nextRetryAt } = account;
    const askAgain = account.setback && lastArgs().method === 'code' && phase === 'scan';
    const rejected = account.setback && {
      text: account.setback,
      again: askAgain && button('code-again', 'Ask for a code again', (target) => run(target, 'account.pair', lastArgs())),
    };
    const hero = (/** @type {import('../lib/dom.js').Child[]} */ ...more) =>
      el(
        'div.hero',
        {},
        shape(now.shape),
        el('h2', { id: 'phase' }, title),
        text && el('p', {}, text),
        now.small && el('p.small.muted', {}, now.small),
        more,
      );
    const whenOver = pairDeadline && el('p.small.muted.over', {}, 'Time left to pair: ', time(pairDeadline, 'left'));
    const cancel = button('cancel', 'Cancel', (target) => run(target, 'account.cancel'));
    switch (phase) {
      case 'scan':
        return qr(account, shown.picture, { title, rejected, whenOver, cancel });
      case 'code':
        return code(shown.code, { title, rejected, whenOver, cancel });
      case 'passkey':
      case 'passkey_confirmation': {
        const asked = last('session.passkey')?.payload;
        const end = soonest(pairDeadline, asked?.expiresAt);
        return [
          el('div.titled', {}, shape(now.shape), el('h2', { id: 'phase' }, title)),
          el('p', {}, text),
          passkey({
            asked,
            wrong: page.wrongAnswer,
            setWrong: (wrongAnswer) => set({ wrongAnswer }),
            answer: (args, button) => run(button, 'account.passkey', args),
            cancel,
          }),
          end && el('p.small.muted.over', {}, 'Time left to answer: ', time(end, 'left')),
        ];
      }
      case 'starting':
      case 'retrying':
      case 'linking':
        return hero(
          el('div.progress'),
          nextRetryAt && el('p.small', {}, 'Next try ', time(nextRetryAt, 'until')),
          whenOver,
          el('div.row', {}, cancel),
        );
      case 'idle':
        return [
          el('h2', { id: 'phase' }, title),
          pairForm({ state: page.form, lastPhone: account.lastPhoneNumber, set: (form) => set({ form }), start }),
        ];
      case 'connected':
        return hero(
          el(
            'div.row',
            {},
            el('a.button.primary', { href: `/accounts/${id}` }, 'Open account'),
            el('a.button', { href: '/' }, 'All accounts'),
          ),
        );
      case 'gone':
        return hero(el('a.button', { href: '/' }, 'All accounts'));
      default:
        return hero(
          now.raw && el('details.raw', {}, el('summary', {}, 'WhatsApp’s own words'), el('pre', {}, now.raw)),
          el(
            'div.row',
            {},
            button('again', 'Pair again', (target) => run(target, 'account.pair', lastArgs()), '.primary'),
            button('other', 'Another way', chooseAnew),
          ),
        );
    }
  }

  function chooseAnew() {
    set({ isAnew: true });
    main.querySelector('input')?.focus();
  }

  async function start(/** @type {object} */ wanted) {
    await needDaemon();
    sessionStorage.setItem(args, JSON.stringify(wanted));
    await api.command(id, 'account.pair', wanted);
  }

  /** "Again" asks for the same as the last time from this tab; the expected number stays. */
  function lastArgs() {
    const asked = sessionStorage.getItem(args);
    if (asked) return JSON.parse(asked);
    const wrong = last('session.wrong_phone');
    return wrong ? { expectPhone: wrong.payload.expectedPhone } : {};
  }

  /** @param {Element} button @param {Account} account */
  async function sendOne(button, account) {
    try {
      await once(button, () => sendLink(account));
    } catch (error) {
      toast(api.messageOf(error), 'bad');
    }
  }

  /** @param {Element} button @param {string} kind @param {object} [args] */
  async function run(button, kind, args = {}) {
    try {
      await once(button, async () => {
        if (kind === 'account.pair') await needDaemon();
        await api.command(id, kind, args);
      });
    } catch (error) {
      toast(api.messageOf(error), 'bad');
    }
  }

  return draw;
}

/** One of several to be paired: which, and the way to the next one. @param {string} id @param {() => void} draw */
function round(id, draw) {
  const place = rounds.place(id);
  const leave = () => {
    rounds.end();
    draw();
  };
  return (
    place &&
    el(
      'div.row.round',
      { 'data-fact': 'round' },
      el('p.muted', {}, `Account ${place.nth} of ${place.of} to pair`),
      el(
        'div.row',
        {},
        place.next && button('leave', 'Leave the others', leave, '.quiet'),
        place.next
          ? el('a.button', { href: `/accounts/${place.next}/pair`, 'data-action': 'next' }, 'Next account')
          : el('a.button', { href: listAddress(), onclick: rounds.end, 'data-action': 'next' }, 'All accounts'),
      ),
    )
  );
}

/** @param {string} action @param {string} text @param {(target: Element) => void} work */
const button = (action, text, work, look = '') =>
  el(
    `button${look}`,
    {
      type: 'button',
      'data-action': action,
      onclick: (/** @type {MouseEvent} */ event) => work(/** @type {Element} */ (event.currentTarget)),
    },
    text,
  );

/** @param {Phase} phase @param {Look} now */
const steps = (phase, { step }) =>
  (phase === 'code' ? STEPS_BY_CODE : STEPS).map((text, at) => {
    const state = at + 1 < step || phase === 'connected' ? 'done' : at + 1 === step ? 'now' : 'next';
    return el('li', { 'data-state': state, 'aria-current': state === 'now' && 'step' }, text);
  });
