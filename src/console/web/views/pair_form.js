// @ts-check
// What an attempt is to be: by QR or by code, and with which phone.
import { el, once } from '../lib/dom.js';
import { phone } from '../lib/text.js';
import { messageOf } from '../model/api.js';

/**
 * @typedef {{ method: 'qr' | 'code', wrong: string }} FormState
 * @param {{ state: FormState, lastPhone: string | null | undefined, set: (state: FormState) => void,
 *   start: (args: object) => Promise<unknown> }} form
 */
export function pairForm({ state: { method, wrong }, lastPhone, set, start }) {
  const isByCode = method === 'code';

  async function submit(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    await once(/** @type {Element} */ (event.submitter), async () => {
      try {
        await start(argsOf(new FormData(form)));
        set({ method, wrong: '' });
      } catch (error) {
        set({ method, wrong: plain(messageOf(error)) });
        /** @type {HTMLElement | null} */ (form.querySelector(isByCode ? '#phone' : '[type=submit]'))?.focus();
      }
    });
  }

  /** @param {'qr' | 'code'} value @param {string} title @param {string} text */
  const option = (value, title, text) =>
    el(
      'label',
      {},
      el('input', {
        type: 'radio',
        name: 'method',
        value,
        checked: value === 'qr',
        onchange: () => set({ method: value, wrong: '' }),
      }),
      el('span', {}, el('b', {}, title), el('span', {}, text)),
    );

  return el(
    'form.stack.request',
    { onsubmit: submit },
    el(
      'fieldset',
      {},
      el('legend.unseen', {}, 'Way of linking'),
      el(
        'div.choice',
        {},
        option('qr', 'Scan a QR code', 'The phone’s camera reads it from this screen.'),
        option(
          'code',
          'Type a code',
          'For a phone whose camera cannot see this screen: eight characters to type there.',
        ),
      ),
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
        autocomplete: 'off',
        inputmode: 'tel',
        placeholder: '+43 660 1234567',
        'aria-describedby': 'phone-hint request-wrong',
      }),
      el('p.hint', { id: 'phone-hint' }, 'With the country code. The code works on this phone only.'),
    ),
    el(
      'details.more',
      { hidden: isByCode },
      el('summary', {}, 'Accept one number only'),
      el(
        'div.field',
        {},
        el('label', { for: 'expect' }, 'Expected number'),
        el('input', {
          id: 'expect',
          name: 'expect',
          type: 'tel',
          autocomplete: 'off',
          inputmode: 'tel',
          'aria-describedby': 'expect-hint',
          placeholder: phone(lastPhone),
        }),
        el('p.hint', { id: 'expect-hint' }, 'If another phone scans, the link is refused. Leave empty to accept any.'),
      ),
    ),
    el('p.wrong', { role: 'alert', id: 'request-wrong' }, wrong),
    el(
      'div.row',
      {},
      el('button.primary', { type: 'submit', 'data-action': 'start' }, isByCode ? 'Get code' : 'Show QR code'),
    ),
  );
}

/** @param {FormData} form */
function argsOf(form) {
  const text = (/** @type {string} */ name) => String(form.get(name)).trim();
  if (text('method') === 'code') return { method: 'code', phone: text('phone') };
  return text('expect') ? { expectPhone: text('expect') } : {};
}

/** "account.pair: phone: phone number is empty" without what only a program wants to know. @param {string} message */
function plain(message) {
  const words = message.replace(/^account\.pair: (phone: |expectPhone: )?/, '');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
