// @ts-check
// Points in time as people say them, by the server's clock, because a laptop's may be wrong.

let ahead = 0;

/**
 * Takes the time from an answer's `Date` header, which has whole seconds: less than 1.5 s counts as equal.
 * @param {string | null} header
 */
export function setByServer(header) {
  const difference = Date.parse(header ?? '') - Date.now();
  if (Number.isFinite(difference)) ahead = Math.abs(difference) < 1500 ? 0 : difference;
}

export const now = () => Date.now() + ahead;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** "3 minutes ago" @param {string} at */
export function since(at) {
  const seconds = Math.round((Date.parse(at) - now()) / 1000);
  const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  return unit ? relative.format(Math.trunc(seconds / unit[1]), unit[0]) : 'just now';
}

/** "4:32", "1 h 05 min"; never below zero. @param {string} at */
export function left(at) {
  const seconds = secondsLeft(at);
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  if (seconds >= 86_400) return `${Math.floor(seconds / 86_400)} d ${Math.floor(seconds / 3600) % 24} h`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

/** "in 0:14", and "now" once it is over. @param {string} at */
export const until = (at) => (secondsLeft(at) ? `in ${left(at)}` : 'now');

/** The least of the times that there are. @param {...(string | null | undefined)} times */
export const soonest = (...times) =>
  times.filter((at) => typeof at === 'string').sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? '';

/** @param {string} at */
export const secondsLeft = (at) => Math.max(0, Math.ceil((Date.parse(at) - now()) / 1000));

const days = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full' });

/** "Saturday 28 November 2026" @param {string} at */
export const day = (at) => days.format(new Date(at));

/** "28 Nov 2026, 16:04:28" @param {string} at */
export const exact = (at) => absolute.format(new Date(at));
