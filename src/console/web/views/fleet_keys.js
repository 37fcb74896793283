// @ts-check
// The keys of the fleet's page.
import { el } from '../lib/dom.js';
import { show } from './dialogs.js';

const KEYS = [
  ['/', 'Search'],
  ['j', 'Next account'],
  ['k', 'Previous account'],
  ['Enter', 'Open the account'],
  ['x', 'Select the account, or no longer'],
  ['← →', 'To what is in a row'],
  ['Esc', 'Out of the search; then select nothing'],
  ['?', 'These keys'],
];

/**
 * @param {{ body: HTMLElement, step: (by: number) => void, search: () => void, choose: () => void, clear: () => void }} to
 */
export function fleetKeys({ body, step, search, choose, clear }) {
  /** @type {Record<string, () => void>} */
  const anywhere = { '/': search, j: () => step(1), k: () => step(-1), x: choose, '?': help, Escape: clear };
  /** @type {Record<string, () => void>} */
  const inTable = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    ArrowRight: () => along(1),
    ArrowLeft: () => along(-1),
  };

  /** To the next thing in the row that takes the focus. @param {number} by */
  function along(by) {
    const row = document.activeElement?.closest('tr');
    const stops = [...(row?.querySelectorAll('a, button, input') ?? [])].filter((stop) => !stop.closest('[popover]'));
    const at = stops.indexOf(/** @type {Element} */ (document.activeElement));
    /** @type {HTMLElement | undefined} */ (stops[at + by])?.focus({ preventScroll: true });
  }

  document.addEventListener('keydown', (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    const at = /** @type {HTMLElement} */ (target);
    if (event.defaultPrevented || ctrlKey || metaKey || altKey) return;
    if (document.querySelector('dialog[open], :popover-open')) return;
    if (at.matches('textarea, select, input:not([type=checkbox])')) {
      if (key === 'Escape') at.blur();
      return;
    }
    const act = (body.contains(at) ? inTable[key] : undefined) ?? anywhere[key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

const help = () =>
  show(
    'Keys',
    el(
      'dl.keys',
      {},
      KEYS.map(([key, text]) => el('div', {}, el('dt', {}, el('kbd', {}, key)), el('dd', {}, text))),
    ),
  );
