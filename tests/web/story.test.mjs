import assert from 'node:assert/strict';
import { test } from 'node:test';
import { story } from '../../src/console/web/model/story.js';

const at = (minute) => new Date(minute * 60_000).toISOString();
const event = (seq, type, payload = {}) => ({ seq, type, payload, createdAt: at(seq) });

test('a story is told newest first, events and audit together', () => {
  const records = [{ id: 9, action: 'account.paired', source: 'web', payload: null, createdAt: at(1.5) }];
  const lines = story(
    [event(1, 'session.qr'), event(2, 'session.connected', { phoneNumber: '436601000001' })],
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

test('an event tells its reason in the words of the server', () => {
  const held = { ...event(1, 'session.held', { reason: 'banned: 403' }), reasonText: 'Banned by WhatsApp (403)' };
  assert.equal(story([held], [])[0].text, 'Held: Banned by WhatsApp (403)');
});

test('an event of an unknown kind is shown in its own words', () => {
  assert.equal(story([event(1, 'message.sent_late')], [])[0].text, 'Message sent late');
});
