// @ts-check
// Says whether the page is live, and after a moment that it is not; and that nobody takes commands.
import { byId, el, patch } from '../lib/dom.js';

const LOST_AFTER_MS = 1200;
let timer = 0;

/** @param {'live' | 'lost'} state */
export function banner(state) {
  const feed = byId('feed');
  if (feed.dataset.state === state) return;
  feed.dataset.state = state;
  feed.textContent = state === 'live' ? 'Live' : 'Reconnecting';
  clearTimeout(timer);
  if (state === 'live') show('lost', '');
  else
    timer = setTimeout(
      show,
      LOST_AFTER_MS,
      'lost',
      'The connection to paird is lost. What you see may be old; it comes back by itself.',
    );
}

/** @param {string} why Empty if somebody does. */
export const standing = (why) => show('standstill', why && `${why}.`);

/** @param {string} id @param {string} text */
function show(id, text) {
  byId(id).hidden = !text;
  patch(byId(id), text && el('p.lost-text', {}, text));
}
