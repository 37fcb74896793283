// @ts-check
// What a badge says of a status, and its tone. Everything longer the server says.

/** @type {Record<string, { word: string, tone: string }>} */
export const STATUS = {
  unpaired: { word: 'Not linked', tone: 'idle' },
  pending: { word: 'Pairing', tone: 'busy' },
  connected: { word: 'Connected', tone: 'good' },
  reconnecting: { word: 'Reconnecting', tone: 'warn' },
  held: { word: 'Held', tone: 'bad' },
  deleting: { word: 'Deleting', tone: 'idle' },
};
