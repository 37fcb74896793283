// @ts-check
// The page's title: what it shows, behind the number of accounts that want a person.

const title = { text: 'paird', count: 0 };

function write() {
  const text = title.count > 0 ? `(${title.count}) ${title.text}` : title.text;
  if (document.title !== text) document.title = text;
}

/** @param {string} text */
export function entitle(text) {
  title.text = `${text} · paird`;
  write();
}

/** @param {number} count */
export function countInTitle(count) {
  title.count = count;
  write();
}
