// @ts-check
// Accounts as CSV: in, after a check that does nothing, and out.
import { el, patch, toast } from '../lib/dom.js';
import { plural } from '../lib/text.js';
import * as api from '../model/api.js';
import { mistakesOf } from '../model/tags.js';
import { ask } from './dialogs.js';

const MISTAKES_SHOWN = 20;
const LABELS_SHOWN = 5;

/**
 * A link that saves the accounts that these parameters of the list choose, such as `status=held&tag=vip`.
 * @param {string} [query]
 */
export const exportLink = (query = '') =>
  el('a.button', { href: api.exportPath(query), download: 'accounts.csv', 'data-action': 'export', title: 'All accounts, as a file for a spreadsheet' }, 'Export CSV');

/** Asks for a file, checks it, says what it would add, and adds it. Resolves to how many accounts were added. */
export async function importAccounts() {
  // One file is added once, however often the button is pressed or the answer is lost.
  const key = crypto.randomUUID();
  const file = /** @type {HTMLInputElement} */ (
    el('input', { id: 'file', type: 'file', accept: '.csv,text/csv', required: true, 'aria-describedby': 'file-hint' })
  );
  const mistakes = el('ul.effects', { 'data-fact': 'mistakes' });
  /** @type {import('../model/api.js').ImportedAccounts | null} */
  let checked = null;
  let text = '';
  await ask({
    title: 'Add accounts from a file',
    body: [
      el(
        'div.field',
        {},
        el('label', { for: 'file' }, 'CSV file'),
        file,
        el(
          'p.hint',
          { id: 'file-hint' },
          'The first line names the columns: label, and if wanted expect_phone, proxy, operator, tags and device_name. Nothing is added before the whole file is right.',
        ),
      ),
      mistakes,
    ],
    button: 'Check the file',
    submit: async () => {
      patch(mistakes);
      text = (await file.files?.[0]?.text()) ?? '';
      try {
        checked = await api.importAccounts(text, { dryRun: true, key });
      } catch (error) {
        patch(
          mistakes,
          mistakesOf(api.problemOf(error), MISTAKES_SHOWN).map((line) => el('li', {}, line)),
        );
        throw error;
      }
    },
  });
  // The compiler does not see that the dialog sets it.
  const accounts = /** @type {import('../model/api.js').ImportedAccounts | null} */ (checked)?.accounts ?? [];
  if (accounts.length === 0) return 0;
  let added = 0;
  const more = accounts.length - LABELS_SHOWN;
  await ask({
    title: `Add ${plural(accounts.length, 'account')}?`,
    body: el(
      'ul.effects',
      {},
      accounts.slice(0, LABELS_SHOWN).map(({ label }) => el('li', {}, el('bdi', {}, label))),
      more > 0 && el('li.muted', {}, `and ${more} more`),
    ),
    button: 'Add',
    submit: async () => {
      added = (await api.importAccounts(text, { key })).accounts.length;
    },
  });
  if (added > 0) toast(`${plural(added, 'account')} added.`);
  return added;
}
