// @ts-check
// A status in word, shape and colour; and the reason for it.
import { time } from '../lib/clock.js';
import { el, shape } from '../lib/dom.js';
import { sentence } from '../lib/text.js';
import { STATUS } from '../model/status.js';

/** @import { Account } from '../model/api.js' */

/** @param {Account} account */
export function badge({ status }) {
  const { word, tone } = STATUS[status];
  return el('span.badge', { 'data-tone': tone, 'data-shape': status, 'data-status': status }, shape(status), word);
}

/** "The connection was lost · 2 minutes ago · next try in 0:14" @param {Account} account */
export function why(account) {
  return [
    el('span', { 'data-reason': account.statusWord }, account.statusText),
    ' · ',
    time(account.statusSince, 'since'),
    account.nextRetryAt && [' · next try ', time(account.nextRetryAt, 'until')],
  ];
}

/** @param {Account} account */
export const advice = (account) => account.advice && `${sentence(account.advice)}.`;
