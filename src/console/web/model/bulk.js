// @ts-check
// What can be done with several accounts at once, whom it concerns, and what it does to their phones. Pure.
import { plural } from '../lib/text.js';

/**
 * @import { Account } from './api.js'
 * @typedef {object} Bulk
 * @property {string} name
 * @property {string} text On its button.
 * @property {string} verb "Resume 3 accounts?"
 * @property {(account: Account) => boolean} suits
 * @property {string} unless Why an account is left out: "3 are left out: …".
 * @property {(accounts: Account[]) => string[]} effects Each a sentence.
 * @property {boolean} [isDangerous]
 */

/** @param {string} kind */
const offers =
  (kind) =>
  (/** @type {Account} */ { actions }) =>
    actions.includes(/** @type {any} */ (kind));
const isLinked = (/** @type {Account} */ { phoneNumber }) => Boolean(phoneNumber);
const isOnline = (/** @type {Account} */ { status }) =>
  ['pending', 'connected', 'reconnecting', 'held'].includes(status);

/** "1 phone keeps", "3 phones keep" @param {number} count @param {string} noun @param {string} one @param {string} many */
const does = (count, noun, one, many) => `${plural(count, noun)} ${count === 1 ? one : many}`;

/** @type {Bulk[]} */
export const BULKS = [
  {
    name: 'resume',
    text: 'Resume',
    verb: 'Resume',
    suits: offers('account.resume'),
    unless: 'connected already, or without keys',
    effects: (accounts) => [
      `paird connects ${plural(accounts.length, 'account')} with the keys it has. Nothing changes on a phone.`,
      'An account that WhatsApp has banned may be held again.',
    ],
  },
  {
    name: 'reconnect',
    text: 'Connect again',
    verb: 'Reconnect',
    suits: offers('account.reconnect'),
    unless: 'without a connection to replace',
    effects: (accounts) => [
      `paird disconnects and reconnects ${plural(accounts.length, 'account')}; each is offline for some seconds.`,
      'Nothing changes on a phone: every link is kept.',
    ],
  },
  {
    name: 'pair',
    text: 'Pair again',
    verb: 'Pair',
    suits: offers('account.pair'),
    unless: 'connected; unpair first',
    effects: (accounts) => [
      'Nothing starts now: a code is valid for a minute or so, and somebody with the phone must scan it.',
      `paird leads you through ${plural(accounts.length, 'account')}, one pairing page after the other. An attempt starts when you start it there; “Next account” goes on.`,
      'Once a new link is made, the former device’s entry leaves the phone.',
    ],
  },
  {
    name: 'proxy',
    text: 'Set proxy',
    verb: 'Set the proxy of',
    suits: ({ actions }) => actions.length > 0,
    unless: 'being deleted',
    effects: (accounts) => {
      const online = accounts.filter(isOnline).length;
      return [
        online > 0
          ? `${does(online, 'account', 'needs', 'need')} a new connection for this: paird disconnects and reconnects at once. The phones keep the links.`
          : 'It is used from the next connection on.',
        `A proxy and a login that ${accounts.length === 1 ? 'it has' : 'they have'} now are replaced.`,
      ];
    },
  },
  {
    name: 'tags',
    text: 'Change tags',
    verb: 'Change the tags of',
    suits: ({ actions }) => actions.length > 0,
    unless: 'being deleted',
    effects: () => ['Other tags stay as they are. Nothing changes on a phone.'],
  },
  {
    name: 'unpair',
    text: 'Unpair',
    verb: 'Unpair',
    suits: offers('account.unpair'),
    unless: 'not linked',
    effects: (accounts) => [
      `${does(accounts.length, 'account', 'goes', 'go')} offline at once and ${accounts.length === 1 ? 'stays' : 'stay'} in the list.`,
    ],
    isDangerous: true,
  },
  {
    name: 'delete',
    text: 'Delete',
    verb: 'Delete',
    suits: offers('account.delete'),
    unless: 'being deleted already',
    effects: (accounts) => {
      const linked = accounts.filter(isLinked).length;
      const before = accounts.filter((account) => !isLinked(account) && account.lastPhoneNumber).length;
      return [
        `${does(accounts.length, 'account', 'disappears', 'disappear')} from the lists at once. This cannot be undone.`,
        linked > 0 &&
          `On ${plural(linked, 'phone')}, WhatsApp removes “paird” from Linked devices. If WhatsApp cannot be reached, paird keeps trying for 14 days.`,
        before > 0 &&
          `If ${plural(before, 'phone')} that ${before === 1 ? 'was' : 'were'} linked before still ${before === 1 ? 'lists' : 'list'} “paird”, WhatsApp removes it there.`,
        linked + before === 0
          ? 'No phone is linked, so nothing changes on a phone.'
          : 'The keys are erased only after WhatsApp has confirmed. Chats on the phones stay as they are.',
      ].filter((text) => typeof text === 'string');
    },
    isDangerous: true,
  },
];

/** What each way of unpairing does on so many phones. @param {number} count */
export const unpairings = (count) => ({
  park: `${does(count, 'phone', 'keeps', 'keep')} “paird” under Linked devices, and the keys are kept, sealed. Resume connects again without a QR code.`,
  logout: `WhatsApp removes “paird” from the Linked devices of ${plural(count, 'phone')}, and then the keys are erased. To use an account again, scan a new QR code.`,
});

/** Those it concerns, and how many it does not. @param {Bulk} bulk @param {Account[]} accounts */
export function sifted({ suits }, accounts) {
  const concerned = accounts.filter(suits);
  return { concerned, leftOut: accounts.length - concerned.length };
}

/**
 * Does one after the other, some at a time, until all are done or it is stopped. What was begun is always finished.
 * @template T
 * @param {T[]} items
 * @param {(item: T, at: number) => Promise<void>} work Must not be rejected.
 * @param {{ atOnce: number, isStopped: () => boolean }} how
 */
export async function each(items, work, { atOnce, isStopped }) {
  let next = 0;
  async function lane() {
    while (next < items.length && !isStopped()) {
      const at = next;
      next += 1;
      await work(items[at], at);
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
}
