// @ts-check
// An operator's words for an account, and the number that it is for.
import { el } from '../lib/dom.js';
import { phone, quoted } from '../lib/text.js';
import * as api from '../model/api.js';
import { inTags } from '../model/tags.js';
import { ask } from './dialogs.js';

/** @import { Account } from '../model/api.js' */

/** @param {string[]} tags */
export const tagList = (tags) =>
  tags.length > 0 &&
  el(
    'ul.tags',
    { 'aria-label': 'Tags' },
    tags.map((tag) => el('li', {}, el('bdi', {}, tag))),
  );

/** @param {string} id @param {string} name @param {string} label @param {string} value @param {string} hint */
const tagField = (id, name, label, value, hint, autofocus = false) =>
  el(
    'div.field',
    {},
    el('label', { for: id }, label),
    el('input', { id, name, value, autocomplete: 'off', autofocus, 'aria-describedby': `${id}-hint` }),
    el('p.hint', { id: `${id}-hint` }, hint),
  );

/** Asks for the tags of an account. @param {Account} account */
export const editTags = (account) =>
  ask({
    title: `Tags of ${quoted(account.label)}`,
    body: tagField(
      'tags',
      'tags',
      'Tags',
      account.tags.join(', '),
      'Short words with commas between them, up to 20: a team, a region, a campaign. Nobody outside sees them.',
      true,
    ),
    button: 'Save',
    submit: ({ tags }) => api.setTags(account.id, inTags(tags)),
  });

/** For a question about several accounts. */
export const tagChanges = () => [
  tagField('add-tags', 'add', 'Add', '', 'Short words with commas between them.', true),
  tagField('remove-tags', 'remove', 'Remove', '', 'From every account that has them.'),
];

/** Asks for the only number that may be linked. @param {Account} account */
export const editDesiredPhone = (account) =>
  ask({
    title: `Number of ${quoted(account.label)}`,
    body: tagField(
      'desired-phone',
      'number',
      'Only this number may be linked',
      account.desiredPhone ? phone(account.desiredPhone) : '',
      'With its country code. Another phone that scans is refused before it lists a new device. Leave it empty to accept any number.',
      true,
    ),
    button: 'Save',
    submit: ({ number }) =>
      number.trim() ? api.setDesiredPhone(account.id, number.trim()) : api.forgetDesiredPhone(account.id),
  });
