// @ts-check
// Calls of the HTTP API. A caller who is logged out is sent to the login page.
import { setByServer } from '../lib/time.js';

/**
 * @typedef {import('../../api.d.ts').components['schemas']} Schemas
 * @typedef {Schemas['Account']} Account
 * @typedef {Schemas['Event']} Event
 * @typedef {Schemas['AuditRecord']} AuditRecord
 * @typedef {Schemas['Group']} Group
 * @typedef {Schemas['Message']} Message
 * @typedef {Schemas['Chat']} Chat
 * @typedef {Schemas['Fleet']} Fleet
 * @typedef {Schemas['Setup']} Setup
 * @typedef {Schemas['PairingLink']} PairingLink
 * @typedef {Schemas['ImportedAccounts']} ImportedAccounts
 */

/** An error response; its message is the server's. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message @param {Record<string, any> | null} [problem] */
  constructor(status, message, problem = null) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

/** @param {unknown} error @returns {number} The status of an answer; 0 without one. */
export const statusOf = (error) => (error instanceof ApiError ? error.status : 0);
/** @param {unknown} error The whole problem of an answer. */
export const problemOf = (error) => (error instanceof ApiError ? error.problem : null);
/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {string} path @param {RequestInit} [options] @returns {Promise<Response>} */
async function request(path, options) {
  const answer = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...options }).catch(() => null);
  if (!answer) throw new ApiError(0, 'paird cannot be reached. Is it running?');
  setByServer(answer.headers.get('Date'));
  if (answer.status === 401 && path !== '/login') {
    const path = location.pathname + location.search;
    const here = path === '/' ? '' : `?to=${encodeURIComponent(path)}`;
    location.replace(`/login${here}`);
    throw new ApiError(401, 'You are logged out.');
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => null);
  throw new ApiError(answer.status, problem?.detail ?? problem?.title ?? `paird answered ${answer.status}`, problem);
}

/** @param {string} path @param {RequestInit} [options] */
const json = (path, options) => request(path, options).then((answer) => (answer.status === 204 ? null : answer.json()));

/** @param {string} method @param {string} path @param {unknown} body @param {Record<string, string>} [headers] */
const send = (method, path, body, headers) =>
  json(path, { method, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });

const account = (/** @type {string} */ id) => `/api/accounts/${encodeURIComponent(id)}`;

/** @returns {Promise<Fleet>} */
export const fleet = () => json('/api/fleet');
/** @returns {Promise<Setup>} */
export const setup = () => json('/api/setup');
/** @returns {Promise<Schemas['FleetHistory']>} */
export const fleetHistory = () => json('/api/fleet/history');
/** @param {string} id @returns {Promise<Account>} */
export const one = (id) => json(account(id));
/** @param {string} label @returns {Promise<Account>} */
export const add = (label) => send('POST', '/api/accounts', { label });
/** @param {string} id @param {string} label */
export const rename = (id, label) => send('PATCH', account(id), { label });
/** @param {string} id @param {Schemas['NewProxy']} proxy */
export const setProxy = (id, proxy) => send('PUT', `${account(id)}/proxy`, proxy);
/** @param {string} id */
export const forgetProxy = (id) => json(`${account(id)}/proxy`, { method: 'DELETE' });
/** @param {string} id @param {string} deviceName */
export const setDeviceName = (id, deviceName) => send('PUT', `${account(id)}/device-name`, { deviceName });
/** @param {string} id */
export const forgetDeviceName = (id) => json(`${account(id)}/device-name`, { method: 'DELETE' });
/** @param {string} id @param {string[]} tags @returns {Promise<Account>} */
export const setTags = (id, tags) => send('PUT', `${account(id)}/tags`, { tags });
/** @param {string} id @param {{ add?: string[], remove?: string[] }} change @returns {Promise<Account>} */
export const changeTags = (id, change) => send('PATCH', `${account(id)}/tags`, change);
/** @param {string} id @param {string} desiredPhone */
export const setDesiredPhone = (id, desiredPhone) => send('PUT', `${account(id)}/desired-phone`, { desiredPhone });
/** @param {string} id */
export const forgetDesiredPhone = (id) => json(`${account(id)}/desired-phone`, { method: 'DELETE' });
/** Where the accounts are as CSV. @param {string} query */
export const exportPath = (query) => `/api/accounts.csv${query ? `?${query}` : ''}`;
/** @param {string} text @param {{ key: string, dryRun?: boolean }} options @returns {Promise<ImportedAccounts>} */
export const importAccounts = (text, { key, dryRun = false }) =>
  json(`/api/accounts/import?dryRun=${dryRun}`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/csv', 'Idempotency-Key': key },
    body: text,
  });
