// @ts-check
// `<time>` elements that stay true.
import { el } from './dom.js';
import { exact, left, since, until } from './time.js';

const FORMATS = { left, since, until };

/** @param {string} at @param {keyof typeof FORMATS} format */
export const time = (at, format) => el('time', { datetime: at, 'data-format': format }, FORMATS[format](at));

/** The exact time, when somebody points there: it takes a while, and a list has hundreds. @param {MouseEvent} event */
function explain({ target }) {
  if (target instanceof HTMLTimeElement && !target.title) target.title = exact(target.dateTime);
}

/** Calls `tick` every second, after the `<time>` elements. @param {() => void} [tick] */
export function everySecond(tick) {
  document.addEventListener('mouseover', explain);
  setInterval(() => {
    for (const node of document.querySelectorAll('time')) {
      const text = FORMATS[/** @type {keyof typeof FORMATS} */ (node.dataset.format)](node.dateTime);
      if (node.textContent !== text) node.textContent = text;
    }
    tick?.();
  }, 1000);
}
