// The events of one account, kept up to date: each is read once.
import * as api from './api.js';

export function history(id) {
  let events = [];
  let reading = Promise.resolve();

  async function more() {
    const fresh = await api.events(id, events.at(-1)?.seq ?? 0);
    if (fresh.length) events = [...events, ...fresh];
    return events;
  }

  return {
    all: () => events,
    /** One reading after the other, so that nothing is read twice. */
    read() {
      reading = reading.then(more, more);
      return reading;
    },
  };
}
