import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { chronicle, history, joined } from '../../src/console/web/model/history.js';

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const event = (seq) => ({
  seq,
  id: seq,
  type: 'session.timeout',
  payload: {},
  createdAt: new Date(seq * 60_000).toISOString(),
});
const seqs = (past) => past.all().map(({ seq }) => seq);
const original = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = original;
});

/** A server with these events and audit records; notes what it is asked for. */
function server(all, records = []) {
  const asked = [];
  globalThis.fetch = async (path) => {
    asked.push(path);
    const before = Number(path.match(/before=(\d+)/)[1]);
    const page = (items) => items.filter(({ id }) => id < before).slice(-100);
    const body = path.includes('/audit') ? { records: page(records).reverse() } : { events: page(all) };
    return Response.json(body);
  };
  return asked;
}

test('a page replaces what does not reach into it', () => {
  const key = (item) => item;
  assert.deepEqual(joined([], [4, 5], key), [4, 5]);
  assert.deepEqual(joined([1, 2], [4, 5], key), [4, 5]);
  assert.deepEqual(joined([2, 3, 4], [4, 5], key), [2, 3, 4, 5]);
  assert.deepEqual(joined([6], [4, 5], key), [4, 5, 6]);
  assert.deepEqual(joined([1], [], key), [1]);
});

test('events of the stream are taken without a request', async () => {
  const asked = server(range(1, 3).map(event));
  const past = history('a');
  await past.read();
  await past.take(event(4));
  await past.take(event(4));
  assert.deepEqual(seqs(past), [1, 2, 3, 4]);
  assert.equal(asked.length, 1);
});

test('an event that comes while the page is read is kept', async () => {
  server(range(1, 3).map(event));
  const past = history('a');
  const reading = past.read();
  await past.take(event(4));
  await reading;
  assert.deepEqual(seqs(past), [1, 2, 3, 4]);
});

test('a gap in the sequence makes the page be read again', async () => {
  const all = range(1, 3).map(event);
  const asked = server(all);
  const past = history('a');
  await past.read();
  all.push(...range(4, 6).map(event));
  await past.take(event(6));
  assert.deepEqual(seqs(past), range(1, 6));
  assert.equal(asked.length, 2);
});

test('older pages come in front and end at the first event', async () => {
  server(range(1, 250).map(event));
  const past = history('a');
  await past.read();
  assert.deepEqual(seqs(past), range(151, 250));
  await past.older();
  assert.equal(past.hasOlder(), true);
  await past.older();
  assert.deepEqual(seqs(past), range(1, 250));
  assert.equal(past.hasOlder(), false);
});

test('a page that stays open keeps the newest and reads older ones again', async () => {
  const all = range(1, 100).map(event);
  server(all);
  const past = history('a');
  await past.read();
  for (const seq of range(101, 1500)) {
    all.push(event(seq));
    await past.take(event(seq));
  }
  assert.deepEqual(seqs(past), range(501, 1500));
  assert.equal(past.hasOlder(), true);
  await past.older();
  all.push(event(1501));
  await past.take(event(1501));
  assert.deepEqual(seqs(past), range(402, 1501));
});

test('no audit record is shown before the oldest known event', async () => {
  server(
    range(1, 250).map(event),
    range(1, 250)
      .filter((n) => n % 10 === 1)
      .map(event),
  );
  const past = chronicle('a');
  await past.read();
  assert.deepEqual([past.events().length, past.audit().length, past.hasOlder()], [100, 10, true]);
  await past.older();
  await past.older();
  assert.deepEqual([past.events().length, past.audit().length, past.hasOlder()], [250, 25, false]);
});
