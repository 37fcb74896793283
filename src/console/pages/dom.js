// Elements without markup in strings: text stays text, whoever chose it.

/** `el('p.hint', { id: 'x', onclick: f }, 'text', node, [more])`; `null` and `false` draw nothing. */
export function el(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split('.');
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(' ');
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...drawn(children));
  return node;
}

function drawn(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** A picture beside words that say the same. */
export function shape(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'shape');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('viewBox', '0 0 20 20');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `/static/shapes.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * A part of the page that is drawn again only when what it shows has changed. The keyboard
 * stays where it was and what was unfolded stays so: on the element with the same `data-focus`.
 */
export function part(host) {
  let last;
  return (facts, draw) => {
    const now = JSON.stringify(facts);
    if (now === last) return;
    last = now;
    const focused = host.contains(document.activeElement) && document.activeElement;
    const opened = [...host.querySelectorAll('details[open] > summary')].map((summary) => summary.dataset.focus);
    const find = (name) => host.querySelector(`[data-focus="${CSS.escape(name)}"]`);
    host.replaceChildren(...drawn([draw()]));
    opened.forEach((name) => name && find(name)?.parentElement.setAttribute('open', ''));
    if (focused) focusOn((focused.dataset.focus && find(focused.dataset.focus)) ?? host.querySelector('h1, h2'));
  };
}

/** A heading takes the focus, too, when what had it is gone. */
export function focusOn(node) {
  if (node?.matches('h1, h2')) node.tabIndex = -1;
  node?.focus({ preventScroll: true });
}

/** Does it unless it is being done already. Not `disabled`, which would lose the focus. */
export async function once(button, work) {
  if (button.ariaBusy === 'true') return;
  button.ariaBusy = 'true';
  try {
    await work();
  } finally {
    button.ariaBusy = null;
  }
}

/** Says it to who cannot see the page change. */
export function speak(text) {
  document.getElementById('spoken').textContent = text;
}

/** A message that goes away by itself when all is well, and stays when something failed. */
export function toast(text, tone = 'good') {
  const close = () => node.remove();
  const node = el(
    'div.toast',
    { 'data-tone': tone, role: tone === 'bad' ? 'alert' : 'status' },
    el('p', {}, text),
    el('button.quiet', { type: 'button', onclick: close, 'aria-label': 'Close message' }, 'Close'),
  );
  document.getElementById('toasts').append(node);
  if (tone !== 'bad') setTimeout(close, 6000);
}
