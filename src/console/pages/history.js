// What happened to one account, kept up to date from its new end: the last page first,
// older ones when they are asked for, and what is new once.
import * as api from './api.js';

/** A list of which each item has a key that grows. `before(key)` reads the page below it. */
function scroll({ key, before, after }) {
  let items = [];
  let hasOlder = false;
  let isRead = false;

  async function fresh() {
    if (isRead) {
      const known = new Set(items.map(key));
      items.push(...(await after(items)).filter((item) => !known.has(key(item))));
      return;
    }
    items = await before(api.NEWEST);
    hasOlder = items.length === api.PAGE;
    isRead = true;
  }

  async function older() {
    if (!hasOlder) return;
    const page = await before(key(items[0]));
    hasOlder = page.length === api.PAGE;
    items.unshift(...page);
  }

  return { all: () => items, hasOlder: () => hasOlder, fresh, older };
}

const eventsOf = (id) =>
  scroll({
    key: (event) => event.seq,
    before: (seq) => api.eventsBefore(id, seq),
    after: (known) => api.events(id, known.at(-1)?.seq ?? 0),
  });

const auditOf = (id) =>
  scroll({
    key: (record) => record.id,
    before: (record) => api.auditBefore(id, record),
    // Records get their numbers before they are there to be read.
    after: () => api.auditBefore(id, api.NEWEST),
  });

/** One reading after the other, so that nothing is read twice. */
function inTurn() {
  let last = Promise.resolve();
  return (work) => {
    last = last.then(work, work);
    return last;
  };
}

/** The events alone. */
export function history(id) {
  const events = eventsOf(id);
  const turn = inTurn();
  return { all: events.all, read: () => turn(events.fresh) };
}

/** Events and audit together. */
export function chronicle(id) {
  const lists = [eventsOf(id), auditOf(id)];
  const turn = inTurn();
  const whenRead = (items) => Date.parse(items[0]?.createdAt);

  /** Before it one of the lists may have more, which is not here yet. */
  function horizon() {
    const open = lists.filter((list) => list.hasOlder());
    return Math.max(-Infinity, ...open.map((list) => whenRead(list.all())));
  }

  return {
    events: () => lists[0].all().filter((event) => Date.parse(event.createdAt) >= horizon()),
    audit: () => lists[1].all().filter((record) => Date.parse(record.createdAt) >= horizon()),
    hasOlder: () => lists.some((list) => list.hasOlder()),
    read: () => turn(() => Promise.all(lists.map((list) => list.fresh()))),
    /** Of the list that ends first: the other one reaches further back already. */
    older: () =>
      turn(() => {
        const end = horizon();
        return Promise.all(lists.filter((list) => list.hasOlder() && whenRead(list.all()) >= end).map((l) => l.older()));
      }),
  };
}
