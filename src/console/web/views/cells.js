// @ts-check
// How the cells of the fleet's table are drawn; which columns there are is in model/columns.js.
import { time } from '../lib/clock.js';
import { el } from '../lib/dom.js';
import { discreet, phone } from '../lib/text.js';
import { numberOf } from '../model/columns.js';
import { advice, badge, nextTry, reason } from './badge.js';

/** @import { Account } from '../model/api.js' */

/** In a row of one height, what does not fit is cut off: the whole is a tooltip. @param {string} name @param {string | null | undefined} text */
const plain = (name, text) => el(`td.${name}.small.muted`, { role: 'gridcell', title: text }, text);

/** @type {Record<string, (account: Account) => HTMLElement>} */
export const CELLS = {
  name: ({ id, label }) =>
    el('th.name', { role: 'rowheader', scope: 'row', title: label }, el('a', { href: `/accounts/${id}` }, label)),
  number: (account) => {
    const number = numberOf(account);
    const isLast = number && !account.phoneNumber && ' (last)';
    return el('td.number.small.muted', { role: 'gridcell' }, number ? phone(number) : 'No phone yet', isLast);
  },
  operator: ({ operatorId }) => plain('operator', `Operator ${operatorId}`),
  status: (account) => el('td.status', { role: 'gridcell' }, badge(account)),
  reason: (account) =>
    el(
      'td.state.small',
      { role: 'gridcell' },
      el('p', { title: discreet(account.statusText) }, reason(account)),
      advice(account) && el('p.muted', { title: advice(account) }, advice(account)),
      account.openTickets > 0 && !advice(account) && el('p.muted', {}, 'A device is being removed from the phone.'),
    ),
  since: (account) =>
    el(
      'td.since.small.muted',
      { role: 'gridcell' },
      el('p', {}, time(account.statusSince, 'since')),
      account.nextRetryAt && el('p', {}, nextTry(account, '')),
    ),
  retry: ({ nextRetryAt }) =>
    el('td.retry.small.muted', { role: 'gridcell' }, nextRetryAt && time(nextRetryAt, 'until')),
  tags: ({ tags }) => plain('tags', tags.join(', ')),
  proxy: ({ proxy }) => plain('proxy', proxy),
  daemon: ({ owner }) => plain('daemon', owner?.host),
  device: ({ deviceName }) => plain('device', deviceName),
  made: ({ createdAt }) => el('td.made.small.muted', { role: 'gridcell' }, time(createdAt, 'since')),
  id: ({ id }) => plain('id', id),
};