/** @param {string} id @returns {Promise<Group[]>} */
export const groups = async (id) => (await json(`${account(id)}/groups`)).groups;
/** The QR code as a data URL, since the picture behind its address changes. @param {string} id */
export const qr = async (id) =>
  `data:image/svg+xml,${encodeURIComponent(await (await request(`${account(id)}/qr?format=svg`)).text())}`;
/** @param {string} id @returns {Promise<PairingLink[]>} */
export const links = async (id) => (await json(`${account(id)}/links`)).links;
/** @param {string} id @param {Schemas['NewPairingLink']} wanted @returns {Promise<{ url: string }>} */
export const makeLink = (id, wanted) => send('POST', `${account(id)}/links`, wanted);
/** @param {string} id @param {string} link */
export const revokeLink = (id, link) => json(`${account(id)}/links/${encodeURIComponent(link)}`, { method: 'DELETE' });
/** @param {string} token */
export const logIn = (token) => send('POST', '/login', { token });
export const logOut = () => send('POST', '/logout', {});

/** Events or audit records that are read at once. */
export const PAGE = 100;
/** No `seq` or id reaches it. */
export const NEWEST = Number.MAX_SAFE_INTEGER;

/** The page of events below `seq`, oldest first. @param {string} id @param {number} seq @returns {Promise<Event[]>} */
export const eventsBefore = async (id, seq) => (await json(`${account(id)}/events?before=${seq}&limit=${PAGE}`)).events;

/** The page of audit records below `record`, oldest first. @param {string} id @param {number} record @returns {Promise<AuditRecord[]>} */
export const auditBefore = async (id, record) =>
  (await json(`${account(id)}/audit?before=${record}&limit=${PAGE}`)).records.reverse();

/** Messages that are read at once. */
const MESSAGES = 20;

/** The last messages, oldest first. @param {string} id @returns {Promise<Message[]>} */
export const lastMessages = async (id) =>
  (await json(`${account(id)}/messages?before=${NEWEST}&limit=${MESSAGES}`)).messages;

/** Messages of a chat, and chats, that are read at once: the most that the server gives. */
export const CHAT_PAGE = 100;

/** The page of messages of a chat below the message `before`, oldest first. @param {string} id @param {string} jid @param {number} before @returns {Promise<Message[]>} */
export const messagesOf = async (id, jid, before) =>
  (await json(`${account(id)}/messages?chat=${encodeURIComponent(jid)}&before=${before}&limit=${CHAT_PAGE}`)).messages;

/** The page of chats whose last message is below `before`, the newest first. @param {string} id @param {number} before @returns {Promise<Chat[]>} */
export const chatsBefore = async (id, before) =>
  (await json(`${account(id)}/chats?before=${before}&limit=${CHAT_PAGE}`)).chats;

/** @param {string} id @param {Schemas['NewMessage']} message @param {string} key @returns {Promise<Message>} */
export const sendMessage = (id, message, key) =>
  send('POST', `${account(id)}/messages`, message, { 'Idempotency-Key': key });

/** @param {number} id @returns {Promise<Message>} */
export const cancelMessage = (id) => json(`/api/messages/${id}`, { method: 'DELETE' });

/** The live stream from this position on; without one, from now on. @param {string} cursor @param {AbortSignal} signal */
export async function stream(cursor, signal) {
  /** @type {Record<string, string>} */
  const headers = cursor ? { 'Last-Event-ID': cursor } : {};
  const { body } = await request('/api/events', { headers, signal });
  if (!body) throw new ApiError(0, 'the live stream has no body');
  return body;
}

/**
 * Sends a command and waits for its end. Resolves to its result in words. A click that is sent twice is one command.
 * @param {string} id @param {string} kind @param {object} [args] @returns {Promise<string>}
 */
export async function command(id, kind, args = {}) {
  const key = { 'Idempotency-Key': crypto.randomUUID() };
  const sent = await send('POST', `${account(id)}/commands`, { kind, args }, key);
  for (let tries = 0; tries < 6; tries += 1) {
    const { state, result } = await json(`/api/commands/${sent.id}?wait=10`);
    if (state === 'done') return result;
    if (state === 'failed') throw new ApiError(422, result);
  }
  return 'It is queued: paird does it as soon as it can.';
}
