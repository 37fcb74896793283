// The words of the page of a pairing link.
import assert from 'node:assert/strict';
import test from 'node:test';

import { OVER, tokenIn, words } from '../../src/console/web/model/link.js';

const TOKEN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO-_';
const PHASES = ['idle', 'starting', 'retrying', 'scan', 'code', 'passkey', 'passkey_confirmation', 'linking', 'connected'];
const ENDS = ['offline', 'held', 'gone', 'duplicate', 'wrong_phone', 'timeout', 'cancelled', 'failed'];

const pairing = (phase, more = {}) => ({ label: 'Desk', phase, expects: null, ...more });

test('every phase has words that name no program and no part of it', () => {
  for (const phase of [...PHASES, ...ENDS]) {
    const { title, text } = words(pairing(phase));
    assert.ok(title, phase);
    assert.doesNotMatch(`${title} ${text}`, /paird|daemon|account\b/i, phase);
  }
  assert.doesNotMatch(`${OVER.title} ${OVER.text}`, /paird|revoked|unknown/i);
});

test('of the expected number only its end is said', () => {
  assert.match(words(pairing('wrong_phone', { expects: '567' })).text, /ends with 567/);
  assert.doesNotMatch(words(pairing('wrong_phone')).text, /null/);
});

test('a token is taken from an address only if it is whole', () => {
  assert.equal(tokenIn(`#${TOKEN}`), TOKEN);
  for (const hash of ['', '#', TOKEN, `#${TOKEN}x`, `#${TOKEN.slice(1)}`, `#${TOKEN.slice(1)}%`, `#/${TOKEN}`]) {
    assert.equal(tokenIn(hash), '', hash);
  }
});
