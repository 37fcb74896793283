import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosing } from '../../src/console/web/model/choosing.js';
import { pane, wayTo } from '../../src/console/web/model/pane.js';

test('only rows in sight and a few around them are drawn', () => {
  const list = { count: 5000, height: 44, sight: 800 };
  assert.deepEqual(pane({ ...list, above: -300 }), { first: 0, end: 20 });
  const middle = pane({ ...list, above: 44_000 });
  assert.ok(
    middle.first <= 1000 - 6 && middle.end >= 1000 + 19 && middle.end - middle.first < 50,
    JSON.stringify(middle),
  );
  const last = pane({ ...list, above: 5000 * 44 - 800 });
  assert.equal(last.end, 5000);
  assert.ok(last.first < 5000 - 18);
});

test('short, empty and left lists have no rows outside', () => {
  assert.deepEqual(pane({ count: 0, height: 44, above: 0, sight: 800 }), { first: 0, end: 0 });
  assert.deepEqual(pane({ count: 3, height: 44, above: 0, sight: 800 }), { first: 0, end: 3 });
  // Scrolled down when a filter left three rows.
  assert.deepEqual(pane({ count: 3, height: 44, above: 90_000, sight: 800 }), { first: 2, end: 3 });
  // Far below the window.
  assert.deepEqual(pane({ count: 100, height: 44, above: -5000, sight: 800 }), { first: 0, end: 0 });
});

test('a row in sight is not scrolled to, another as little as possible', () => {
  const window = { height: 44, above: 1000, sight: 800, covered: 100 };
  assert.equal(wayTo({ ...window, at: 30 }), 0);
  assert.equal(wayTo({ ...window, at: 24 }), 24 * 44 - 1000 - 100);
  assert.equal(wayTo({ ...window, at: 41 }), 41 * 44 - 1000 + 44 - 800);
});

test('accounts are selected one by one, in ranges and all', () => {
  const order = ['a', 'b', 'c', 'd', 'e'];
  const chosen = choosing();
  chosen.toggle('b');
  chosen.toggleTo('d', order);
  assert.deepEqual(chosen.ids(), ['b', 'c', 'd']);
  chosen.toggleTo('c', order);
  assert.deepEqual(chosen.ids(), ['b'], 'from d to c, none is');
  chosen.toggleAll(order);
  assert.deepEqual(chosen.size(), 5);
  chosen.toggleAll(order);
  assert.deepEqual(chosen.size(), 0);
  chosen.toggleTo('e', order);
  assert.ok(chosen.has('e'));
  chosen.replace(['a', 'b']);
  chosen.keep((id) => id !== 'a');
  assert.deepEqual(chosen.ids(), ['b']);
});

test('a range whose begin is filtered out is one account', () => {
  const chosen = choosing();
  chosen.toggle('gone');
  chosen.toggleTo('b', ['a', 'b', 'c']);
  assert.deepEqual(chosen.ids(), ['gone', 'b']);
});
