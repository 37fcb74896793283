// A menu is a <details>: Escape and a click elsewhere close it.
import { el, shape } from './dom.js';

export function menu(label, items) {
  const summary = el('summary', { 'data-focus': 'menu' }, shape('more'), el('span.unseen', {}, label));
  return el(
    'details.menu',
    {},
    summary,
    el(
      'ul',
      {},
      items.map((item) => el('li', {}, item)),
    ),
  );
}

/** The menu that this was chosen from is closed; whatever follows comes back to it. */
export function closeAround(item) {
  const around = item.closest('details.menu');
  if (!around) return;
  around.removeAttribute('open');
  around.querySelector('summary').focus();
}

const open = () => document.querySelectorAll('details.menu[open]');

document.addEventListener('click', (event) => {
  open().forEach((each) => each.contains(event.target) || each.removeAttribute('open'));
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  open().forEach((each) => {
    each.removeAttribute('open');
    each.querySelector('summary').focus();
  });
});
