// @ts-check
// How statuses, events and audit records read. What a status and a reason mean, the server says.
import { phone, sentence } from '../lib/text.js';

/** @type {Record<string, { word: string, tone: string }>} */
export const STATUS = {
  unpaired: { word: 'Not linked', tone: 'idle' },
  pending: { word: 'Pairing', tone: 'busy' },
  connected: { word: 'Connected', tone: 'good' },
  reconnecting: { word: 'Reconnecting', tone: 'warn' },
  held: { word: 'Held', tone: 'bad' },
  deleting: { word: 'Deleting', tone: 'idle' },
};

/** @typedef {Record<string, any>} Payload */

/** @type {Record<string, string>} */
const UNLINKED = {
  confirmed: ' WhatsApp has removed the device from the phone.',
  pending: ' The device is being removed from the phone.',
  none: '',
};

/** @type {Record<string, (payload: Payload, why: string) => [string, string]>} */
const EVENTS = {
  'session.qr': () => ['A QR code was shown', 'busy'],
  'session.code': () => ['A code to type was shown', 'busy'],
  'session.passkey': (p) => [
    p.stage === 'confirm' ? 'WhatsApp asked to compare a code' : 'WhatsApp asked for a passkey',
    'busy',
  ],
  'session.connected': (p) => [p.phoneNumber ? `Connected as ${phone(p.phoneNumber)}` : 'Connected', 'good'],
  'session.duplicate': (p) => [`Refused: ${phone(p.phoneNumber)} is linked to «${p.existingLabel}» already`, 'warn'],
  'session.wrong_phone': (p) => [
    `Refused: ${phone(p.phoneNumber)} scanned, ${phone(p.expectedPhone)} was expected`,
    'warn',
  ],
  'session.timeout': () => ['Pairing ended: nobody scanned in time', 'warn'],
  'session.cancelled': (p) => [
    p.reason === 'superseded' ? 'Pairing was started anew' : 'Pairing was cancelled',
    'idle',
  ],
  'session.failed': (_, why) => [`Pairing failed: ${why}`, 'bad'],
  'session.disconnected': (_, why) => [`Offline: ${why}`, 'warn'],
  'session.logged_out': (_, why) => [`Logged out: ${why}`, 'bad'],
  'session.held': (_, why) => [`Held: ${why}`, 'bad'],
  'groups.synced': (p) => [p.count === 1 ? '1 group was fetched' : `${p.count} groups were fetched`, 'idle'],
  'account.unpaired': (p) => [`Unpaired.${UNLINKED[p.unlinked] ?? ''}`, 'idle'],
  'account.deleted': (p) => [`Deleted.${UNLINKED[p.unlinked] ?? ''}`, 'idle'],
  'account.unlinked': () => ['The old device is gone from the phone', 'good'],
  'account.unlink_abandoned': (_, why) => [`The old device could not be removed from the phone: ${why}`, 'bad'],
  'command.failed': (p) => [`${COMMANDS[p.kind] ?? p.kind} failed: ${p.reason}`, 'bad'],
};

/** @type {Record<string, string>} */
const COMMANDS = {
  'account.pair': 'Pairing',
  'account.cancel': 'Cancelling',
  'account.passkey': 'The passkey answer',
  'account.unpair': 'Unpairing',
  'account.resume': 'Resuming',
  'account.reconnect': 'Connecting again',
  'account.delete': 'Deleting',
  'groups.sync': 'Fetching the groups',
};

/** The sentence and the tone of an event. @param {import('./api.js').Event} event @returns {[string, string]} */
export const event = ({ type, payload, reasonText }) =>
  EVENTS[type]?.(payload, reasonText ?? '') ?? [sentence(type.replaceAll(/[._]/g, ' ')), 'idle'];

/** @type {Record<string, string>} */
const ACTIONS = {
  'account.paired': 'Paired',
  'account.unpaired': 'Unpaired',
  'account.deleted': 'Deleted',
  'account.logged_out': 'Logged out by WhatsApp',
  'account.held': 'Held by WhatsApp',
  'account.unlinked': 'Device removed from the phone',
  'account.unlink_abandoned': 'Device could not be removed from the phone',
  'account.added': 'Added',
  'account.renamed': 'Renamed',
  'account.proxied': 'Proxy changed',
  'account.device_named': 'Device name changed',
  'account.presence_set': 'Presence changed',
  'account.resumed': 'Resumed',
  'account.cancelled': 'Pairing cancelled',
  'account.passkey_answered': 'Passkey answered',
  'account.duplicate_refused': 'Phone refused: linked to another account',
  'account.wrong_phone_refused': 'Phone refused: another one was expected',
  'session.disconnected': 'Connection lost',
};
/** @type {Record<string, string>} */
const SOURCES = {
  web: 'the web app',
  cli: 'the command line',
  console: 'the console',
  api: 'the API',
  notify: 'a notification',
  paird: '',
};

/** @param {string} action @param {string} source */
export function audit(action, source) {
  const who = SOURCES[source] ?? source;
  const what = ACTIONS[action] ?? sentence(action.replaceAll(/[._]/g, ' '));
  return who ? `${what}, asked by ${who}` : what;
}
