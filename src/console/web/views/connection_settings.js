// @ts-check
// How an account connects: through which proxy, and under which name the phone lists it.
import { el } from '../lib/dom.js';
import { connectionActions, control } from './actions.js';

/** @param {import('../model/api.js').Account} account */
export function connectionSettings(account) {
  const all = connectionActions(account);
  const login = account.proxyHasLogin ? ' with user and password' : '';
  const proxy = account.proxy ? [el('code', {}, account.proxy), login] : 'None: it connects directly';
  const name = account.deviceName ? el('code', {}, account.deviceName) : 'As for every account';
  return [
    el('h2', { id: 'connection' }, 'Connection'),
    el(
      'dl.facts',
      {},
      el('div', {}, el('dt', {}, 'Proxy'), el('dd', { 'data-fact': 'proxy' }, proxy)),
      el('div', {}, el('dt', {}, 'Name on the phone'), el('dd', { 'data-fact': 'device-name' }, name)),
    ),
    all.length > 0 &&
      el(
        'div.row',
        {},
        all.map((action) => control(action, account)),
      ),
  ];
}
