// @ts-check
// Which rows of a long list are in sight. Pure.

/** Rows beyond each edge that are drawn, too: a flick of the wheel meets rows, not a hole. */
export const SPARE = 8;

/**
 * The rows from `first` up to, not including, `end`.
 * @param {{ count: number, height: number, above: number, sight: number, spare?: number }} list `height` of a row, how
 *   far the list's begin is `above` the top of the window, and the window's own height, all in px
 */
export function pane({ count, height, above, sight, spare = SPARE }) {
  const first = Math.min(Math.max(0, Math.floor(above / height) - spare), Math.max(0, count - 1));
  // It begins at an even row, so that stripes and half of all scrolling change nothing.
  const begin = first - (first % 2);
  return { first: begin, end: Math.min(count, Math.max(begin, Math.ceil((above + sight) / height) + spare)) };
}

/**
 * How far to scroll, in px, so that a row is in sight; 0 if it is.
 * @param {{ at: number, height: number, above: number, sight: number, covered: number }} row `covered`: px at the top
 *   of the window that lie under what stays there
 */
export function wayTo({ at, height, above, sight, covered }) {
  const top = at * height - above;
  if (top < covered) return top - covered;
  return Math.max(0, top + height - sight);
}
