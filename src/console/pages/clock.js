// Points in time as people say them, by the server's clock: a laptop's may be wrong.

let ahead = 0;

/** What the server's `Date` header said. It has whole seconds, so less than one is no difference. */
export function setByServer(header) {
  const difference = Date.parse(header) - Date.now();
  if (Number.isFinite(difference)) ahead = Math.abs(difference) < 1500 ? 0 : difference;
}

export function now() {
  return Date.now() + ahead;
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** "3 minutes ago" */
export function since(at) {
  const seconds = Math.round((Date.parse(at) - now()) / 1000);
  const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  return unit ? relative.format(Math.trunc(seconds / unit[1]), unit[0]) : 'just now';
}

/** "4:32", "1 h 05 min"; never below zero. */
export function left(at) {
  const seconds = secondsLeft(at);
  const two = (n) => String(n).padStart(2, '0');
  if (seconds >= 86_400) return `${Math.floor(seconds / 86_400)} d ${Math.floor(seconds / 3600) % 24} h`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

export function secondsLeft(at) {
  return Math.max(0, Math.ceil((Date.parse(at) - now()) / 1000));
}

export function exact(at) {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

/** "in 0:14", and "now" when that is over. */
function until(at) {
  return secondsLeft(at) ? `in ${left(at)}` : 'now';
}

const WAYS = { since, left, until };

/** A `<time>` that stays true: `how` is `since`, `left` or `until`. */
export function time(at, how) {
  const node = document.createElement('time');
  node.dateTime = at;
  node.dataset.clock = how;
  node.title = exact(at);
  write(node);
  return node;
}

function write(node) {
  const text = WAYS[node.dataset.clock](node.dateTime);
  if (node.textContent !== text) node.textContent = text;
}

const everySecond = new Set();

/** Called each second, and now. Returns how to stop it. */
export function eachSecond(tick) {
  everySecond.add(tick);
  tick();
  return () => everySecond.delete(tick);
}

setInterval(() => {
  document.querySelectorAll('time[data-clock]').forEach(write);
  everySecond.forEach((tick) => tick());
}, 1000);
