// @ts-check
// What happened to one account: the last page first, older ones when they are asked for, new events from the stream.
import * as api from './api.js';

/** @import { AuditRecord, Event } from './api.js' */

/** Items that are kept while new ones come, so that a page can stay open for days. */
const MOST = 1000;

/**
 * A page that was read joined with what is known already, both oldest first. What is known and does not reach
 * into the page is dropped, since something is missing between them.
 * @template T
 * @param {T[]} known
 * @param {T[]} page
 * @param {(item: T) => number} key
 */
export function joined(known, page, key) {
  if (page.length === 0) return known;
  const [first, last] = [key(page[0]), key(page[page.length - 1])];
  const isOverlapping = known.some((item) => key(item) >= first && key(item) <= last);
  const rest = known.filter((item) => key(item) > last || (isOverlapping && key(item) < first));
  return [...rest, ...page].sort((a, b) => key(a) - key(b));
}

/**
 * @template {{ createdAt: string }} T
 * @param {(item: T) => number} key
 * @param {(before: number) => Promise<T[]>} readBefore
 */
function pages(key, readBefore) {
  /** @type {T[]} */
  let items = [];
  let hasOlder = false;
  let most = MOST;
  /** @type {Promise<unknown>} */
  let turn = Promise.resolve();
  /** One read after the other. @param {() => Promise<void>} work */
  const inTurn = (work) => {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  };

  return {
    all: () => items,
    hasOlder: () => hasOlder,
    lastKey: () => (items.length ? key(items[items.length - 1]) : 0),
    /** When the oldest known item was, if there are older ones. */
    horizon: () => (hasOlder ? Date.parse(items[0].createdAt) : -Infinity),
    /** @param {T} item */
    add(item) {
      hasOlder ||= items.length >= most;
      items = [...items, item].slice(-most);
    },
    read: () =>
      inTurn(async () => {
        const page = await readBefore(api.NEWEST);
        const kept = joined(items, page, key);
        if (kept[0] === page[0]) hasOlder = page.length === api.PAGE;
        items = kept;
      }),
    older: () =>
      inTurn(async () => {
        const page = await readBefore(key(items[0]));
        hasOlder = page.length === api.PAGE;
        items = [...page, ...items];
        most = Math.max(most, items.length);
      }),
  };
}

/** The events of an account. @param {string} id */
export function history(id) {
  const events = pages(
    (/** @type {Event} */ event) => event.seq,
    (before) => api.eventsBefore(id, before),
  );
  let isRead = false;

  async function read() {
    await events.read();
    isRead = true;
  }

  return {
    ...events,
    read,
    /** Takes an event of the stream. `seq` has no gaps: after one the page is read. @param {Event} event */
    async take(event) {
      const last = events.lastKey();
      if (event.seq <= last) return;
      if (isRead && event.seq > last + 1) await read();
      else events.add(event);
    },
  };
}

/** Events and audit records together. @param {string} id */
export function chronicle(id) {
  const events = history(id);
  const audit = pages(
    (/** @type {AuditRecord} */ record) => record.id,
    (before) => api.auditBefore(id, before),
  );
  const lists = [events, audit];
  /** Before it, one of the lists may have items that are not read yet. */
  const horizon = () => Math.max(...lists.map((list) => list.horizon()));
  /** @template {{ createdAt: string }} T @param {T[]} items */
  const sinceHorizon = (items) => items.filter((item) => Date.parse(item.createdAt) >= horizon());

  return {
    events: () => sinceHorizon(events.all()),
    audit: () => sinceHorizon(audit.all()),
    hasOlder: () => lists.some((list) => list.hasOlder()),
    read: () => Promise.all([events.read(), audit.read()]),
    take: events.take,
    readAudit: audit.read,
    /** Of the list that ends first: the other one reaches further back already. */
    older() {
      const end = horizon();
      return Promise.all(lists.filter((list) => list.hasOlder() && list.horizon() >= end).map((list) => list.older()));
    },
  };
}
