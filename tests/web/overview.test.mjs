import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latest, path } from '../../src/console/web/lib/plot.js';
import { accountsOf, endsByReason, endsOf, needPerson, queueOf, reach } from '../../src/console/web/model/overview.js';

const minute = (at, ends = {}, fleet = { byStatus: { connected: 2 }, openTickets: 1 }) => ({ at, ends, fleet });

test('a line has a gap where nothing is known', () => {
  assert.equal(path([0, 10, null, 10], 10), 'M0 71h.1L120 2M360 2h.1');
  assert.equal(path([null], 1), '');
  assert.equal(latest({ name: '', tone: '', values: [1, 2, null] }), 2);
  assert.equal(latest({ name: '', tone: '', values: [null] }), null);
});

test('what the database did not say is no zero', () => {
  const samples = [minute('2026-01-01T00:00:00Z'), minute('2026-01-01T00:01:00Z', {}, null)];
  assert.deepEqual(accountsOf(samples, 'connected'), [2, null]);
  assert.deepEqual(accountsOf(samples, 'held'), [0, null]);
  assert.deepEqual(queueOf(samples, 'openTickets'), [1, null]);
});

test('lost connections are summed by minute and by reason', () => {
  const samples = [minute('', { socket_lost: 2, banned: 1 }), minute('', { socket_lost: 1 }), minute('')];
  assert.deepEqual(endsOf(samples), [3, 1, 0]);
  assert.deepEqual(endsByReason(samples), [['socket_lost', 3], ['banned', 1]]);
});

test('held accounts and lost links need a person, the longest first', () => {
  const account = (id, status, advice, statusSince) => ({ id, status, advice, statusSince });
  const accounts = [
    account(1, 'held', null, '2026-01-02'),
    account(2, 'unpaired', 'pair it again', '2026-01-01'),
    account(3, 'unpaired', null, '2026-01-01'),
    account(4, 'reconnecting', 'wait', '2026-01-01'),
  ];
  assert.deepEqual(needPerson(accounts).map(({ id }) => id), [2, 1]);
});

test('the reach of a history is said in minutes, then in hours', () => {
  assert.equal(reach([]), 'since this daemon started');
  assert.equal(reach([minute('2026-01-01T00:00:00Z'), minute('2026-01-01T00:30:00Z')]), 'the last 30 minutes');
  assert.equal(reach([minute('2026-01-01T00:00:00Z'), minute('2026-01-01T05:58:00Z')]), 'the last 6 hours');
});
