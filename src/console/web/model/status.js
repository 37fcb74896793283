// @ts-check
// What a badge says of a status, and its tone. Everything longer the server says.

/** @import { Account } from './api.js' */

/** @type {Record<string, { word: string, tone: string }>} */
export const STATUS = {
  unpaired: { word: 'Not linked', tone: 'idle' },
  pending: { word: 'Pairing', tone: 'busy' },
  connected: { word: 'Connected', tone: 'good' },
  reconnecting: { word: 'Reconnecting', tone: 'warn' },
  held: { word: 'Held', tone: 'bad' },
  deleting: { word: 'Deleting', tone: 'idle' },
};

/** What wants a person comes first. @type {Record<string, number>} */
export const TROUBLE = { held: 0, reconnecting: 2, pending: 3, unpaired: 4, connected: 5, deleting: 6 };

/** An account that is not linked any more, though nobody unpaired it, is second. @param {Account} account */
export const trouble = ({ status, advice }) => (status === 'unpaired' && advice ? 1 : (TROUBLE[status] ?? 0));
