// @ts-check
// What can be done with an account, which the server says; and doing it.
import { el, once, toast } from '../lib/dom.js';
import { closeAround } from '../lib/menu.js';
import { quoted, sentence } from '../lib/text.js';
import * as api from '../model/api.js';
import * as dialogs from './dialogs.js';
import { sendLink } from './pairing_link.js';
import { editDesiredPhone, editTags } from './tags.js';

/**
 * @import { Account } from '../model/api.js'
 * @typedef {{ name: string, text: string, isDangerous?: boolean, to?: string, run?: () => Promise<unknown> }} Action
 */

/** Sends it, and says how it ended; a refusal is thrown for a dialog to show. @param {Account} account @param {string} kind @param {object} [args] */
async function send(account, kind, args) {
  const result = await api.command(account.id, kind, args);
  toast(`${account.label}: ${sentence(result)}.`);
}

/** The controls of commands; the passkey's is on the pairing page. @type {Record<string, (account: Account) => Action>} */
const COMMANDS = {
  'account.pair': ({ id, status }) => ({
    name: 'pair',
    text: status === 'pending' ? 'Show pairing' : status === 'unpaired' ? 'Pair' : 'Pair again',
    to: `/accounts/${id}/pair`,
  }),
  'account.resume': (account) => ({
    name: 'resume',
    text: account.status === 'reconnecting' ? 'Try now' : 'Resume',
    run: () => send(account, 'account.resume'),
  }),
  'account.cancel': (account) => ({
    name: 'cancel',
    text: 'Cancel pairing',
    run: () => send(account, 'account.cancel'),
  }),
  'groups.sync': (account) => ({
    name: 'groups',
    text: 'Fetch groups again',
    run: () => send(account, 'groups.sync'),
  }),
  'account.unpair': (account) => ({
    name: 'unpair',
    text: 'Unpair',
    isDangerous: true,
    run: () => dialogs.unpair(account, (args) => send(account, 'account.unpair', args)),
  }),
  'account.delete': (account) => ({
    name: 'delete',
    text: 'Delete',
    isDangerous: true,
    run: () => dialogs.remove(account, () => send(account, 'account.delete')),
  }),
};

/**
 * What one most likely came for, if anything, and the rest; what cannot be taken back is last.
 * @param {Account} account @returns {{ wanted: Action | undefined, more: Action[] }}
 */
export function actions(account) {
  const offered = account.actions.flatMap((kind) => COMMANDS[kind]?.(account) ?? []);
  if (offered.length === 0) return { wanted: undefined, more: [] };
  const link = { name: 'send-link', text: 'Send a link', run: () => sendLink(account) };
  const rename = { name: 'rename', text: 'Rename', run: () => dialogs.rename(account) };
  const tags = { name: 'tags', text: 'Tags', run: () => editTags(account) };
  const wanted = offered.find(({ name }) => name === 'pair' || name === 'resume');
  const rest = offered.filter((action) => action !== wanted);
  return {
    wanted,
    more: [...rest.filter((each) => !each.isDangerous), link, rename, tags, ...rest.filter((each) => each.isDangerous)],
  };
}

/** @param {Account} account @returns {Action[]} */
export function connectionActions(account) {
  if (account.actions.length === 0) return [];
  /** @type {Action[]} */
  const settings = [
    { name: 'proxy', text: 'Change proxy', run: () => dialogs.proxy(account) },
    { name: 'device-name', text: 'Change name', run: () => dialogs.deviceName(account) },
    { name: 'desired-phone', text: 'Change number', run: () => editDesiredPhone(account) },
  ];
  const reconnect = { name: 'reconnect', text: 'Connect again', run: () => send(account, 'account.reconnect') };
  return account.actions.includes('account.reconnect') ? [...settings, reconnect] : settings;
}

/** A button, or a link that looks like one. @param {Action} action @param {Account} account */
export function control(action, account, look = '') {
  const spec = `${look}${action.isDangerous ? '.danger' : ''}`;
  const about = el('span.unseen', {}, ` ${quoted(account.label)}`);
  const marks = { 'data-key': action.name, 'data-action': action.name };
  if (action.to) return el(`a.button${spec}`, { ...marks, href: action.to }, action.text, about);
  const onclick = (/** @type {MouseEvent} */ event) =>
    act(/** @type {Element} */ (event.currentTarget), action, account);
  return el(`button${spec}`, { ...marks, type: 'button', onclick }, action.text, about);
}

/** @param {Element} button @param {Action} action @param {Account} account */
async function act(button, action, account) {
  closeAround(button);
  try {
    await once(button, () => action.run?.());
  } catch (error) {
    toast(`${account.label}: ${api.messageOf(error)}`, 'bad');
  }
}
