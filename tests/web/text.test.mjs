import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bare,
  discreet,
  hideNumbers,
  inFours,
  phone,
  plural,
  sentence,
  spelt,
  quoted,
} from '../../src/console/web/lib/text.js';

test('a number is grouped in threes from the right', () => {
  assert.equal(phone('436601000001'), '+436 601 000 001');
  assert.equal(phone('4366010000012'), '+4366 010 000 012');
  assert.equal(phone('12'), '+12');
  assert.equal(phone(null), '');
});

test('one is singular and everything else plural', () => {
  assert.deepEqual(
    [0, 1, 2].map((n) => plural(n, 'device')),
    ['0 devices', '1 device', '2 devices'],
  );
});

test('an unknown word becomes a sentence', () => {
  assert.equal(sentence('proxy_auth'), 'Proxy auth');
  assert.equal(sentence('Already one'), 'Already one');
  assert.equal(sentence(''), '');
});

test('a code is read in groups of four', () => {
  assert.equal(bare('ABCD-12 34'), 'ABCD1234');
  assert.deepEqual(inFours('ABCD-1234'), ['ABCD', '1234']);
  assert.deepEqual(inFours(''), []);
  assert.equal(spelt(['AB', '12']), 'A B, 1 2');
});

test('a name with marks of direction turns nothing beside it', () => {
  assert.equal(quoted('Front desk'), '«Front desk»');
  assert.equal(quoted('\u202egnol'), '«\u2068\u202egnol\u2069»');
  assert.equal(quoted('a\u2069\u202eb'), '«\u2068a\u202eb\u2069»');
});

test('hidden numbers are hidden in sentences, too', () => {
  assert.equal(discreet('Connected as +436 607 300 001'), 'Connected as +436 607 300 001');
  hideNumbers(true);
  try {
    assert.equal(phone('436607300001'), '… 001');
    assert.equal(discreet('Connected as +436 607 300 001, not 436607300002.'), 'Connected as … 001, not … 002.');
    assert.equal(discreet('402 code 101, port 1080'), '402 code 101, port 1080');
  } finally {
    hideNumbers(false);
  }
});
