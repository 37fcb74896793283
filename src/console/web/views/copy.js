// @ts-check
// A button that copies a text, and says so.
import { el, once, speak, toast } from '../lib/dom.js';

const COPIED_MS = 4000;
/** What was copied a moment ago: a page that is drawn again meanwhile goes on saying so. @type {Set<string>} */
const copied = new Set();

/**
 * @param {string} what
 * @param {string} text
 * @param {string} [shownIn] The element that shows the text: it is selected where the browser refuses to copy.
 */
export const copyButton = (what, text, shownIn = '') =>
  el(
    'button',
    {
      type: 'button',
      'data-action': 'copy',
      onclick: (/** @type {MouseEvent} */ { currentTarget }) => {
        const button = /** @type {HTMLElement} */ (currentTarget);
        return once(button, () => copy(button, what, text, shownIn));
      },
    },
    copied.has(text) ? 'Copied' : `Copy ${what}`,
  );

/** @param {HTMLElement} button @param {string} what @param {string} text @param {string} shownIn */
async function copy(button, what, text, shownIn) {
  if (!(await toClipboard(text)) && !copiedFromField(button, text)) {
    const isSelected = select(document.getElementById(shownIn));
    toast(`This browser does not let pages copy.${isSelected ? ' The text is selected: copy it by hand.' : ''}`, 'bad');
    return;
  }
  copied.add(text);
  button.textContent = 'Copied';
  speak(`Copied: ${what}.`);
  setTimeout(() => {
    copied.delete(text);
    // It may have become another button.
    if (button.textContent === 'Copied') button.textContent = `Copy ${what}`;
  }, COPIED_MS);
}

/** Refused without permission, and absent on an address that is neither HTTPS nor loopback. @param {string} text */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** The older way asks for no permission. Beside the button: a dialog keeps the focus inside. @param {HTMLElement} button @param {string} text */
function copiedFromField(button, text) {
  const field = /** @type {HTMLTextAreaElement} */ (el('textarea.unseen', { readonly: true, tabindex: '-1' }));
  field.value = text;
  button.after(field);
  field.select();
  const isDone = document.execCommand('copy');
  field.remove();
  button.focus({ preventScroll: true });
  return isDone;
}

/** @param {HTMLElement | null} shown */
function select(shown) {
  if (!shown) return false;
  if (shown instanceof HTMLInputElement) shown.select();
  else getSelection()?.selectAllChildren(shown);
  return true;
}
