import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standstill } from '../../src/console/web/model/standstill.js';

test('a fleet that takes no commands says so, and what ends that', () => {
  const [works, drained] = [{ draining: false }, { draining: true }];
  assert.equal(standstill(null), '');
  assert.equal(standstill({ daemons: [works] }), '');
  assert.equal(standstill({ daemons: [drained, works] }), '');
  assert.match(standstill({ daemons: [drained] }), /^The daemon is drained: .*paird drain --undo”$/);
  assert.match(standstill({ daemons: [drained, drained] }), /^Every daemon is drained: /);
  assert.match(standstill({ daemons: [] }), /^No daemon is running: /);
});
