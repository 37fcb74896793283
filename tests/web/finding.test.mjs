import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digitsOf, finder } from '../../src/console/web/model/finding.js';

const account = {
  id: '6f1c0a52-0000-4000-8000-000000000007',
  label: 'Store 020 Klagenfurt am Wörthersee',
  phoneNumber: null,
  lastPhoneNumber: '436601234567',
  statusText: 'Banned by WhatsApp for some time',
  statusReason: 'temporary_ban: 402 code 101',
  proxy: 'socks5://10.0.0.7:1080',
  tags: ['vip', 'Linz'],
};
const finds = (text) => finder(text)(account);

test('a number is found however it is written', () => {
  for (const text of [
    '+43 660 1234567',
    '0043 660 123 45 67',
    '0660 1234567',
    '0660/1234567',
    '0660-123-4567',
    '+43 (0)660 1234567',
    '(0660) 1234567',
    '+43.660.1234567',
    '436601234567',
    '1234',
    '4567',
    '0660\u00a01234567',
    '660–1234567',
  ])
    assert.ok(finds(text), text);
  for (const text of ['0661 1234567', '+49 660 1234567', '99', '+']) assert.ok(!finds(text), text);
});

test('words are found in names, ids, reasons, proxies and tags', () => {
  for (const text of [
    '',
    'linz',
    '  ',
    'store',
    'STORE wörth',
    'worthersee 020',
    '020',
    'banned',
    'temporary_ban',
    '402',
    '6f1c0a52',
    '10.0.0.7',
    'klagenfurt  ban',
  ])
    assert.ok(finds(text), text);
  for (const text of ['graz', 'store graz', 'store.*', '\\', '8000', '6f1c']) assert.ok(!finds(text), text);
});

test('digits in a name are no number', () => {
  assert.equal(digitsOf('Store 0660'), '');
  assert.equal(digitsOf('0660 12'), '66012');
  assert.equal(digitsOf('00'), '');
  assert.equal(digitsOf(''), '');
});

test('an account that has changed is searched anew', () => {
  assert.ok(finds('wörth'));
  assert.ok(!finder('wörth')({ ...account, label: 'Store 020' }));
});
