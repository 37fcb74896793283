// @ts-check
// Tells of accounts that become held: in the title, and, where somebody asked for it, by a notification.
import { toast } from '../lib/dom.js';
import { discreet } from '../lib/text.js';
import { countInTitle } from '../lib/title.js';
import * as store from '../model/store.js';

/** @import { Account } from '../model/api.js' */

const WANTED = 'paird.notify';
const NAMED = 3;

/** Asking the browser takes a while, and pages ask with every change. @type {boolean | null} */
let known = null;

/** The permission alone is not enough: it is the browser's, and stays when somebody has had enough here. */
export function isAlarmed() {
  known ??= localStorage.getItem(WANTED) === 'yes' && 'Notification' in window && Notification.permission === 'granted';
  return known;
}

/** Asks the browser's user, who has just clicked; or ends it. */
export async function toggleAlarm() {
  if (isAlarmed()) localStorage.removeItem(WANTED);
  else if ((await Notification.requestPermission()) === 'granted') localStorage.setItem(WANTED, 'yes');
  else toast('The browser does not allow notifications here: allow them in its settings for this page.', 'bad');
  known = null;
}

export function alarm() {
  /** @type {Map<string, string>} */
  const statuses = new Map();
  // The browser's settings may be another by then.
  document.addEventListener('visibilitychange', () => (known = null));
  store.changed.on(() => {
    let count = 0;
    const fresh = [];
    for (const account of store.accounts.all()) {
      const { id, status } = account;
      const before = statuses.get(id);
      if (before !== status) statuses.set(id, status);
      if (status !== 'held') continue;
      count += 1;
      if (before && before !== 'held') fresh.push(account);
    }
    countInTitle(count);
    if (fresh.length > 0 && isAlarmed()) notify(fresh);
  });
}

/** One for all: many may become held at once. @param {Account[]} accounts */
function notify(accounts) {
  const [{ id, label, statusText }] = accounts;
  const names = accounts.slice(0, NAMED).map((account) => account.label);
  const others = accounts.length - names.length;
  const [title, body, to] =
    accounts.length === 1
      ? [`${label} is held`, discreet(statusText), `/accounts/${id}`]
      : [
          `${accounts.length} accounts are held`,
          names.join(', ') + (others ? ` and ${others} more` : ''),
          '/?status=held',
        ];
  try {
    // With a tag, the same from several tabs is shown once.
    const notification = new Notification(title, { body, tag: `paird.held.${id}` });
    notification.onclick = () => {
      window.focus();
      location.assign(to);
    };
  } catch {
    // A phone's browser has the permission but not the constructor. The title says it, too.
  }
}

let isWatching = false;

/** One hidden tab goes on following: title and notifications are for people who look elsewhere. */
export async function isWatch() {
  if (isWatching || !navigator.locks) return isWatching;
  return new Promise((resolve) => {
    navigator.locks.request('paird.watch', { ifAvailable: true }, (lock) => {
      isWatching = lock !== null;
      resolve(isWatching);
      return isWatching ? new Promise(() => {}) : undefined;
    });
  });
}
