// @ts-check
// `<time>` elements that stay true.
import { el } from './dom.js';
import { exact, left, since, until } from './time.js';

const FORMATS = { left, since, until };

/** @param {string} at @param {keyof typeof FORMATS} format */
export const time = (at, format) =>
  el('time', { datetime: at, 'data-format': format, title: exact(at) }, FORMATS[format](at));

/** Calls `tick` every second, after the `<time>` elements. @param {() => void} [tick] */
export function everySecond(tick) {
  setInterval(() => {
    for (const node of document.querySelectorAll('time')) {
      const text = FORMATS[/** @type {keyof typeof FORMATS} */ (node.dataset.format)](node.dateTime);
      if (node.textContent !== text) node.textContent = text;
    }
    tick?.();
  }, 1000);
}
