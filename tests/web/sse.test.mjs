import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messages } from '../../src/console/web/lib/sse.js';

async function read(...chunks) {
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk));
  const found = [];
  for await (const message of messages(ReadableStream.from(bytes))) found.push(message);
  return found;
}

test('messages are read whatever the chunks are', async () => {
  const text = ': paird\nretry: 2000\nid: 7-1\n\nevent: account\ndata: {"label":"ü: x"}\n\n: alive\n\n';
  const expected = [
    { name: '', id: '7-1', data: '' },
    { name: 'account', id: '', data: '{"label":"ü: x"}' },
    { name: '', id: '', data: '' },
  ];
  assert.deepEqual(await read(text), expected);
  const bytes = new TextEncoder().encode(text);
  assert.deepEqual(await read(...[...bytes].map((byte) => Uint8Array.of(byte))), expected);
});

test('half a message at the end is no message', async () => {
  assert.deepEqual(await read('event: account\ndata: {}\n'), []);
});
