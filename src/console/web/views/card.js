// @ts-check
// A part of a page, set off from the others.
import { el } from '../lib/dom.js';

/** @param {string} name The id of its heading. @param {import('../lib/dom.js').Children} content */
export const card = (name, content) => el('section.card.stack', { 'aria-labelledby': name }, content);
