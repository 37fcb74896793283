// What an attempt is to be: QR or code, and which phone.
import { el, once } from './dom.js';
import { phone } from './words.js';

export function request({ account, start }) {
  const wrong = el('p.wrong', { role: 'alert', id: 'request-wrong' });
  const number = el('input', {
    id: 'phone',
    name: 'phone',
    type: 'tel',
    autocomplete: 'off',
    inputmode: 'tel',
    placeholder: '+43 660 1234567',
    'aria-describedby': 'phone-hint request-wrong',
  });
  const numberField = el(
    'div.field',
    { hidden: true },
    el('label', { for: 'phone' }, 'Number of the phone'),
    number,
    el('p.hint', { id: 'phone-hint' }, 'With the country code. The code works on this phone only.'),
  );
  const expected = el('input', {
    id: 'expect',
    name: 'expect',
    type: 'tel',
    autocomplete: 'off',
    inputmode: 'tel',
    'aria-describedby': 'expect-hint',
    placeholder: account.lastPhoneNumber ? phone(account.lastPhoneNumber) : '',
  });
  const expectedField = el(
    'details.more',
    {},
    el('summary', {}, 'Accept one number only'),
    el(
      'div.field',
      {},
      el('label', { for: 'expect' }, 'Expected number'),
      expected,
      el('p.hint', { id: 'expect-hint' }, 'If another phone scans, the link is refused. Leave empty to accept any.'),
    ),
  );
  const go = el('button.primary', { type: 'submit', 'data-action': 'start', 'data-focus': 'start' }, 'Show QR code');

  const way = (value, title, text, checked) =>
    el(
      'label',
      {},
      el('input', { type: 'radio', name: 'method', value, checked, onchange: choose, 'data-focus': value }),
      el('span', {}, el('b', {}, title), el('span', {}, text)),
    );

  function choose(event) {
    const byCode = event.target.value === 'code';
    numberField.hidden = !byCode;
    number.required = byCode;
    expectedField.hidden = byCode;
    go.textContent = byCode ? 'Get code' : 'Show QR code';
    wrong.textContent = '';
  }

  async function ask(form) {
    wrong.textContent = '';
    try {
      await start(argsOf(new FormData(form)));
    } catch (error) {
      wrong.textContent = plain(error.message);
      (number.required ? number : go).focus();
    }
  }

  return el(
    'form.stack.request',
    {
      onsubmit: (event) => {
        event.preventDefault();
        once(go, () => ask(event.target));
      },
    },
    el(
      'fieldset',
      {},
      el('legend.unseen', {}, 'Way of linking'),
      el(
        'div.choice',
        {},
        way('qr', 'Scan a QR code', 'The phone’s camera reads it from this screen.', true),
        way('code', 'Type a code', 'For a phone whose camera cannot see this screen: eight characters to type there.'),
      ),
    ),
    numberField,
    expectedField,
    wrong,
    el('div.row', {}, go),
  );
}

function argsOf(form) {
  if (form.get('method') === 'code') return { method: 'code', phone: form.get('phone').trim() };
  const expected = form.get('expect').trim();
  return expected ? { expectPhone: expected } : {};
}

/** "account.pair: phone: phone number is empty" without what only a program wants to know. */
function plain(message) {
  const words = message.replace(/^account\.pair: (phone: |expectPhone: )?/, '');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
