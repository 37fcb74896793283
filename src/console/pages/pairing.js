// Pairing, live: one face for each phase, changed without a reload.
import * as api from './api.js';
import * as live from './live.js';
import { el, once, part, shape, speak, toast } from './dom.js';
import { code, passkey, qr } from './faces.js';
import { time } from './clock.js';
import { history } from './history.js';
import { request } from './request.js';
import { CHOICE, ending, mayHaveCode, phase } from './phase.js';

const STEPS = ['Start', 'Scan', 'Link', 'Done'];
const STEPS_BY_CODE = STEPS.with(1, 'Code');

export function pairing(main, id) {
  const known = { account: null, code: null, codeSeq: 0, anew: false, isRead: false };
  const past = history(id);
  const head = el('div.stack');
  const steps = el('ol.steps', { 'aria-label': 'Progress' });
  const face = el('section.card.face', { 'aria-labelledby': 'phase' });
  main.replaceChildren(head, steps, face);
  const draw = { head: part(head), steps: part(steps), face: part(face) };
  let name = '';

  live.onAccounts(() => {
    const account = live.account(id);
    if (!account) return gone();
    const before = known.account?.status;
    known.account = account;
    if (before === account.status) return update();
    known.anew = false;
    // The status may say that an attempt is over; how it ended is said by its event alone.
    return readEvents();
  });
  live.onEvent((event) => event.accountId === id && readEvents());
  live.onBack(readEvents);

  /** The row says which phase it is; only the events say how an attempt ended. */
  async function readEvents() {
    try {
      await past.read();
      known.isRead = true;
      update();
    } catch (error) {
      if (error.status > 401) toast(error.message, 'bad');
    }
  }

  /** The list does not say the code; the account by itself does. */
  async function readCode() {
    try {
      known.code = (await api.one(id)).pairCode;
      if (known.code) update();
    } catch (error) {
      if (error.status > 404) toast(error.message, 'bad');
    }
  }

  function update() {
    const { account } = known;
    if (!account || !known.isRead) return;
    const told = past.all().findLast((event) => event.type === 'session.code')?.seq ?? 0;
    // A code that ran out is followed by another one.
    if (!mayHaveCode(account) || told !== known.codeSeq) known.code = null;
    known.codeSeq = told;
    if (mayHaveCode(account) && !known.code) readCode();
    const isAnew = known.anew && ['unpaired', 'reconnecting', 'held'].includes(account.status);
    const now = isAnew ? CHOICE : phase({ ...account, pairCode: known.code }, ending(past.all()));
    document.title = `${now.title} · ${account.label} · paird`;
    draw.head([account.label], () => [
      el('a.back', { href: `/accounts/${id}` }, shape('back'), 'Account'),
      el('h1', {}, `Pair «${account.label}»`),
    ]);
    steps.dataset.tone = now.tone;
    draw.steps([now.step, now.name], () =>
      (now.name === 'code' ? STEPS_BY_CODE : STEPS).map((step, at) => {
        const state = at + 1 < now.step || now.name === 'connected' ? 'done' : at + 1 === now.step ? 'now' : 'next';
        return el('li', { 'data-state': state, 'aria-current': state === 'now' ? 'step' : null }, step);
      }),
    );
    face.dataset.phase = now.name;
    face.dataset.tone = now.tone;
    draw.face(factsOf(now), () => drawFace(now));
    if (`${now.name} ${now.step}` !== name) {
      const first = name === '';
      name = `${now.name} ${now.step}`;
      if (!first) speak(`${now.title}. ${now.text}`);
    }
  }

  /** What the face shows, and nothing else: what is typed into it is not to be drawn over. */
  function factsOf(now) {
    const { account } = known;
    const shown = { scan: account.qr, code: known.code, passkey: lastPasskey() };
    return [now, shown[now.name], account.pairDeadline, account.expectPhone, account.nextRetryAt];
  }

  const lastPasskey = () => past.all().findLast((event) => event.type === 'session.passkey');

  function drawFace(now) {
    const { account } = known;
    const titled = (text) => el('h2', { id: 'phase' }, text);
    const big = [
      shape(now.shape),
      titled(now.title),
      now.text && el('p', {}, now.text),
      now.small && el('p.small.muted', {}, now.small),
    ];
    const whenOver =
      account.pairDeadline && el('p.small.muted.over', {}, 'Time left to pair: ', time(account.pairDeadline, 'left'));
    const cancel = el(
      'button',
      {
        type: 'button',
        'data-action': 'cancel',
        'data-focus': 'cancel',
        onclick: (e) => run(e.currentTarget, 'account.cancel'),
      },
      'Cancel',
    );
    switch (now.name) {
      case 'scan':
        return qr({ account, titled, title: now.title, rejected: now.rejected, whenOver, cancel });
      case 'code':
        return code({ code: known.code, titled, title: now.title, rejected: now.rejected, whenOver, cancel });
      case 'passkey':
        return [
          el('div.titled', {}, shape(now.shape), titled(now.title)),
          el('p', {}, now.text),
          passkey({
            asked: lastPasskey()?.payload,
            answer: (args, button) => run(button, 'account.passkey', args),
            cancel,
          }),
          whenOver,
        ];
      case 'starting':
      case 'linking':
        return [
          el(
            'div.hero',
            {},
            big,
            el('div.progress'),
            account.nextRetryAt && el('p.small', {}, 'Next try ', time(account.nextRetryAt, 'until')),
            whenOver,
            el('div.row', {}, cancel),
          ),
        ];
      case 'choose':
        return [titled(now.title), request({ account, start })];
      case 'connected':
        return [
          el(
            'div.hero',
            {},
            big,
            el(
              'div.row',
              {},
              el('a.button.primary', { href: `/accounts/${id}` }, 'Open account'),
              el('a.button', { href: '/' }, 'All accounts'),
            ),
          ),
        ];
      case 'gone':
        return [el('div.hero', {}, big, el('a.button', { href: '/' }, 'All accounts'))];
      default:
        return [
          el(
            'div.hero',
            {},
            big,
            now.raw && el('details.raw', {}, el('summary', {}, 'WhatsApp’s own words'), el('pre', {}, now.raw)),
            el('div.row', {}, again(), other()),
          ),
        ];
    }
  }

  const again = () =>
    el(
      'button.primary',
      {
        type: 'button',
        'data-action': 'again',
        'data-focus': 'again',
        onclick: (e) => run(e.currentTarget, 'account.pair', lastArgs()),
      },
      'Pair again',
    );
  const other = () =>
    el(
      'button',
      {
        type: 'button',
        'data-action': 'other',
        onclick: () => {
          known.anew = true;
          update();
          face.querySelector('input')?.focus();
        },
      },
      'Another way',
    );

  async function start(args) {
    sessionStorage.setItem(`paird.pair.${id}`, JSON.stringify(args));
    await api.command(id, 'account.pair', args);
  }

  /** "Again" asks for the same as the last time from this tab; the number that is expected stays so. */
  function lastArgs() {
    const asked = sessionStorage.getItem(`paird.pair.${id}`);
    if (asked) return JSON.parse(asked);
    const { expectedPhone } = ending(past.all())?.payload ?? {};
    return expectedPhone ? { expectPhone: expectedPhone } : {};
  }

  async function run(button, kind, args = {}) {
    try {
      await once(button, () => api.command(id, kind, args));
    } catch (error) {
      toast(error.message, 'bad');
    }
  }

  function gone() {
    main.focus();
    main.replaceChildren(
      el(
        'div.card.empty',
        {},
        el('h1', {}, 'No such account'),
        el('p.muted', {}, 'It was deleted, or the address is wrong.'),
        el('a.button', { href: '/' }, 'All accounts'),
      ),
    );
  }
}
