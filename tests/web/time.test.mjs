import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exact, left, now, secondsLeft, setByServer, since, soonest, until } from '../../src/console/web/lib/time.js';

const from = (seconds) => new Date(now() + seconds * 1000 + 200).toISOString();

test('the past is told in its largest unit', () => {
  assert.equal(since(from(0)), 'just now');
  assert.equal(since(from(-59)), 'just now');
  assert.equal(since(from(-61)), '1 minute ago');
  assert.equal(since(from(-3 * 3600)), '3 hours ago');
  assert.equal(since(from(-86_401)), 'yesterday');
});

test('time left is told to the second below an hour', () => {
  assert.equal(left(from(272)), '4:33');
  assert.equal(left(from(3899)), '1 h 05 min');
  assert.equal(left(from(2 * 86_400 + 3 * 3600)), '2 d 3 h');
  assert.equal(left(from(-5)), '0:00');
  assert.equal(until(from(-5)), 'now');
  assert.equal(until(from(13)), 'in 0:14');
});

test('the server decides what time it is', () => {
  const at = new Date(Date.now() + 60_000).toISOString();
  setByServer(new Date(Date.now() + 3_600_000).toUTCString());
  assert.equal(secondsLeft(at), 0);
  setByServer('no date');
  assert.equal(secondsLeft(at), 0);
  setByServer(new Date(Date.now() + 900).toUTCString());
  assert.equal(Math.abs(now() - Date.now()) < 50, true);
});

test('a point in time is told with day and second', () => {
  assert.match(exact('2026-11-28T16:04:28Z'), /^28 Nov 2026, \d\d:\d\d:28$/);
});

test('of several times the least is told', () => {
  assert.equal(soonest('2026-11-28T16:04:28Z', '2026-11-28T16:04:27.999Z', null), '2026-11-28T16:04:27.999Z');
  assert.equal(soonest(undefined, null), '');
});
