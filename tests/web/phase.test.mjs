import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ending, phase } from '../../src/console/web/model/phase.js';

const pending = (statusReason, more = {}) => ({ status: 'pending', statusReason, ...more });

test('a pending row says which phase it is', () => {
  const qr = { at: '', expiresAt: '' };
  assert.equal(phase(pending('opening')).name, 'starting');
  assert.equal(phase(pending('waiting_for_scan', { qr })).name, 'scan');
  assert.equal(phase(pending('waiting_for_code', { qr })).name, 'code');
  assert.equal(phase(pending('waiting_for_passkey')).name, 'passkey');
  assert.equal(phase(pending('linking', { qr })).name, 'linking');
  assert.equal(phase(pending('unreachable: refused')).title, 'Trying again');
});

test('only the last attempt that nothing followed has an ending', () => {
  const [timeout, unpaired] = [
    { type: 'session.timeout', payload: {} },
    { type: 'account.unpaired', payload: {} },
  ];
  assert.equal(ending([unpaired, timeout]), timeout);
  assert.equal(ending([timeout, unpaired]), null);
  assert.equal(phase({ status: 'unpaired', statusReason: 'timeout' }, timeout).name, 'timeout');
  assert.equal(phase({ status: 'unpaired', statusReason: 'operator' }, null).name, 'choose');
});
