// @ts-check
// Which accounts are selected. Pure.

export function choosing() {
  /** @type {Set<string>} */
  const ids = new Set();
  /** Where a range begins. */
  let anchor = '';

  /** @param {string} id @param {boolean} isChosen */
  const set = (id, isChosen) => void (isChosen ? ids.add(id) : ids.delete(id));

  return {
    has: (/** @type {string} */ id) => ids.has(id),
    size: () => ids.size,
    ids: () => [...ids],
    clear: () => ids.clear(),
    /** @param {Iterable<string>} wanted */
    replace(wanted) {
      ids.clear();
      for (const id of wanted) ids.add(id);
    },
    /** @param {string} id */
    toggle(id) {
      set(id, !ids.has(id));
      anchor = id;
    },
    /** From the last one that was toggled to this one, all become what this one becomes. @param {string} id @param {string[]} order */
    toggleTo(id, order) {
      const [from, to] = [order.indexOf(anchor), order.indexOf(id)].sort((a, b) => a - b);
      const isChosen = !ids.has(id);
      for (const each of from < 0 ? [id] : order.slice(from, to + 1)) set(each, isChosen);
      anchor = id;
    },
    /** All of these, or none of them if they were. @param {string[]} shown */
    toggleAll(shown) {
      const isChosen = !shown.every((id) => ids.has(id));
      for (const id of shown) set(id, isChosen);
    },
    /** Forgets those that are gone. @param {(id: string) => boolean} exists */
    keep(exists) {
      for (const id of ids) if (!exists(id)) ids.delete(id);
    },
  };
}
