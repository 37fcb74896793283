import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { look } from '../../src/console/web/model/phase.js';

const account = { label: 'Front desk', statusText: 'WhatsApp cannot be reached', phoneNumber: '436601000001' };

test('every phase that the API knows has a look', () => {
  const document = JSON.parse(readFileSync(new URL('../../src/console/openapi.json', import.meta.url), 'utf8'));
  const schemas = document.components.schemas;
  const { phase } = schemas.Account.properties;
  const phases = phase.enum ?? schemas[phase.$ref.split('/').at(-1)].enum;
  assert.equal(phases.length > 10, true);
  for (const each of phases) assert.match(look(each, account).title, /^\S.*[^.]$/, each);
});

test('a phase that somebody waits in says why', () => {
  assert.match(look('retrying', account).text, /^WhatsApp cannot be reached\. /);
  assert.equal(look('connected', account).text, '«Front desk» is linked with +436 601 000 001.');
});

test('an ending is told by its event, and before it by the row', () => {
  const end = { phoneNumber: '436601000001', existingLabel: 'Lobby' };
  assert.match(look('duplicate', account, end).text, /^\+436 601 000 001 is linked to «Lobby»\./);
  assert.equal(look('duplicate', account).text, 'WhatsApp cannot be reached.');
});

test('a time that is up says why, and what is left of it', () => {
  const ended = { ...account, statusText: 'Not linked in time. Before that: The last scan was not accepted (x)' };
  const told = look('timeout', { ...ended, openTickets: 0, advice: 'pair again' });
  assert.equal(told.text, 'Not linked in time. Before that: The last scan was not accepted (x). Nothing was linked.');
  assert.equal(told.small, 'Pair again.');
  for (const phase of ['timeout', 'cancelled'])
    assert.match(look(phase, { ...ended, openTickets: 1 }).text, /is being removed from the phone\.$/);
});
