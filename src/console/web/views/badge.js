// @ts-check
// A status in word, shape and colour; and the reason for it.
import { time } from '../lib/clock.js';
import { el, shape } from '../lib/dom.js';
import { discreet, sentence } from '../lib/text.js';
import { STATUS } from '../model/status.js';

/** @import { Account } from '../model/api.js' */

/** @param {Account} account */
export function badge({ status }) {
  const { word, tone } = STATUS[status];
  return el('span.badge', { 'data-tone': tone, 'data-shape': status, 'data-status': status }, shape(status), word);
}

/** "The connection was lost · 2 minutes ago · next try in 0:14" @param {Account} account */
export const why = (account) => [reason(account), ' · ', time(account.statusSince, 'since'), nextTry(account)];

/** @param {Account} account */
export const reason = ({ statusWord, statusText }) => el('span', { 'data-reason': statusWord }, discreet(statusText));

/** @param {Account} account */
export const nextTry = ({ nextRetryAt }, before = ' · ') =>
  nextRetryAt && [`${before}next try `, time(nextRetryAt, 'until')];

/** @param {Account} account */
export const advice = (account) => account.advice && `${discreet(sentence(account.advice))}.`;
