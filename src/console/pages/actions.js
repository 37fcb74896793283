// What can be done with an account, by its status; and doing it.
import * as api from './api.js';
import * as dialogs from './dialogs.js';
import { el, once, toast } from './dom.js';
import { closeAround } from './menu.js';
import { sentence } from './words.js';

/** An account that was unpaired without a logout has its keys still. */
const isParked = (account) =>
  account.status === 'unpaired' && account.statusReason === 'operator' && account.lastPhoneNumber;

const pair = (text, wanted = true) => ({ name: 'pair', text, wanted, to: (account) => `/accounts/${account.id}/pair` });
const resume = (text) => ({ name: 'resume', text, wanted: true, run: (account) => send(account, 'account.resume') });
const cancel = { name: 'cancel', text: 'Cancel pairing', run: (account) => send(account, 'account.cancel') };
const reconnect = {
  name: 'reconnect',
  text: 'Connect again',
  run: (account) => send(account, 'account.reconnect'),
};
const proxy = { name: 'proxy', text: 'Change proxy', run: (account) => dialogs.proxy(account) };
const deviceName = { name: 'device-name', text: 'Change name', run: (account) => dialogs.deviceName(account) };
const groups = { name: 'groups', text: 'Fetch groups again', run: (account) => send(account, 'groups.sync') };
const rename = { name: 'rename', text: 'Rename', run: (account) => dialogs.rename(account) };
const unpair = {
  name: 'unpair',
  text: 'Unpair',
  danger: true,
  run: (account) => dialogs.unpair(account, (args) => send(account, 'account.unpair', args)),
};
const remove = {
  name: 'delete',
  text: 'Delete',
  danger: true,
  run: (account) => dialogs.remove(account, () => send(account, 'account.delete')),
};

/** `wanted` is what one most likely came for. */
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

/** What can be done about its connections. */
export function connectionActions(account) {
  if (account.status === 'deleting') return [];
  const isLinked = ['connected', 'reconnecting'].includes(account.status);
  return isLinked ? [proxy, deviceName, reconnect] : [proxy, deviceName];
}

/** Sends it, and says how it ended; a refusal is thrown for a dialog to show. */
async function send(account, kind, args) {
  const result = await api.command(account.id, kind, args);
  toast(`${account.label}: ${sentence(result)}.`);
}

/** A button, or a link that looks like one. */
export function control(action, account, look = '') {
  const spec = `${look}${action.danger ? '.danger' : ''}`;
  const marks = { 'data-action': action.name, 'data-focus': action.name };
  const about = el('span.unseen', {}, ` «${account.label}»`);
  if (action.to) return el(`a.button${spec}`, { ...marks, href: action.to(account) }, action.text, about);
  return el(
    `button${spec}`,
    { ...marks, type: 'button', onclick: (event) => act(event.currentTarget, action, account) },
    action.text,
    about,
  );
}

async function act(button, action, account) {
  closeAround(button);
  try {
    await once(button, () => action.run(account));
  } catch (error) {
    toast(`${account.label}: ${error.message}`, 'bad');
  }
}
