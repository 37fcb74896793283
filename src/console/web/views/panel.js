// @ts-check
// A button that opens a list of choices below it.
import { el } from '../lib/dom.js';

/**
 * @param {{ key: string, title: string, count: number, open: (key: string, isOpen: boolean) => void }} about
 * `count` of what is chosen in it
 * @param {...import('../lib/dom.js').Group} content
 */
export const panel = ({ key, title, count, open }, ...content) =>
  el(
    'div.panel',
    { 'data-key': `panel-${key}` },
    el(
      'button',
      {
        type: 'button',
        popovertarget: `panel-${key}`,
        'data-panel': key,
        'data-count': count > 0 && count,
        // Before the browser opens it.
        onclick: () => open(key, true),
      },
      title,
      count > 0 && el('b', {}, String(count)),
    ),
    el(
      'div',
      {
        id: `panel-${key}`,
        popover: 'auto',
        ontoggle: (/** @type {ToggleEvent} */ { newState }) => newState === 'closed' && open(key, false),
      },
      content,
    ),
  );
