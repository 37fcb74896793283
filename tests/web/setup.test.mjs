import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copiedOf, headline, LEVEL, nameOf, sorted } from '../../src/console/web/model/setup.js';

const finding = (level, check) => ({ level, check, found: 'so', advice: level === 'ok' ? null : 'do this' });

test('what is broken goes first, and what is good is apart', () => {
  const findings = [finding('ok', 'schema'), finding('warn', 'disk'), finding('fail', 'database'), finding('ok', 'clock')];
  const { troubles, good } = sorted(findings);
  assert.deepEqual(
    troubles.map(({ check }) => check),
    ['database', 'disk'],
  );
  assert.deepEqual(
    good.map(({ check }) => check),
    ['schema', 'clock'],
  );
  assert.deepEqual(sorted([]), { troubles: [], good: [] });
});

test('the heading says whether the first account can be added', () => {
  assert.match(headline(null, ''), /^Looking/);
  assert.equal(headline({ worst: 'ok' }, ''), 'Everything is ready');
  assert.match(headline({ worst: 'warn' }, ''), /look at this/);
  assert.equal(headline({ worst: 'fail' }, ''), 'Not ready yet');
  // What was read before may not be so any more.
  assert.match(headline({ worst: 'ok' }, 'paird cannot be reached'), /not known/);
});

test('a level is told by word and shape, not by colour alone', () => {
  const levels = Object.values(LEVEL);
  for (const field of ['tone', 'shape', 'word']) {
    assert.equal(new Set(levels.map((level) => level[field])).size, 3, field);
  }
});

test('names are written as people write them', () => {
  assert.equal(nameOf('whatsapp'), 'WhatsApp');
  assert.equal(nameOf('master key'), 'Master key');
});

test('a way that this page does not know can be copied, too', () => {
  assert.equal(copiedOf('api'), 'requests');
  assert.equal(copiedOf('grpc'), 'text');
});
