import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountList } from '../../src/console/web/model/accounts.js';

const account = (id, createdAt, label = id) => ({ id, createdAt, label });
const labels = (list) => list.all().map(({ label }) => label);

test('accounts are in the order of their creation', () => {
  const list = accountList();
  list.onAccount(account('c', '2026-01-01T00:00:00.123456Z'));
  list.onAccount(account('b', '2026-01-01T00:00:00.123Z'));
  list.onAccount(account('d', '2026-01-01T00:00:00.123456Z'));
  list.onAccount(account('a', '2026-01-01T00:00:00Z'));
  assert.deepEqual(labels(list), ['a', 'b', 'c', 'd']);
  list.onAccount(account('c', '2026-01-01T00:00:00.123456Z', 'renamed'));
  assert.deepEqual(labels(list), ['a', 'b', 'renamed', 'd']);
});

test('a deleted account leaves the list', () => {
  const list = accountList();
  list.onAccount(account('a', '2026-01-01T00:00:00Z'));
  list.onAccount({ id: 'a', deleted: true });
  assert.deepEqual([list.all(), list.get('a')], [[], undefined]);
});

test('a snapshot removes accounts deleted while away', () => {
  const list = accountList();
  assert.equal(list.isComplete, false);
  list.onAccount(account('a', '2026-01-01T00:00:00Z'));
  list.onAccount(account('b', '2026-01-01T00:00:01Z'));
  list.onAccounts({ ids: ['b'] });
  assert.deepEqual(labels(list), ['b']);
  assert.equal(list.isComplete, true);
});

test('a change keeps the order and makes a new list', () => {
  const list = accountList();
  for (const id of ['b', 'a']) list.onAccount(account(id, '2026-01-01T00:00:00Z'));
  const before = list.all();
  assert.equal(list.all(), before, 'the same until something changes');
  list.onAccount(account('b', '2026-01-01T00:00:00Z', 'renamed'));
  assert.deepEqual(labels(list), ['a', 'renamed']);
  list.onAccount({ id: 'a', deleted: true });
  assert.deepEqual(labels(list), ['renamed']);
});
