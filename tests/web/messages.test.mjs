import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import {
  byDay,
  byLastMessage,
  draft,
  gathered,
  isOfMessage,
  merged,
  shown,
  titleOf,
  toneOf,
  who,
} from '../../src/console/web/model/messages.js';

const message = {
  direction: 'in',
  chat: '1@lid',
  chatPhone: '436601000001',
  chatName: 'Anna',
  sender: '1@lid',
  senderPhone: '436601000001',
  senderName: 'Anna',
  text: 'hello',
};

test('a message names its sender by number first, then by name', () => {
  assert.equal(who(message), '+436 601 000 001 (Anna)');
  assert.equal(who({ ...message, chatPhone: null, senderPhone: null }), '1@lid (Anna)');
  assert.equal(who({ ...message, senderName: ' ', chatName: null }), '+436 601 000 001');
  const group = { chat: '2@g.us', chatPhone: null, chatName: 'choir' };
  assert.equal(who({ ...message, ...group }), '+436 601 000 001 (Anna) in 2@g.us (choir)');
});

test('what the owner wrote on the phone names whom it went to', () => {
  const sender = { sender: '9@lid', senderPhone: '436609999999', senderName: null };
  assert.equal(who({ ...message, ...sender, direction: 'echo' }), 'From the phone to +436 601 000 001 (Anna)');
});

test('what was sent from here names its recipient, and its colour is how it does', () => {
  const sent = { ...message, direction: 'out', sender: 'me', senderPhone: '436609999999', senderName: null };
  assert.equal(who(sent), 'To +436 601 000 001 (Anna)');
  const tones = ['queued', 'sent', 'read', 'failed', 'of_a_newer_daemon'].map((state) => toneOf({ state }));
  assert.deepEqual(tones, ['busy', 'idle', 'good', 'bad', 'idle']);
});

test('only what is sent again unchanged keeps its key', () => {
  const keyOf = draft();
  const first = keyOf({ to: '1', body: 'hello' });
  assert.equal(keyOf({ to: '1', body: 'hello' }), first);
  const changed = keyOf({ to: '1', body: 'hello!' });
  assert.notEqual(changed, first);
  keyOf.forget();
  // The same words once more, on purpose.
  assert.notEqual(keyOf({ to: '1', body: 'hello!' }), changed);
});

test('a long text is cut between characters', () => {
  assert.equal(shown(message), 'hello');
  assert.equal(shown({ text: '🙂'.repeat(500) }), '🙂'.repeat(500));
  assert.equal(shown({ text: '🙂'.repeat(501) }), `${'🙂'.repeat(500)}…`);
});

test('events of messages are told from others', () => {
  assert.deepEqual(
    ['message.received', 'session.qr'].map((type) => isOfMessage({ type })),
    [true, false],
  );
});

test('a burst is read once, and what comes during the reading once more', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const finished = [];
    const soon = gathered(() => new Promise((resolve) => finished.push(resolve)), 100);
    const tick = async (ms) => {
      mock.timers.tick(ms);
      await new Promise((resolve) => setImmediate(resolve));
    };
    // A steady flow does not put it off.
    for (let nth = 0; nth < 10; nth += 1) {
      soon();
      await tick(20);
    }
    assert.equal(finished.length, 1);
    finished[0]();
    await tick(0);
    await tick(100);
    assert.equal(finished.length, 2);
    finished[1]();
    await tick(0);
    await tick(1000);
    assert.equal(finished.length, 2);
    soon();
    await tick(100);
    assert.equal(finished.length, 3);
  } finally {
    mock.timers.reset();
  }
});

test('a message that is read again is the same one, further on', () => {
  const known = [{ id: 3, state: 'queued' }, { id: 5, state: 'queued' }];
  const read = [{ id: 1, state: 'read' }, { id: 5, state: 'sent' }];
  assert.deepEqual(merged(known, read), [{ id: 1, state: 'read' }, { id: 3, state: 'queued' }, { id: 5, state: 'sent' }]);
});

test('the chat with the newest message comes first, and each is there once', () => {
  const chat = (jid, id) => ({ jid, lastMessage: { id } });
  const known = [chat('a', 9), chat('b', 4)];
  assert.deepEqual(byLastMessage(known, [chat('b', 12), chat('c', 10)]), [chat('b', 12), chat('c', 10), chat('a', 9)]);
});

test('messages are of the day on which they were sent, or written while they wait', () => {
  const at = (id, sentAt, createdAt) => ({ id, sentAt, createdAt });
  const messages = [at(1, '2026-01-01', '2026-01-02'), at(2, '2026-01-02', '2026-01-02'), at(3, null, '2026-01-02')];
  const days = byDay(messages, (moment) => moment);
  assert.deepEqual(days.map(({ day, messages: of }) => [day, of.map(({ id }) => id)]), [['2026-01-01', [1]], ['2026-01-02', [2, 3]]]);
});

test('a chat is titled by number, then name; a group by its subject, too', () => {
  assert.equal(titleOf({ jid: '1@lid', phone: '436601000001', name: 'Anna' }), '+436 601 000 001 (Anna)');
  assert.equal(titleOf({ jid: '2@g.us', phone: null, name: 'choir' }), '2@g.us (choir)');
});
