// @ts-check
// Numbers and words as people read them.

let areHidden = false;

/** Somebody looks over the shoulder: of each number its end alone is shown, from now on. @param {boolean} yes */
export function hideNumbers(yes) {
  areHidden = yes;
}

/** `+43 660 100 0001`: digits in groups of three, from the right. @param {string | null | undefined} digits */
export function phone(digits) {
  if (!digits) return '';
  if (areHidden) return `… ${digits.slice(-3)}`;
  const groups = [];
  for (let end = digits.length; end > 0; end -= 3) groups.unshift(digits.slice(Math.max(0, end - 3), end));
  if (groups.length > 1 && groups[0].length === 1) groups.splice(0, 2, groups[0] + groups[1]);
  return `+${groups.join(' ')}`;
}

/** A sentence that may contain numbers. @param {string} text */
export const discreet = (text) =>
  areHidden ? text.replace(/\+\d[\d ]{6,}\d|\d{8,}/g, (number) => phone(number.replace(/\D/g, ''))) : text;

/** Marks of direction: what they begin goes on behind the text that they are in. */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** «A name» that somebody chose: it turns nothing beside it. @param {string} name */
export const quoted = (name) => `«${TURNS.test(name) ? `\u2068${name.replace(/[\u2066-\u2069]/g, '')}\u2069` : name}»`;

/** "1 daemon", "2 daemons" @param {number} count @param {string} noun */
export const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Starts with a capital; an unknown word is shown with spaces for its underscores. @param {string} text */
export function sentence(text) {
  const words = /^[a-z_]+$/.test(text) ? text.replaceAll('_', ' ') : text;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A pair code without its dash. @param {string} code */
export const bare = (code) => code.replace(/[^0-9a-z]/gi, '');

/** People read codes in fours, and more than four do not fit on a phone. @param {string} code */
export const inFours = (code) => bare(code).match(/.{1,4}/g) ?? [];

/** For screen readers. @param {string[]} groups */
export const spelt = (groups) => groups.map((group) => [...group].join(' ')).join(', ');
