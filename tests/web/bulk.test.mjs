import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BULKS, each, sifted, unpairings } from '../../src/console/web/model/bulk.js';

const bulk = (name) => BULKS.find((each) => each.name === name);
const account = (more) => ({ status: 'connected', phoneNumber: null, lastPhoneNumber: null, actions: [], ...more });

test('each action concerns those that the server offers it for', () => {
  const kinds = {
    resume: 'account.resume',
    reconnect: 'account.reconnect',
    pair: 'account.pair',
    unpair: 'account.unpair',
    delete: 'account.delete',
  };
  for (const [name, kind] of Object.entries(kinds)) {
    const can = account({ actions: [kind] });
    const { concerned, leftOut } = sifted(bulk(name), [can, account({ actions: ['groups.sync'] })]);
    assert.deepEqual(concerned, [can], name);
    assert.equal(leftOut, 1);
  }
  assert.equal(sifted(bulk('proxy'), [account({ actions: ['account.cancel'] }), account()]).concerned.length, 1);
});

test('deleting says for how many phones and keeps count of former ones', () => {
  const effects = (...accounts) => bulk('delete').effects(accounts).join(' ');
  const linked = account({ phoneNumber: '1', lastPhoneNumber: '1' });
  const former = account({ lastPhoneNumber: '2' });
  const said = effects(linked, linked, former, account());
  assert.match(said, /^4 accounts disappear .* This cannot be undone\./);
  assert.match(said, /On 2 phones, WhatsApp removes/);
  assert.match(said, /If 1 phone that was linked before still lists/);
  assert.match(effects(account()), /^1 account disappears.* No phone is linked/);
});

test('every action says what it does to one and to several', () => {
  const online = account({ phoneNumber: '1' });
  for (const { name, effects } of BULKS) {
    for (const accounts of [[online], [online, online], [account({ status: 'unpaired' })]]) {
      const said = effects(accounts);
      assert.ok(said.length > 0 && said.every((text) => /^[A-Zp\d].*[.]$/.test(text)), `${name}: ${said}`);
      assert.ok(!/\b1 (accounts|phones)\b|undefined/.test(said.join(' ')), `${name}: ${said}`);
    }
  }
  assert.match(unpairings(1).park, /^1 phone keeps/);
  assert.match(unpairings(3).logout, /of 3 phones/);
});

test('some are done at a time and each one once', async () => {
  const seen = [];
  let now = 0;
  let most = 0;
  const work = async (item) => {
    now += 1;
    most = Math.max(most, now);
    seen.push(item);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
  };
  const items = Array.from({ length: 50 }, (_, at) => at);
  await each(items, work, { atOnce: 4, isStopped: () => false });
  assert.deepEqual(seen, items);
  assert.equal(most, 4);
  await each([], work, { atOnce: 4, isStopped: () => false });
});

test('once stopped, what was begun is finished and nothing else begins', async () => {
  const begun = [];
  const finished = [];
  const work = async (item) => {
    begun.push(item);
    await new Promise((resolve) => setImmediate(resolve));
    finished.push(item);
  };
  await each([1, 2, 3, 4, 5, 6], work, { atOnce: 2, isStopped: () => begun.length >= 3 });
  assert.deepEqual(begun, finished);
  assert.ok(begun.length < 5, String(begun));
});
