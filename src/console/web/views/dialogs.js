// @ts-check
// Questions, asked in a native <dialog>: it traps the focus, closes on Escape and gives the focus back.
import { byId, el, once } from '../lib/dom.js';
import { phone, quoted } from '../lib/text.js';
import * as api from '../model/api.js';
import { messageOf } from '../model/api.js';

/**
 * @import { Account } from '../model/api.js'
 * @typedef {Record<string, string>} Values
 * @typedef {{ title: string, body: import('../lib/dom.js').Children, button: string, danger?: boolean,
 *   submit: (values: Values) => Promise<unknown>, isOnlyShown?: boolean }} Question
 */

/**
 * Resolves once `submit` went well or the dialog was closed. A refusal is shown in the dialog, which stays open.
 * @param {Question} question @returns {Promise<void>}
 */
export function ask({ title, body, button, danger = false, submit, isOnlyShown = false }) {
  const wrong = el('p.wrong', { role: 'alert' });
  const go = el(danger ? 'button.danger' : 'button.primary', { type: 'submit' }, button);
  const form = /** @type {HTMLFormElement} */ (
    el(
      'form',
      { method: 'dialog' },
      el('h2', { id: 'question', tabindex: '-1', autofocus: true }, title),
      body,
      wrong,
      el('div.row', {}, !isOnlyShown && el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), go),
    )
  );
  const dialog = /** @type {HTMLDialogElement} */ (el('dialog', { 'aria-labelledby': 'question' }, form));
  async function send() {
    wrong.textContent = '';
    try {
      await submit(/** @type {Values} */ (Object.fromEntries(new FormData(form))));
      dialog.close();
    } catch (error) {
      wrong.textContent = messageOf(error);
      dialog.querySelector('input')?.focus();
    }
  }
  form.onsubmit = (event) => {
    event.preventDefault();
    once(go, send);
  };
  document.body.append(dialog);
  dialog.showModal();
  /** @type {HTMLElement | null} */ (dialog.querySelector('input[autofocus]'))?.focus();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      dialog.remove();
      // What had the focus before may be gone.
      if (document.activeElement === document.body) byId('main').focus();
      resolve();
    };
  });
}

/** Something to read. @param {string} title @param {import('../lib/dom.js').Children} body */
export function show(title, body) {
  const close = () => dialog.close();
  const dialog = /** @type {HTMLDialogElement} */ (
    el(
      'dialog',
      { 'aria-labelledby': 'question' },
      el(
        'div.stack',
        {},
        el('h2', { id: 'question', tabindex: '-1', autofocus: true }, title),
        body,
        el('div.row', {}, el('button', { type: 'button', onclick: close }, 'Close')),
      ),
    )
  );
  document.body.append(dialog);
  dialog.showModal();
  dialog.onclose = () => dialog.remove();
}

/** @param {string} value @param {boolean} [autofocus] */
export const labelField = (value, autofocus = true) =>
  el(
    'div.field',
    {},
    el('label', { for: 'label' }, 'Name'),
    el('input', {
      id: 'label',
      name: 'label',
      value,
      required: true,
      maxlength: '200',
      autocomplete: 'off',
      autofocus,
    }),
    el('p.hint', {}, 'What people call it here: a place, a team, a till. The phone does not see it.'),
  );

/** The new account, if one was made. */
export async function add() {
  /** @type {Account | null} */
  let made = null;
  await ask({
    title: 'Add an account',
    body: labelField(''),
    button: 'Add',
    submit: async ({ label }) => {
      made = await api.add(label.trim());
    },
  });
  return /** @type {Account | null} */ (made);
}

/** @param {Account} account */
export const rename = (account) =>
  ask({
    title: `Rename ${quoted(account.label)}`,
    body: labelField(account.label),
    button: 'Rename',
    submit: ({ label }) => api.rename(account.id, label.trim()),
  });

/** @param {string} address @param {boolean} hasLogin */
export function proxyFields(address, hasLogin) {
  const loginHint = hasLogin
    ? 'User and password are set and are never shown. Type them again, even if you only change the address; if left empty, they are removed.'
    : 'Only if the proxy requires them. They are sealed and never shown again.';
  return [
    el(
      'div.field',
      {},
      el('label', { for: 'proxy-url' }, 'Address'),
      el('input', {
        id: 'proxy-url',
        name: 'url',
        value: address,
        autocomplete: 'off',
        autocapitalize: 'none',
        spellcheck: 'false',
        placeholder: 'socks5://10.0.0.7:1080',
        autofocus: true,
        'aria-describedby': 'proxy-url-hint',
      }),
      el(
        'p.hint',
        { id: 'proxy-url-hint' },
        'socks5://host:port or http://host:port. Leave it empty to connect directly.',
      ),
    ),
    el(
      'div.field',
      {},
      el('label', { for: 'proxy-user' }, 'User'),
      el('input', {
        id: 'proxy-user',
        name: 'user',
        autocomplete: 'off',
        autocapitalize: 'none',
        spellcheck: 'false',
      }),
    ),
    el(
      'div.field',
      {},
      el('label', { for: 'proxy-password' }, 'Password'),
      el('input', {
        id: 'proxy-password',
        name: 'password',
        type: 'password',
        autocomplete: 'new-password',
        'aria-describedby': 'proxy-login-hint',
      }),
      el('p.hint', { id: 'proxy-login-hint' }, loginHint),
    ),
  ];
}

