// @ts-check
// A box to send a text from an account.
import { el, once, speak } from '../lib/dom.js';
import { sentence } from '../lib/text.js';
import * as api from '../model/api.js';
import { draft } from '../model/messages.js';

/** @import { Account, Schemas } from '../model/api.js' */

/**
 * @param {string} id The account's.
 * @param {{ changed: () => void, sent: () => void }} on
 */
export function composer(id, on) {
  const keyOf = draft();
  let wrong = '';

  async function submit(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const typed = new FormData(form);
    /** @type {Schemas['NewMessage']} */
    const message = { to: String(typed.get('to')).trim(), type: 'text', text: { body: String(typed.get('body')) } };
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
        /** @type {HTMLElement | null} */ (form.querySelector(/^To\b/.test(wrong) ? '#to' : '#body'))?.focus();
      }
    });
  }

  /** @param {Account} account */
  return (account) =>
    account.actions.length > 0 &&
    el(
      'form.stack.compose',
      { onsubmit: submit, 'aria-label': 'Send a message' },
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
      ),
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
