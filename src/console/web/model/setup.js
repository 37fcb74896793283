// @ts-check
// Whether a fleet without accounts can have its first one, as data. The words are the server's. Pure.

import { sentence } from '../lib/text.js';

/**
 * @import { Setup } from './api.js'
 * @typedef {Setup['findings'][number]} Finding
 */

/** How a level looks, and reads to whoever cannot see that. */
export const LEVEL = /** @type {const} */ ({
  ok: { tone: 'good', shape: 'connected', word: 'good' },
  warn: { tone: 'warn', shape: 'held', word: 'to look at' },
  fail: { tone: 'bad', shape: 'refused', word: 'broken' },
});

/** Written otherwise than in lower case. @type {Record<string, string>} */
const NAMES = { whatsapp: 'WhatsApp' };

/** @param {string} check */
export const nameOf = (check) => NAMES[check] ?? sentence(check);

const WORST = /** @type {const} */ (['fail', 'warn', 'ok']);

/** What a person has to do something about, the worst first, and what is good. @param {Finding[]} findings */
export function sorted(findings) {
  const byLevel = WORST.map((level) => findings.filter((finding) => finding.level === level));
  return { troubles: byLevel.slice(0, -1).flat(), good: byLevel[WORST.length - 1] };
}

/** @param {Setup | null} setup @param {string} wrong Why it could not be read */
export function headline(setup, wrong) {
  if (wrong) return 'It is not known whether everything is ready';
  if (!setup) return 'Looking whether everything is ready …';
  return { ok: 'Everything is ready', warn: 'Ready, but look at this', fail: 'Not ready yet' }[setup.worst];
}

/** What its button copies, by the key of a way. @type {Record<string, string>} */
const COPIED = { command_line: 'commands', sql: 'statements', api: 'requests', file: 'example' };

/** @param {string} key */
export const copiedOf = (key) => COPIED[key] ?? 'text';
