import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTags, mistakesOf } from '../../src/console/web/model/tags.js';

test('tags are the words between commas', () => {
  assert.deepEqual(inTags(' VIP, north wing ,, '), ['VIP', 'north wing']);
  assert.deepEqual(inTags(''), []);
});

test('the first mistakes of a file are sentences, the rest is counted', () => {
  const mistakes = [
    { line: 2, column: 'label', detail: 'is empty' },
    { line: 3, column: null, detail: 'the row has 2 cells, and the header 6' },
    { line: 4, column: 'tags', detail: 'a tag is empty' },
  ];
  assert.deepEqual(mistakesOf({ mistakes, mistakeCount: 9 }, 2), [
    'Line 2, label: is empty',
    'Line 3: the row has 2 cells, and the header 6',
    'And 7 more.',
  ]);
  assert.deepEqual(mistakesOf({ mistakes }, 5).length, 3);
  assert.deepEqual(mistakesOf(null, 5), []);
});
