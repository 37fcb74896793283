// @ts-check
// How an account connects: through which proxy, under which name the phone lists it, and with which number.
import { el } from '../lib/dom.js';
import { phone } from '../lib/text.js';
import { connectionActions, control } from './actions.js';

/** @param {import('../model/api.js').Account} account */
export function connectionSettings(account) {
  const all = connectionActions(account);
  const login = account.proxyHasLogin ? ' with user and password' : '';
  const proxy = account.proxy ? [el('code', {}, account.proxy), login] : 'None: it connects directly';
  const number = account.desiredPhone ? `${phone(account.desiredPhone)} only` : 'Any';
  const name = account.deviceName ? el('code', {}, account.deviceName) : 'As for every account';
  return [
    el('h2', { id: 'connection' }, 'Connection'),
    el(
      'dl.facts',
      {},
      el('div', {}, el('dt', {}, 'Proxy'), el('dd', { 'data-fact': 'proxy' }, proxy)),
      el('div', {}, el('dt', {}, 'Name on the phone'), el('dd', { 'data-fact': 'device-name' }, name)),
      el('div', {}, el('dt', {}, 'Number to link'), el('dd', { 'data-fact': 'desired-phone' }, number)),
    ),
    all.length > 0 &&
      el(
        'div.row',
        {},
        all.map((action) => control(action, account)),
      ),
  ];
}
