// @ts-check
// The live state: one stream per page. A short interruption is resumed; after a long one the page starts afresh.
import { signal } from '../lib/signal.js';
import { messages } from '../lib/sse.js';
import { accountList } from './accounts.js';
import * as api from './api.js';

/** @import { Event } from './api.js' */

/** A browser has six connections to a host, and each open tab's stream is one: a hidden tab lets go. */
const HIDDEN_MS = 60_000;
/** Many accounts may change at once: a page is drawn at most this often. */
const GATHER_MS = 30;

export const accounts = accountList();
/** An account has changed. @type {ReturnType<typeof signal<void>>} */
export const changed = signal();
/** An event has happened. @type {ReturnType<typeof signal<Event>>} */
export const happened = signal();
/** The stream has restarted: read what happened before. @type {ReturnType<typeof signal<void>>} */
export const begun = signal();
/** The stream is there, or lost. @type {ReturnType<typeof signal<'live' | 'lost'>>} */
export const connection = signal();

let cursor = '';
let gathering = 0;
let controller = new AbortController();

/** @param {import('../lib/sse.js').Message} message */
function onMessage({ name, id, data }) {
  const isFresh = id !== '' && name === '' && id !== cursor;
  if (id) cursor = id;
  if (isFresh) begun.emit();
  if (!data) return;
  const body = JSON.parse(data);
  if (name === 'account' || name === 'accounts') {
    if (name === 'account') accounts.onAccount(body);
    else accounts.onAccounts(body);
    gathering ||= setTimeout(tell, GATHER_MS);
  } else {
    const { type, accountId, id, seq, createdAt, reasonText, eventText, tone, ...payload } = body;
    happened.emit({ type, accountId, id, seq, createdAt, reasonText, eventText, tone, payload });
  }
}

function tell() {
  gathering = 0;
  if (accounts.isComplete) changed.emit();
}

async function follow() {
  controller.abort();
  controller = new AbortController();
  const { signal } = controller;
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      const body = await api.stream(cursor, signal);
      failures = 0;
      connection.emit('live');
      for await (const message of messages(body)) onMessage(message);
    } catch (error) {
      if (api.statusOf(error) === 401) return;
    }
    if (signal.aborted) return;
    connection.emit('lost');
    await new Promise((resolve) => setTimeout(resolve, Math.min(500 * (failures + 1), 3000)));
  }
}

/** @param {() => Promise<boolean>} isKept Whether this tab goes on when it is hidden. */
export function start(isKept) {
  follow();
  let hiding = 0;
  const hide = async () => (await isKept()) || !document.hidden || letGo();
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding);
    if (!document.hidden && controller.signal.aborted) follow();
    else if (document.hidden) hiding = setTimeout(hide, HIDDEN_MS);
  });
  addEventListener('pagehide', letGo);
  addEventListener('pageshow', (event) => event.persisted && follow());
}

/** Too much may happen meanwhile, so it is read page by page when the stream restarts. */
function letGo() {
  controller.abort();
  cursor = '';
}
