// @ts-check
// A menu is a popover: the browser opens it, closes it on Escape or a click elsewhere, and gives the focus back.
import { el } from './dom.js';

/**
 * @param {string} id @param {string} label
 * @param {HTMLElement[] | null} items `null` while it is closed and nobody needs them
 * @param {(isOpen: boolean) => void} turned Told just before it opens, and when it has closed.
 */
export const menu = (id, label, items, turned) =>
  el(
    'div.menu',
    {},
    el('button.quiet', {
      type: 'button',
      popovertarget: id,
      'data-action': 'menu',
      'aria-label': label,
      onclick: () => turned(true),
    }),
    items &&
      el(
        'ul',
        {
          id,
          popover: 'auto',
          ontoggle: (/** @type {ToggleEvent} */ { newState }) => newState === 'closed' && turned(false),
        },
        items.map((item) => el('li', {}, item)),
      ),
  );

/** Before a dialog opens, so that it gives the focus back to the menu's button. @param {Element} item */
export function closeAround(item) {
  /** @type {HTMLElement | null} */ (item.closest('[popover]'))?.hidePopover();
}
