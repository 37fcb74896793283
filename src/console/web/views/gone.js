// @ts-check
import { el } from '../lib/dom.js';

export const gone = () =>
  el(
    'div.card.empty',
    { 'data-key': 'gone' },
    el('h1', {}, 'No such account'),
    el('p.muted', {}, 'It was deleted, or the address is wrong.'),
    el('a.button', { href: '/' }, 'All accounts'),
  );
