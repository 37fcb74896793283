// @ts-check
// Small pictures of how figures went. What they show is said in words beside them, too.
import { el } from './dom.js';

const WIDTH = 360;
const HEIGHT = 72;

/**
 * @typedef {{ name: string, tone: string, values: (number | null)[] }} Series A value for each moment; null where there is none.
 */

/** @param {string} tag @param {Record<string, string | number>} attributes @param {Element[]} [children] */
function svg(tag, attributes, children = []) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/**
 * The points of each unbroken piece of a line, as an SVG path. A piece of one value is drawn as a short line.
 * @param {(number | null)[]} values @param {number} most The value at the upper edge.
 */
export function path(values, most) {
  const step = WIDTH / Math.max(1, values.length - 1);
  let drawn = '';
  let isDown = false;
  for (const [at, value] of values.entries()) {
    if (value === null) {
      isDown = false;
      continue;
    }
    const [x, y] = [at * step, HEIGHT - 1 - (value / most) * (HEIGHT - 3)].map((one) => Math.round(one * 10) / 10);
    drawn += isDown ? `L${x} ${y}` : `M${x} ${y}h.1`;
    isDown = true;
  }
  return drawn;
}

/** The last value that there is. @param {Series} series */
export const latest = ({ values }) => values.findLast((value) => value !== null) ?? null;

/**
 * @param {string} key @param {string} title @param {Series[]} series
 * @param {(value: number) => string} [say] How a value is written.
 */
export function plot(key, title, series, say = String) {
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
  const most = Math.max(1, ...known);
  const lines = series.map(({ tone, values }) =>
    svg('path', { d: path(values, most), 'data-tone': tone, class: 'line', 'vector-effect': 'non-scaling-stroke' }),
  );
  const now = series.map((one) => {
    const value = latest(one);
    return el(
      'span',
      { 'data-tone': one.tone, 'data-series': one.name },
      `${one.name} `,
      el('b', {}, value === null ? '–' : say(value)),
    );
  });
  return el(
    'figure.plot',
    { 'data-key': key, 'data-plot': key },
    el('figcaption', {}, el('h3', {}, title), el('p.small.legend', {}, now)),
    known.length > 0 &&
      el(
        'div.picture',
        {
          role: 'img',
          'aria-label': `${title}: between ${say(Math.min(...known))} and ${say(Math.max(...known))}`,
        },
        svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, lines),
        el('span.most.small.muted', { 'aria-hidden': 'true' }, say(most)),
      ),
  );
}
