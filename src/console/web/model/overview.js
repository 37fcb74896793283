// @ts-check
// What the fleet's last hours come to, as data.

/**
 * @import { Account, Schemas } from './api.js'
 * @typedef {Schemas['Sample']} Sample
 * @typedef {import('../lib/plot.js').Series} Series
 */

/** Accounts for which somebody has to do something, the longest first. @param {Account[]} accounts */
export const needPerson = (accounts) =>
  accounts
    .filter(({ status, advice }) => status === 'held' || (advice && status === 'unpaired'))
    .sort((a, b) => Date.parse(a.statusSince) - Date.parse(b.statusSince));

/** @param {Sample[]} samples @param {string} status @returns {(number | null)[]} */
export const accountsOf = (samples, status) =>
  samples.map(({ fleet }) => (fleet ? (fleet.byStatus[status] ?? 0) : null));

/** @param {Sample[]} samples @param {'openTickets' | 'openCommands' | 'queuedMessages' | 'unsentEvents'} queue @returns {(number | null)[]} */
export const queueOf = (samples, queue) => samples.map(({ fleet }) => fleet?.[queue] ?? null);

/** @param {Sample[]} samples @returns {(number | null)[]} */
export const endsOf = (samples) =>
  samples.map(({ ends }) => Object.values(ends).reduce((sum, count) => sum + (count ?? 0), 0));

/** How often connections ended for which reason, the most frequent first. @param {Sample[]} samples */
export function endsByReason(samples) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const { ends } of samples) {
    for (const [reason, count] of Object.entries(ends)) sums.set(reason, (sums.get(reason) ?? 0) + (count ?? 0));
  }
  return [...sums].sort(([a, most], [b, least]) => least - most || a.localeCompare(b));
}

/** How long ago the first sample was, in words. @param {Sample[]} samples */
export function reach(samples) {
  const minutes = Math.round((Date.parse(samples.at(-1)?.at ?? '') - Date.parse(samples[0]?.at ?? '')) / 60_000);
  if (!(minutes > 1)) return 'since this daemon started';
  return minutes < 120 ? `the last ${minutes} minutes` : `the last ${Math.round(minutes / 60)} hours`;
}
