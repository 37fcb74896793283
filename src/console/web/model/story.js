// @ts-check
// The lines of an account's story, newest first. Pure.

/**
 * @import { AuditRecord, Event } from './api.js'
 * @typedef {{ key: string, kind: string, text: string, tone: string, raw: string, at: string, nth: number, where: string, times: number }} Line
 */

/** @param {Event[]} events @param {AuditRecord[]} records @returns {Line[]} */
export function story(events, records) {
  const lines = [...events.map(ofEvent), ...records.map(ofRecord)];
  return gathered(lines.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at) || b.nth - a.nth));
}

/** @param {Event} happened @returns {Line} */
function ofEvent({ type, payload, seq, createdAt, eventText: text, tone }) {
  const raw = Object.keys(payload).length > 0 ? JSON.stringify(payload, null, 2) : '';
  return { key: `event-${seq}`, kind: type, text, tone, raw, at: createdAt, nth: seq, where: `event ${seq}`, times: 1 };
}

/** @param {AuditRecord} record @returns {Line} */
function ofRecord({ action, actionText: text, payload, id, createdAt }) {
  const raw = String(/** @type {Record<string, unknown>} */ (payload)?.raw ?? '');
  return {
    key: `audit-${id}`,
    kind: action,
    text,
    tone: 'idle',
    raw,
    at: createdAt,
    nth: id,
    where: 'audit log',
    times: 1,
  };
}

/** Codes that are not scanned are replaced by new ones, and messages come in rows. */
const GATHERED = ['session.qr', 'session.code', 'message.received', 'message.echo'];

/** One line for all that come one after the other. @param {Line[]} lines */
function gathered(lines) {
  /** @type {Line[]} */
  const found = [];
  for (const line of lines) {
    const before = found.at(-1);
    if (before?.kind === line.kind && GATHERED.includes(line.kind)) before.times += 1;
    else found.push({ ...line });
  }
  return found;
}
