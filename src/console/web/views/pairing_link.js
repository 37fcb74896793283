// @ts-check
// Pairing links, for whoever has the phone: made in one dialog, shown in the next one, and never again.
import { time } from '../lib/clock.js';
import { el, once, toast } from '../lib/dom.js';
import { quoted } from '../lib/text.js';
import * as api from '../model/api.js';
import { ask } from './dialogs.js';
import { copyButton } from './copy.js';

/** @import { Account, PairingLink } from '../model/api.js' */

const HOUR = 3600;

/** @param {Account} account */
export async function sendLink(account) {
  const links = (await api.links(account.id)).filter(({ state }) => state === 'live');
  /** @type {{ url: string } | null} */
  let made = null;
  await ask({
    title: `Send a link for ${quoted(account.label)}`,
    body: [
      el('p', {}, 'Whoever opens it sees the pairing page of this account, and nothing else. No access token is needed.'),
      validity(account),
      el(
        'details.more',
        {},
        el('summary', {}, 'Limit it'),
        field('link-uses', 'How many times', 'The link ends when a phone was linked so many times.', {
          name: 'uses',
          type: 'number',
          value: '1',
          min: '1',
          max: '100',
          required: true,
        }),
        field('link-expect', 'Expected number', 'If another phone is used, it is refused. Leave empty to accept any.', {
          name: 'expectPhone',
          type: 'tel',
          inputmode: 'tel',
          autocomplete: 'off',
          placeholder: '+43 660 1234567',
        }),
      ),
      links.length > 0 && [
        el('h3', {}, 'Links that can still be used'),
        el(
          'ul.links',
          {},
          links.map((link) => drawLink(account, link)),
        ),
      ],
    ],
    button: 'Make the link',
    submit: async ({ validity: chosen, uses, expectPhone }) => {
      made = await api.makeLink(account.id, {
        ...(chosen === 'attempt' ? { withAttempt: true } : { expiresIn: Number(chosen) }),
        uses: Number(uses),
        ...(expectPhone.trim() ? { expectPhone: expectPhone.trim() } : {}),
      });
    },
  });
  if (made) await show(account, made);
}

/** @param {Account} account @param {{ url: string }} made */
const show = (account, { url }) =>
  ask({
    title: `The link for ${quoted(account.label)}`,
    body: [
      el(
        'div.field',
        {},
        el('label', { for: 'link-url' }, 'Send it to whoever has the phone'),
        el('input', { id: 'link-url', value: url, readonly: true, autofocus: true, spellcheck: 'false' }),
      ),
      el('div.row', {}, copyButton('link', url, 'link-url')),
      el(
        'p.note',
        { 'data-tone': 'warn' },
        'It is shown only now. Whoever has it can link a phone of their own, so send it to one person and publish it nowhere.',
      ),
    ],
    button: 'Done',
    isOnlyShown: true,
    submit: () => Promise.resolve(),
  });

/** @param {Account} account */
function validity({ status }) {
  /** @param {string | number} value @param {string} title @param {string} text */
  const option = (value, title, text, checked = false) =>
    el(
      'label',
      {},
      el('input', { type: 'radio', name: 'validity', value, checked, autofocus: checked }),
      el('span', {}, el('b', {}, title), el('span', {}, text)),
    );
  return el(
    'fieldset',
    {},
    el('legend', {}, 'How long it can be opened'),
    el(
      'div.choice',
      {},
      status === 'pending' && option('attempt', 'During this attempt', 'It ends with the attempt that is running.'),
      option(HOUR, 'For an hour', 'For somebody who is waiting for it.'),
      option(24 * HOUR, 'For a day', 'For whenever there is a moment.', true),
      option(7 * 24 * HOUR, 'For a week', 'For somebody who is away.'),
    ),
  );
}

/** @param {string} id @param {string} label @param {string} hint @param {Record<string, unknown>} attributes */
const field = (id, label, hint, attributes) =>
  el(
    'div.field',
    {},
    el('label', { for: id }, label),
    el('input', { id, ...attributes, 'aria-describedby': `${id}-hint` }),
    el('p.hint', { id: `${id}-hint` }, hint),
  );

/** @param {Account} account @param {PairingLink} link */
function drawLink(account, link) {
  const line = el(
    'li',
    {},
    el(
      'span.small.muted',
      {},
      'Made ',
      time(link.createdAt, 'since'),
      link.firstOpenedAt ? ' · opened' : ' · not opened yet',
      ' · for another ',
      time(link.expiresAt, 'left'),
    ),
    el('button.quiet', { type: 'button', 'data-action': 'revoke-link', onclick: revoke }, 'Revoke', el('span.unseen', {}, ' this link')),
  );
  async function revoke(/** @type {MouseEvent} */ { currentTarget }) {
    try {
      await once(/** @type {Element} */ (currentTarget), () => api.revokeLink(account.id, link.id));
      line.replaceChildren(el('span.small.muted', { role: 'status' }, 'Revoked: it opens nothing any more.'));
    } catch (error) {
      toast(api.messageOf(error), 'bad');
    }
  }
  return line;
}
