// @ts-check
// The columns of the fleet's table. Pure; how a cell is drawn is in views/cells.js. One more: an entry in each.
import { trouble } from './status.js';

/**
 * @import { Account } from './api.js'
 * @typedef {object} Column
 * @property {string} key Its name in the address.
 * @property {string} title
 * @property {(account: Account) => string | number | null | undefined} by What it is ordered by; without a value: last.
 * @property {number} share Of the table's width.
 * @property {number} [least] Its least width, in rem.
 * @property {boolean} [isUsual] Shown if nobody chose.
 * @property {boolean} [isFixed] Always shown.
 */

/** @type {Column[]} */
export const COLUMNS = [
  { key: 'name', title: 'Name', by: ({ label }) => label, share: 14, least: 10, isFixed: true },
  { key: 'number', title: 'Number', by: numberOf, share: 10, least: 8.5, isUsual: true },
  { key: 'operator', title: 'Operator', by: ({ operatorId }) => operatorId, share: 9 },
  { key: 'status', title: 'Status', by: trouble, share: 5, least: 8.25, isFixed: true },
  { key: 'reason', title: 'Reason', by: ({ statusText }) => statusText, share: 28, isUsual: true },
  {
    key: 'since',
    title: 'Since',
    by: ({ statusSince }) => Date.parse(statusSince),
    share: 6,
    least: 9,
    isUsual: true,
  },
  { key: 'retry', title: 'Next try', by: ({ nextRetryAt }) => nextRetryAt && Date.parse(nextRetryAt), share: 7 },
  { key: 'tags', title: 'Tags', by: ({ tags }) => tags.join(', '), share: 9 },
  { key: 'proxy', title: 'Proxy', by: ({ proxy }) => proxy, share: 13 },
  { key: 'daemon', title: 'Daemon', by: ({ owner }) => owner?.host, share: 9 },
  { key: 'device', title: 'Name on the phone', by: ({ deviceName }) => deviceName, share: 9 },
  { key: 'made', title: 'Made', by: ({ createdAt }) => Date.parse(createdAt), share: 8 },
  { key: 'id', title: 'Id', by: ({ id }) => id, share: 12 },
];

/** @param {Account} account */
export function numberOf({ phoneNumber, lastPhoneNumber }) {
  return phoneNumber ?? lastPhoneNumber;
}

/** The columns that are shown. @param {string[] | null} chosen @param {boolean} hasOperators Several have accounts. */
export const shownColumns = (chosen, hasOperators) =>
  COLUMNS.filter(
    ({ key, isFixed, isUsual }) =>
      isFixed || (chosen ? chosen.includes(key) : isUsual || (key === 'operator' && hasOperators)),
  );
