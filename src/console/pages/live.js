// What the server tells by itself. One stream a page; after any loss the truth is read anew.
import * as api from './api.js';

/** Kinds of the contract's events. */
const KINDS = [
  'session.qr',
  'session.code',
  'session.passkey',
  'session.connected',
  'session.duplicate',
  'session.wrong_phone',
  'session.timeout',
  'session.cancelled',
  'session.failed',
  'session.disconnected',
  'session.logged_out',
  'session.held',
  'groups.synced',
  'account.unpaired',
  'account.deleted',
  'account.unlinked',
  'account.unlink_abandoned',
  'command.failed',
];
/** A browser has six connections to a host, and each open tab's stream is one: a hidden one lets go. */
const HIDDEN_MS = 60_000;
const LOST_AFTER_MS = 1200;

/** In the server's order: a new label moves nothing. */
const accounts = new Map();
const watchers = { accounts: new Set(), event: new Set(), back: new Set() };
let stream = null;
let retries = 0;
let known = false;
let lostTimer = 0;

export const all = () => [...accounts.values()];
export const account = (id) => accounts.get(id);
/** Whether the list has been read at least once. */
export const isKnown = () => known;

/** Called whenever an account has changed, and now if there is something to show. */
export function onAccounts(watcher) {
  watchers.accounts.add(watcher);
  if (known) watcher();
}
/** Called with `{ type, accountId, … }`. */
export function onEvent(watcher) {
  watchers.event.add(watcher);
}
/** Called each time the stream is there again: what was told meanwhile is to be read. */
export function onBack(watcher) {
  watchers.back.add(watcher);
}

const tell = (who, what) => watchers[who].forEach((watcher) => watcher(what));

let drawing = 0;
/** Once for many: at its start the stream tells of every account. */
function tellSoon() {
  clearTimeout(drawing);
  drawing = setTimeout(() => known && tell('accounts'), 10);
}

let reading = false;
let readAgain = false;

/** Reads the list; what changes while it is read makes it be read again. */
export async function readAll() {
  readAgain = true;
  if (reading) return;
  reading = true;
  try {
    while (readAgain) {
      readAgain = false;
      const list = await api.accounts();
      accounts.clear();
      list.forEach((each) => accounts.set(each.id, each));
      known = true;
      tell('accounts');
    }
  } catch (error) {
    if (error.status !== 401) setTimeout(readAll, 2000);
  } finally {
    reading = false;
  }
}

function onAccount(message) {
  const told = JSON.parse(message.data);
  if (reading) readAgain = true;
  if (told.deleted) accounts.delete(told.id);
  else if (accounts.has(told.id)) accounts.set(told.id, { ...accounts.get(told.id), ...told });
  else return readAll(); // only the list knows its place
  tellSoon();
}

function open() {
  clearTimeout(open.timer);
  stream?.close();
  stream = new EventSource('/api/events');
  stream.onopen = () => {
    retries = 0;
    show('live');
    readAll();
    tell('back');
  };
  stream.onerror = lost;
  stream.addEventListener('account', onAccount);
  for (const kind of KINDS) {
    stream.addEventListener(kind, (message) => tell('event', { ...JSON.parse(message.data), type: kind }));
  }
}

function lost() {
  stream.close();
  show('lost');
  retries += 1;
  open.timer = setTimeout(
    async () => {
      // Not every refusal of a stream has a status; this one's has, and leads to the door.
      await api.fleet().then(open, (error) => error.status === 401 || lost());
    },
    Math.min(500 * retries, 3000),
  );
}

function show(state) {
  const feed = document.getElementById('feed');
  if (feed.dataset.state === state) return;
  const banner = document.getElementById('lost');
  feed.dataset.state = state;
  feed.textContent = state === 'live' ? 'Live' : 'Reconnecting';
  clearTimeout(lostTimer);
  if (state === 'live') {
    banner.hidden = true;
    banner.replaceChildren();
    return;
  }
  lostTimer = setTimeout(() => {
    const text = document.createElement('p');
    text.className = 'lost-text';
    text.textContent = 'The connection to paird is lost. What you see may be old; it comes back by itself.';
    banner.hidden = false;
    banner.replaceChildren(text);
  }, LOST_AFTER_MS);
}

export function start() {
  open();
  let hidden = 0;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hidden);
    if (!document.hidden) {
      if (stream === null) open();
      return;
    }
    hidden = setTimeout(() => {
      clearTimeout(open.timer);
      stream.close();
      stream = null;
    }, HIDDEN_MS);
  });
  addEventListener('pagehide', () => stream?.close());
  addEventListener('pageshow', (event) => event.persisted && open());
}