/** @param {string} id @param {Values} values As the fields have them: empty ones end the use of a proxy. */
export const saveProxy = (id, { url, user, password }) =>
  url.trim() || user || password
    ? api.setProxy(id, { url: url.trim(), ...(user || password ? { user, password } : {}) })
    : api.forgetProxy(id);

/** @param {Account} account */
export const proxy = (account) =>
  ask({
    title: `Proxy of ${quoted(account.label)}`,
    body: [
      proxyFields(account.proxy ?? '', account.proxyHasLogin),
      el(
        'p.note',
        { 'data-tone': 'idle' },
        isLinked(account)
          ? 'The account needs a new connection for this: paird disconnects and reconnects it at once. The phone keeps the link.'
          : 'It is used from the next connection on.',
      ),
    ],
    button: 'Save',
    submit: (values) => saveProxy(account.id, values),
  });

/** @param {Account} account */
export const deviceName = (account) =>
  ask({
    title: `Name of ${quoted(account.label)} on the phone`,
    body: el(
      'div.field',
      {},
      el('label', { for: 'device-name' }, 'Name'),
      el('input', {
        id: 'device-name',
        name: 'name',
        value: account.deviceName ?? '',
        maxlength: '40',
        autocomplete: 'off',
        autofocus: true,
        'aria-describedby': 'device-name-hint',
      }),
      el(
        'p.hint',
        { id: 'device-name-hint' },
        'The phone lists it under Linked devices. It learns the name when it is paired: a phone that is linked now shows the former one until it is paired again. Leave it empty for paird’s default name.',
      ),
    ),
    button: 'Save',
    submit: ({ name }) => (name.trim() ? api.setDeviceName(account.id, name.trim()) : api.forgetDeviceName(account.id)),
  });

/** A changed proxy is used at once where there is a connection, or one is wanted. @param {Account} account */
const isLinked = (account) => ['pending', 'connected', 'reconnecting', 'held'].includes(account.status);

/** @param {string} value @param {string} title @param {string} text */
export const option = (value, title, text, checked = false) =>
  el(
    'label',
    {},
    el('input', { type: 'radio', name: 'logout', value, checked, autofocus: checked }),
    el('span', {}, el('b', {}, title), el('span', {}, text)),
  );

/** @param {Account} account @param {(args: { logout: boolean }) => Promise<unknown>} submit */
export function unpair(account, submit) {
  return ask({
    title: `Unpair ${quoted(account.label)}?`,
    body: el(
      'fieldset',
      {},
      el('legend.unseen', {}, 'What happens on the phone'),
      el(
        'div.choice',
        {},
        option(
          'no',
          'Disconnect only',
          'The phone keeps “paird” under Linked devices, and the keys are kept, sealed. Resume connects again without a QR code.',
          true,
        ),
        option(
          'yes',
          'Disconnect and log out',
          'WhatsApp removes “paird” from the phone’s Linked devices, and then the keys are erased. To use the account again, scan a new QR code.',
        ),
      ),
    ),
    button: 'Unpair',
    danger: true,
    submit: ({ logout }) => submit({ logout: logout === 'yes' }),
  });
}

/** @param {Account} account @param {() => Promise<unknown>} submit */
export function remove(account, submit) {
  const number = account.phoneNumber ?? account.lastPhoneNumber;
  const onPhone = account.phoneNumber
    ? `On the phone ${phone(number)}, WhatsApp removes “paird” from Linked devices. If WhatsApp cannot be reached, paird keeps trying for 14 days.`
    : number
      ? `If the phone ${phone(number)} still lists “paird” under Linked devices, WhatsApp removes it there.`
      : 'No phone is linked, so nothing changes on a phone.';
  return ask({
    title: `Delete ${quoted(account.label)}?`,
    body: el(
      'ul.effects',
      {},
      el('li', {}, 'The account disappears from the lists at once. This cannot be undone.'),
      el('li', {}, onPhone),
      number &&
        el('li', {}, 'The keys are erased only after WhatsApp has confirmed. Chats on the phone stay as they are.'),
    ),
    button: 'Delete account',
    danger: true,
    submit,
  });
}
