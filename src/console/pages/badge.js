// A status in word, shape and colour; and why it is so.
import { el, shape } from './dom.js';
import { time } from './clock.js';
import { reason, STATUS, sentence } from './words.js';

export function badge(account) {
  const {
    word,
    tone,
    shape: picture,
  } = STATUS[account.status] ?? { word: account.status, tone: 'idle', shape: 'unpaired' };
  return el(
    'span.badge',
    { 'data-tone': tone, 'data-shape': picture, 'data-status': account.status },
    shape(picture),
    word,
  );
}

/** "The connection was lost · 2 minutes ago · next try in 0:14" */
export function why(account) {
  const [words] = reason(account.statusReason);
  return [
    el('span', { 'data-reason': account.statusReason.split(':')[0] }, words),
    ' · ',
    time(account.statusSince, 'since'),
    account.nextRetryAt && [' · next try ', time(account.nextRetryAt, 'until')],
  ];
}

export function advice(account) {
  return account.advice && `${sentence(account.advice)}.`;
}
