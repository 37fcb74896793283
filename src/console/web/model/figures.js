// @ts-check
// The figures of the fleet. Queues and daemons send no notifications, so they are polled while a page is visible.
import { signal } from '../lib/signal.js';
import * as api from './api.js';
import { standstill } from './standstill.js';
import * as store from './store.js';

/** @import { Fleet } from './api.js' */

const POLL_MS = 15_000;

/** They were read. @type {ReturnType<typeof signal<Fleet>>} */
export const changed = signal();
/** They could not be read. @type {ReturnType<typeof signal<unknown>>} */
export const failed = signal();

async function read() {
  const fleet = await api.fleet();
  changed.emit(fleet);
  return fleet;
}

const poll = () => void read().catch(failed.emit);

export function start() {
  store.begun.on(poll);
  setInterval(() => document.hidden || poll(), POLL_MS);
  document.addEventListener('visibilitychange', () => document.hidden || poll());
}

/** A command that nobody takes now would begin when nobody waits for it any more. */
export async function needDaemon() {
  const why = standstill(await read().catch(() => null));
  if (why) throw new Error(why);
}
