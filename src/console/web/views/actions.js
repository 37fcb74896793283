// @ts-check
// What can be done with an account, by its status; and doing it.
import { el, once, toast } from '../lib/dom.js';
import { closeAround } from '../lib/menu.js';
import { sentence } from '../lib/text.js';
import * as api from '../model/api.js';
import * as dialogs from './dialogs.js';

/**
 * `wanted` is what one most likely came for.
 * @import { Account } from '../model/api.js'
 * @typedef {{ name: string, text: string, wanted?: boolean, danger?: boolean,
 *   to?: (account: Account) => string, run?: (account: Account) => Promise<unknown> }} Action
 */

/** An account that was unpaired without a logout still has its keys. @param {Account} account */
const isParked = ({ status, statusReason, lastPhoneNumber }) =>
  status === 'unpaired' && statusReason === 'operator' && lastPhoneNumber;

/** Sends it, and says how it ended; a refusal is thrown for a dialog to show. @param {Account} account @param {string} kind @param {object} [args] */
async function send(account, kind, args) {
  const result = await api.command(account.id, kind, args);
  toast(`${account.label}: ${sentence(result)}.`);
}

/** @param {string} text @returns {Action} */
const pair = (text, wanted = true) => ({ name: 'pair', text, wanted, to: (account) => `/accounts/${account.id}/pair` });
/** @param {string} text @returns {Action} */
const resume = (text) => ({ name: 'resume', text, wanted: true, run: (account) => send(account, 'account.resume') });
/** @type {Action} */
const cancel = { name: 'cancel', text: 'Cancel pairing', run: (account) => send(account, 'account.cancel') };
/** @type {Action} */
const reconnect = { name: 'reconnect', text: 'Connect again', run: (account) => send(account, 'account.reconnect') };
/** @type {Action} */
const proxy = { name: 'proxy', text: 'Change proxy', run: dialogs.proxy };
/** @type {Action} */
const deviceName = { name: 'device-name', text: 'Change name', run: dialogs.deviceName };
/** @type {Action} */
const groups = { name: 'groups', text: 'Fetch groups again', run: (account) => send(account, 'groups.sync') };
/** @type {Action} */
const rename = { name: 'rename', text: 'Rename', run: dialogs.rename };
/** @type {Action} */
const unpair = {
  name: 'unpair',
  text: 'Unpair',
  danger: true,
  run: (account) => dialogs.unpair(account, (args) => send(account, 'account.unpair', args)),
};
/** @type {Action} */
const remove = {
  name: 'delete',
  text: 'Delete',
  danger: true,
  run: (account) => dialogs.remove(account, () => send(account, 'account.delete')),
};

/** @param {Account} account @returns {Action[]} */
export function actions(account) {
  switch (account.status) {
    case 'unpaired':
      return isParked(account)
        ? [resume('Resume'), pair('Pair', false), rename, remove]
        : [pair('Pair'), rename, remove];
    case 'pending':
      return [pair('Show pairing'), cancel, rename, remove];
    case 'connected':
      return [groups, rename, unpair, remove];
    case 'reconnecting':
      return [resume('Try now'), pair('Pair again', false), rename, unpair, remove];
    case 'held':
      return [resume('Resume'), pair('Pair again', false), rename, unpair, remove];
    default:
      return [];
  }
}

/** @param {Account} account @returns {Action[]} */
export function connectionActions(account) {
  if (account.status === 'deleting') return [];
  const isLinked = ['connected', 'reconnecting'].includes(account.status);
  return isLinked ? [proxy, deviceName, reconnect] : [proxy, deviceName];
}

/** A button, or a link that looks like one. @param {Action} action @param {Account} account */
export function control(action, account, look = '') {
  const spec = `${look}${action.danger ? '.danger' : ''}`;
  const about = el('span.unseen', {}, ` «${account.label}»`);
  const marks = { 'data-key': action.name, 'data-action': action.name };
  if (action.to) return el(`a.button${spec}`, { ...marks, href: action.to(account) }, action.text, about);
  const onclick = (/** @type {MouseEvent} */ event) =>
    act(/** @type {Element} */ (event.currentTarget), action, account);
  return el(`button${spec}`, { ...marks, type: 'button', onclick }, action.text, about);
}

/** @param {Element} button @param {Action} action @param {Account} account */
async function act(button, action, account) {
  closeAround(button);
  try {
    await once(button, () => action.run?.(account));
  } catch (error) {
    toast(`${account.label}: ${api.messageOf(error)}`, 'bad');
  }
}
