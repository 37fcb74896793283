// @ts-check
// A menu is a popover: the browser opens it, closes it on Escape or a click elsewhere, and gives the focus back.
import { el, shape } from './dom.js';

/** @param {string} id @param {string} label @param {HTMLElement[]} items */
export const menu = (id, label, items) =>
  el(
    'div.menu',
    {},
    el(
      'button.quiet',
      { type: 'button', popovertarget: id, 'data-action': 'menu' },
      shape('more'),
      el('span.unseen', {}, label),
    ),
    el(
      'ul',
      { id, popover: 'auto' },
      items.map((item) => el('li', {}, item)),
    ),
  );

/** Before a dialog opens, so that it gives the focus back to the menu's button. @param {Element} item */
export function closeAround(item) {
  /** @type {HTMLElement | null} */ (item.closest('[popover]'))?.hidePopover();
}
