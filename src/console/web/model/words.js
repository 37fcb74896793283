// @ts-check
// How statuses, reasons, events and audit records read.
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

/** @type {Record<string, string>} */
const REASONS = {
  new: 'Never paired',
  opening: 'Connecting to WhatsApp',
  waiting_for_scan: 'Waiting for the phone to scan the QR code',
  waiting_for_code: 'Waiting for the code to be typed on the phone',
  waiting_for_passkey: 'WhatsApp asks for a passkey',
  waiting_for_passkey_confirmation: 'WhatsApp shows a code to compare with the phone’s',
  scan_rejected: 'The last scan was not accepted',
  linking: 'The phone has scanned, WhatsApp is linking',
  daemon_restarted: 'paird was restarted and goes on',
  connected: 'Linked and online',
  socket_lost: 'The connection to WhatsApp was lost',
  unreachable: 'WhatsApp cannot be reached',
  server_busy: 'WhatsApp’s server is busy',
  rate_limited: 'WhatsApp says: too many connections',
  restart_required: 'WhatsApp asked for a new connection',
  qr_exhausted: 'Every QR code of this connection was shown; new ones come',
  refused: 'WhatsApp refused the connection',
  store_failed: 'The stored keys could not be read or written',
  logged_out: 'Logged out by the phone or by WhatsApp',
  replaced: 'Another program took the connection over',
  temporary_ban: 'Banned by WhatsApp for some time',
  banned: 'Banned or locked by WhatsApp',
  client_outdated: 'WhatsApp no longer talks to this version of paird',
  keys_unusable: 'The stored keys cannot be used',
  duplicate: 'The phone is linked to another account already',
  wrong_phone: 'Another phone than the expected one scanned',
  timeout: 'Nobody scanned in time',
  cancelled: 'Pairing was cancelled',
  operator: 'Unpaired',
  no_keys: 'There are no stored keys',
  released: 'Handed from one daemon to another',
  hold_over: 'The time of waiting is over',
  resuming: 'Connecting with the stored keys',
  unlinking: 'The device is being removed from the phone',
  deleted: 'Deleted',
};

/** `["Banned by WhatsApp", "403 forbidden"]`: a sentence, and WhatsApp's own words if any. @param {string} text */
export function reason(text) {
  const colon = text.indexOf(': ');
  const word = colon < 0 ? text : text.slice(0, colon);
  if (REASONS[word]) return [REASONS[word], colon < 0 ? '' : text.slice(colon + 2)];
  return [sentence(text), ''];
}

/** @typedef {Record<string, any>} Payload */

/** @type {Record<string, string>} */
const UNLINKED = {
  confirmed: ' WhatsApp has removed the device from the phone.',
  pending: ' The device is being removed from the phone.',
  none: '',
};

const because = (/** @type {Payload} */ payload) => {
  const [words, raw] = reason(payload.reason ?? '');
  return raw ? `${words} (${raw})` : words;
};

/** @type {Record<string, (payload: Payload) => [string, string]>} */
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
  'session.failed': (p) => [`Pairing failed: ${because(p)}`, 'bad'],
  'session.disconnected': (p) => [`Offline: ${because(p)}`, 'warn'],
  'session.logged_out': (p) => [`Logged out: ${because(p)}`, 'bad'],
  'session.held': (p) => [`Held: ${because(p)}`, 'bad'],
  'groups.synced': (p) => [p.count === 1 ? '1 group was fetched' : `${p.count} groups were fetched`, 'idle'],
  'account.unpaired': (p) => [`Unpaired.${UNLINKED[p.unlinked] ?? ''}`, 'idle'],
  'account.deleted': (p) => [`Deleted.${UNLINKED[p.unlinked] ?? ''}`, 'idle'],
  'account.unlinked': () => ['The old device is gone from the phone', 'good'],
  'account.unlink_abandoned': (p) => [`The old device could not be removed from the phone: ${because(p)}`, 'bad'],
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

/** The sentence and the tone of an event. @param {string} kind @param {Payload} payload @returns {[string, string]} */
export function event(kind, payload) {
  return EVENTS[kind]?.(payload) ?? [sentence(kind.replaceAll(/[._]/g, ' ')), 'idle'];
}

/** @type {Record<string, string>} */
const ACTIONS = {
  'account.paired': 'Paired',
  'account.unpaired': 'Unpaired',
  'account.deleted': 'Deleted',
  'account.logged_out': 'Logged out by WhatsApp',
  'account.held': 'Held by WhatsApp',
  'account.unlinked': 'Device removed from the phone',
  'account.unlink_abandoned': 'Device could not be removed from the phone',
  'account.created': 'Added',
  'account.renamed': 'Renamed',
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
