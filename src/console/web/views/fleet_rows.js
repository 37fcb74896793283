// @ts-check
// The rows of the fleet's table that are in sight: the others are height alone.
import { patch } from '../lib/dom.js';
import { SPARE, pane, wayTo } from '../model/pane.js';

/**
 * @import { Memo } from '../lib/dom.js'
 * @import { Account } from '../model/api.js'
 * @typedef {object} Around
 * @property {HTMLTableElement} table
 * @property {HTMLTableSectionElement} header
 * @property {HTMLTableSectionElement} body
 * @property {() => Element | null} tools What stays above the header.
 * @property {() => Element | null} bar What stays at the foot of the window.
 * @property {(account: Account) => Memo} row
 */

/** @param {Around} around */
export function rowsInSight({ table, header, body, tools, bar, row }) {
  /** @type {Account[]} */
  let shown = [];
  /** @type {Map<string, number>} */
  let places = new Map();
  /** The account whose row the keyboard is in, or would be. */
  let active = '';
  let knownHeight = 0;
  /** What was drawn last, and how far below the document's begin the rows begin, in px. */
  const drawn = { first: -1, end: -1, top: 0 };

  /** In px, by the style sheet; it is another one on a phone. */
  const rowHeight = () => (knownHeight ||= parseFloat(getComputedStyle(table).getPropertyValue('--row')));
  const above = () => scrollY - drawn.top;
  /** What lies over the rows once they are scrolled. On a phone, nothing does. */
  const covered = () => header.offsetHeight && header.offsetHeight + heightOf(tools());

  function measure() {
    drawn.top = scrollY + body.getBoundingClientRect().top;
  }

  /** @param {boolean} isChanged @param {number} [spare] */
  function draw(isChanged, spare = SPARE) {
    const height = rowHeight();
    if (isChanged) measure();
    const { first, end } = pane({ count: shown.length, height, above: above(), sight: innerHeight, spare });
    if (!isChanged && first === drawn.first && end === drawn.end) return;
    Object.assign(drawn, { first, end });
    const inSight = shown.slice(first, end);
    // The row with the focus stays, wherever it is.
    const away = body.contains(document.activeElement) ? places.get(active) : undefined;
    const isAway = away !== undefined && (away < first || away >= end);
    if (isAway) inSight[away < first ? 'unshift' : 'push'](shown[away]);
    patch(body, inSight.map(row));
    for (const [at, node] of [...body.rows].entries()) {
      const nth = places.get(node.dataset.account ?? '') ?? at;
      const index = String(nth + 2);
      if (node.ariaRowIndex !== index) node.ariaRowIndex = index;
      const isElsewhere = isAway && nth === away;
      if (node.classList.toggle('away', isElsewhere)) node.style.top = `${nth * height}px`;
      else if (node.style.top) node.style.top = '';
    }
    body.style.height = `${shown.length * height}px`;
    body.style.paddingTop = `${first * height}px`;
  }

  /** A leap shows rows that are all new: first those in sight, then those around them. */
  function onScroll() {
    const { first, end } = pane({ count: shown.length, height: rowHeight(), above: above(), sight: innerHeight });
    const isLeap = first >= drawn.end || end <= drawn.first;
    draw(false, isLeap ? 0 : SPARE);
    if (isLeap) setTimeout(draw, 0, false);
  }

  addEventListener('scroll', onScroll, { passive: true });
  addEventListener('resize', () => {
    knownHeight = 0;
    draw(true);
  });
  body.addEventListener('focusin', ({ target }) => {
    const id = /** @type {HTMLElement} */ (target).closest('tr')?.dataset.account;
    if (!id || id === active) return;
    active = id;
    draw(true);
  });

  const isActive = (/** @type {string} */ id) => id === active;
  const hasFocus = () => body.contains(document.activeElement);

  function focus() {
    /** @type {HTMLElement | null} */
    const link = body.querySelector(`[data-account="${active}"] .name a`);
    link?.focus({ preventScroll: true });
  }

  return {
    isActive,
    active: () => active,
    places: () => places,
    /** @param {Account[]} accounts */
    show(accounts) {
      shown = accounts;
      places = new Map(accounts.map(({ id }, at) => [id, at]));
      if (!places.has(active)) active = accounts[0]?.id ?? '';
    },
    draw: () => draw(true),

    /** The keyboard goes to the row so many below; the first time, to where it is. @param {number} by */
    step(by) {
      const at = (places.get(active) ?? 0) + (hasFocus() ? by : 0);
      const next = Math.min(Math.max(at, 0), shown.length - 1);
      if (next < 0) return;
      active = shown[next].id;
      const sight = innerHeight - heightOf(bar());
      scrollBy(0, wayTo({ at: next, height: rowHeight(), above: above(), sight, covered: covered() }));
      draw(true);
      focus();
    },

    /** Which row is at the upper edge, how far from it, and where the keyboard is. */
    place() {
      const edge = covered() + above();
      const at = scrollY > 0 ? Math.max(0, Math.floor(edge / rowHeight())) : 0;
      const id = scrollY > 0 ? (shown[at]?.id ?? '') : '';
      return { id, offset: edge - at * rowHeight(), active, hasFocus: hasFocus() };
    },
    /** @param {ReturnType<typeof this.place>} place */
    goTo(place) {
      if (places.has(place.active)) active = place.active;
      // With all rows there is a scroll bar, and what is above may have taken another line.
      measure();
      const at = places.get(place.id);
      if (at !== undefined) scrollTo(0, drawn.top + at * rowHeight() + place.offset - covered());
      draw(true);
      if (place.hasFocus) focus();
    },
  };
}

/** @param {Element | null} element */
const heightOf = (element) => element?.getBoundingClientRect().height ?? 0;
