// @ts-check
// Tags as people type them, and the mistakes of a file. Pure.

/** Words between commas; none of them empty. @param {string} text */
export const inTags = (text) =>
  text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');

/**
 * @typedef {{ line: number, column?: string | null, detail: string }} Mistake
 * @typedef {{ mistakes?: Mistake[], mistakeCount?: number } | null} ImportProblem
 */

/** The first mistakes of a file as sentences, and how many more there are. @param {ImportProblem} problem @param {number} most */
export function mistakesOf(problem, most) {
  const mistakes = problem?.mistakes ?? [];
  const lines = mistakes.slice(0, most).map(({ line, column, detail }) => `Line ${line}${column ? `, ${column}` : ''}: ${detail}`);
  const more = (problem?.mistakeCount ?? mistakes.length) - lines.length;
  return more > 0 ? [...lines, `And ${more} more.`] : lines;
}
