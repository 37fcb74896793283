// @ts-check
// A box to send a text from an account.
import { el, once, speak } from '../lib/dom.js';
import { sentence } from '../lib/text.js';
import * as api from '../model/api.js';
import * as figures from '../model/figures.js';
import { draft } from '../model/messages.js';

/** @import { Account, Schemas } from '../model/api.js' */

/**
 * @param {string} id The account's.
 * @param {{ changed: () => void, sent: () => void }} on
 * @param {string} [jid] The chat that it is in; without one, the recipient is asked for.
 */
export function composer(id, on, jid) {
  const keyOf = draft();
  let wrong = '';
  /** Whether this page sends, once it is known. @type {boolean | undefined} */
  let isAllowed;

  figures.changed.on(({ pagesSendMessages }) => {
    if (isAllowed === pagesSendMessages) return;
    isAllowed = pagesSendMessages;
    on.changed();
  });

  async function submit(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const typed = new FormData(form);
    /** @type {Schemas['NewMessage']} */
    const message = { to: jid ?? String(typed.get('to')).trim(), type: 'text', text: { body: String(typed.get('body')) } };
    await once(/** @type {Element} */ (event.submitter), async () => {
      try {
        await api.sendMessage(id, message, keyOf(message));
        keyOf.forget();
        wrong = '';
        // The recipient stays: one often has more to say.
        /** @type {HTMLTextAreaElement} */ (form.querySelector('#body')).value = '';
        speak('The message is queued.');
        on.sent();
      } catch (error) {
        wrong = `${sentence(api.messageOf(error))}.`.replace(/\.\.$/, '.');
        on.changed();
        /** @type {HTMLElement | null} */ (form.querySelector(/^To\b/.test(wrong) && !jid ? '#to' : '#body'))?.focus();
      }
    });
  }

  /** @param {Account} account */
  const draw = (account) => {
    if (isAllowed === false) return el('p.small.muted', {}, 'This console is set to read messages, not to send any.');
    return Boolean(isAllowed) && account.actions.length > 0 && form(account);
  };
  draw.isAllowed = () => isAllowed === true;
  return draw;

  /** @param {Account} account */
  function form(account) {
    return el(
      'form.stack.compose',
      { onsubmit: submit, 'aria-label': 'Send a message' },
      !jid && recipient(),
      el(
        'div.field',
        {},
        el('label', { for: 'body' }, 'Text'),
        el('textarea.said', { id: 'body', name: 'body', rows: '2', required: true, 'aria-describedby': 'compose-wrong' }),
      ),
      el('p.wrong', { role: 'alert', id: 'compose-wrong' }, wrong),
      el(
        'div.row',
        {},
        el('button.primary', { type: 'submit', 'data-action': 'send' }, 'Send'),
        account.status !== 'connected' &&
          el('span.small.muted', {}, 'It is kept, and sent as soon as the account is connected.'),
      ),
    );
  }
}

const recipient = () =>
  el(
    'div.field',
    {},
    el('label', { for: 'to' }, 'To'),
    el('input', {
      id: 'to',
      name: 'to',
      required: true,
      maxlength: '100',
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
      placeholder: '+43 660 1234567',
      'aria-describedby': 'to-hint compose-wrong',
    }),
    el('p.hint', { id: 'to-hint' }, 'A number with its country code, or the jid of a group.'),
  );
