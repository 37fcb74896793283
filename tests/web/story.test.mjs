import assert from 'node:assert/strict';
import { test } from 'node:test';
import { story } from '../../src/console/web/model/story.js';

const at = (minute) => new Date(minute * 60_000).toISOString();
const event = (seq, type, eventText = type) => ({ seq, type, payload: {}, eventText, tone: 'busy', createdAt: at(seq) });

test('a story is told newest first, events and audit together', () => {
  const actionText = 'Paired, asked by the web app';
  const records = [{ id: 9, action: 'account.paired', actionText, payload: null, createdAt: at(1.5) }];
  const lines = story(
    [event(1, 'session.qr', 'A QR code was shown'), event(2, 'session.connected', 'Connected as +436 601 000 001')],
    records,
  );
  assert.deepEqual(
    lines.map(({ key, text }) => [key, text]),
    [
      ['event-2', 'Connected as +436 601 000 001'],
      ['audit-9', 'Paired, asked by the web app'],
      ['event-1', 'A QR code was shown'],
    ],
  );
});

test('messages in a row are one line with a count', () => {
  const kinds = ['message.received', 'message.received', 'message.waiting', 'message.waiting', 'message.received'];
  const lines = story(
    kinds.map((kind, at) => event(at + 1, kind)),
    [],
  );
  assert.deepEqual(
    lines.map(({ times }) => times),
    [1, 1, 1, 2],
  );
});

test('codes in a row are one line with a count', () => {
  const kinds = ['session.qr', 'session.qr', 'session.timeout', 'session.timeout', 'session.qr'];
  const lines = story(
    kinds.map((kind, at) => event(at + 1, kind)),
    [],
  );
  assert.deepEqual(
    lines.map(({ kind, times }) => [kind, times]),
    [
      ['session.qr', 1],
      ['session.timeout', 1],
      ['session.timeout', 1],
      ['session.qr', 2],
    ],
  );
});
