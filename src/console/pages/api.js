// The HTTP API. Who is not logged in is sent to the door.
import { setByServer } from './clock.js';

/** An answer that says no, in the server's words. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const ask = (path, options) => reach(path, options).then((answer) => (answer.status === 204 ? null : answer.json()));

async function reach(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...options });
  } catch {
    throw new Refused(0, 'paird cannot be reached. Is it running?');
  }
  setByServer(answer.headers.get('Date'));
  if (answer.status === 401 && path !== '/login') {
    toDoor();
    throw new Refused(401, 'You are logged out.');
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => null);
  throw new Refused(answer.status, problem?.detail ?? problem?.title ?? `paird answered ${answer.status}`);
}

function send(method, path, body, headers = {}) {
  return ask(path, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

export function toDoor() {
  const here = location.pathname === '/' ? '' : `?to=${encodeURIComponent(location.pathname)}`;
  location.replace(`/login${here}`);
}

const account = (id) => `/api/accounts/${encodeURIComponent(id)}`;

export const fleet = () => ask('/api/fleet');
export const accounts = async () => (await ask('/api/accounts')).accounts;
export const one = (id) => ask(account(id));
export const add = (label) => send('POST', '/api/accounts', { label });
export const rename = (id, label) => send('PATCH', account(id), { label });
export const setProxy = (id, proxy) => send('PUT', `${account(id)}/proxy`, proxy);
export const forgetProxy = (id) => ask(`${account(id)}/proxy`, { method: 'DELETE' });
export const setDeviceName = (id, deviceName) => send('PUT', `${account(id)}/device-name`, { deviceName });
export const forgetDeviceName = (id) => ask(`${account(id)}/device-name`, { method: 'DELETE' });
export const groups = async (id) => (await ask(`${account(id)}/groups`)).groups;
/** The picture that is showing now, for an `<img>`; an address would be cached. */
export const qr = async (id) =>
  `data:image/svg+xml,${encodeURIComponent(await (await reach(`${account(id)}/qr?format=svg`)).text())}`;
export const logIn = (token) => send('POST', '/login', { token });
export const logOut = () => send('POST', '/logout', {});

/** Moments that are read at once. */
export const PAGE = 100;
/** No number reaches it. */
export const NEWEST = Number.MAX_SAFE_INTEGER;

/** The page of events below `seq`, oldest first. */
export const eventsBefore = async (id, seq) =>
  (await ask(`${account(id)}/events?before=${seq}&limit=${PAGE}`)).events;

/** The page of audit records below `record`, oldest first. */
export const auditBefore = async (id, record) =>
  (await ask(`${account(id)}/audit?before=${record}&limit=${PAGE}`)).records.reverse();

/** All events after `seq`, oldest first. */
export async function events(id, seq) {
  const found = [];
  let page;
  do {
    page = (await ask(`${account(id)}/events?after=${found.at(-1)?.seq ?? seq}&limit=${PAGE}`)).events;
    found.push(...page);
  } while (page.length === PAGE);
  return found;
}

/**
 * Sends a command and waits for its end. Resolves to its result in words.
 * A click that is sent twice is one command.
 */
export async function command(id, kind, args = {}) {
  const sent = await send(
    'POST',
    `${account(id)}/commands`,
    { kind, args },
    { 'Idempotency-Key': crypto.randomUUID() },
  );
  for (let tries = 0; tries < 6; tries += 1) {
    const { state, result } = await ask(`/api/commands/${sent.id}?wait=10`);
    if (state === 'done') return result;
    if (state === 'failed') throw new Refused(422, result);
  }
  return 'It is queued: paird does it as soon as it can.';
}
