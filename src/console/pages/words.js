// How statuses, reasons, events and audit lines read. The server's own advice is added where it has some.

export const STATUS = {
  unpaired: { word: 'Not linked', tone: 'idle', shape: 'unpaired' },
  pending: { word: 'Pairing', tone: 'busy', shape: 'pending' },
  connected: { word: 'Connected', tone: 'good', shape: 'connected' },
  reconnecting: { word: 'Reconnecting', tone: 'warn', shape: 'reconnecting' },
  held: { word: 'Held', tone: 'bad', shape: 'held' },
  deleting: { word: 'Deleting', tone: 'idle', shape: 'deleting' },
};

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

/** `["Banned by WhatsApp", "403 forbidden"]`: a sentence, and WhatsApp's own words if any. */
export function reason(text) {
  const colon = text.indexOf(': ');
  const word = colon < 0 ? text : text.slice(0, colon);
  if (REASONS[word]) return [REASONS[word], colon < 0 ? '' : text.slice(colon + 2)];
  return [sentence(text), ''];
}

/** The first letter large; underscores of a word nobody told us are spaces. */
export function sentence(text) {
  const words = /^[a-z_]+$/.test(text) ? text.replaceAll('_', ' ') : text;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `+43 660 100 0001`: digits in groups, from the right. */
export function phone(digits) {
  if (!digits) return '';
  const groups = [];
  for (let end = digits.length; end > 0; end -= 3) groups.unshift(digits.slice(Math.max(0, end - 3), end));
  if (groups.length > 1 && groups[0].length === 1) groups.splice(0, 2, groups[0] + groups[1]);
  return `+${groups.join(' ')}`;
}

const UNLINKED = {
  confirmed: ' WhatsApp has removed the device from the phone.',
  pending: ' The device is being removed from the phone.',
  none: '',
};

const because = (payload) => {
  const [words, raw] = reason(payload.reason ?? '');
  return raw ? `${words} (${raw})` : words;
};

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

const COMMANDS = {
  'account.pair': 'Pairing',
  'account.cancel': 'Cancelling',
  'account.passkey': 'The passkey answer',
  'account.unpair': 'Unpairing',
  'account.resume': 'Resuming',
  'account.delete': 'Deleting',
  'groups.sync': 'Fetching the groups',
};

/** `[sentence, tone]` of an event. */
export function event(kind, payload) {
  return EVENTS[kind]?.(payload) ?? [sentence(kind.replaceAll(/[._]/g, ' ')), 'idle'];
}

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
const SOURCES = {
  web: 'the web app',
  cli: 'the command line',
  console: 'the console',
  api: 'the API',
  notify: 'a notification',
  paird: '',
};

/** A line of the audit log. */
export function audit(action, source) {
  const who = SOURCES[source] ?? source;
  const what = ACTIONS[action] ?? sentence(action.replaceAll(/[._]/g, ' '));
  return who ? `${what}, asked by ${who}` : what;
}
