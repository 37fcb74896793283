// @ts-check
// Builds elements by code, never from markup in strings, so that text from strangers stays text.

/**
 * What an element can contain; `null`, `undefined` and `false` draw nothing.
 * @typedef {Node | string | Memo | null | undefined | false} Child
 * @typedef {Child | Child[]} Group
 * @typedef {Group | Group[] | Group[][]} Children
 * @typedef {{ key: string, facts: unknown[], draw: () => HTMLElement }} Memo
 * @typedef {Record<string, unknown>} Attributes
 */

/** What this element was drawn from. @type {WeakMap<Node, unknown[]>} */
const drawnFrom = new WeakMap();
const HANDLERS = /** @type {const} */ (['onclick', 'onchange', 'oninput', 'onsubmit', 'ontoggle']);
/** Attributes that the user or a script changed while the element is shown. */
const KEPT = ['open', 'aria-busy', 'tabindex', 'style'];

/**
 * `el('p.hint', { id: 'x', onclick: f }, 'text', node, [more])`
 * @param {string} spec
 * @param {Attributes} [attributes]
 * @param {...Children} children
 * @returns {HTMLElement}
 */
export function el(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split('.');
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(' ');
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') Object.assign(node, { [name]: value });
    else if (value !== null && value !== undefined && value !== false)
      node.setAttribute(name, value === true ? '' : String(value));
  }
  patch(node, ...children);
  return node;
}

/** @type {Map<string, Node>} */
const shapes = new Map();

/** A picture beside words that say the same. Lists have hundreds: a copy is cheaper than a new one. @param {string} name */
export function shape(name) {
  const known = shapes.get(name);
  if (known) return known.cloneNode(true);
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'shape');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('viewBox', '0 0 20 20');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `/static/shapes.svg#${name}`);
  svg.append(use);
  shapes.set(name, svg);
  return svg.cloneNode(true);
}

/**
 * A child that is drawn again only when one of `facts` has changed.
 * @param {string} key
 * @param {unknown[]} facts
 * @param {() => HTMLElement} draw
 * @returns {Memo}
 */
export const memo = (key, facts, draw) => ({ key, facts, draw });

/**
 * Makes the children of `host` look like these. Nodes that remain are kept, and with them focus, typed text,
 * unfolded details and open menus. Children with the same `data-key` are the same, others are matched in order.
 * When what had the focus is gone, the nearest heading takes it.
 * @param {Element} host
 * @param {...Children} children
 */
export function patch(host, ...children) {
  /** @type {Element[]} */
  const around = [];
  const focused = host.contains(document.activeElement) ? document.activeElement : null;
  for (let node = focused; node && node !== host; node = node.parentElement) around.push(node);
  reconcile(host, flattened(children));
  if (!focused || host.contains(document.activeElement)) return;
  const nearest = around.find((node) => host.contains(node)) ?? host;
  focusOn(nearest.querySelector('h1, h2') ?? host.querySelector('h1, h2') ?? host.closest('main'));
}

/** @param {Children[]} children @returns {(ChildNode | Memo)[]} */
function flattened(children) {
  const flat = /** @type {Child[]} */ (children.flat(Infinity));
  const drawn = flat.filter((child) => child !== null && child !== undefined && child !== false);
  return drawn.map((child) => /** @type {ChildNode | Memo} */ (typeof child === 'string' ? new Text(child) : child));
}

/** @param {Node | Memo} child */
const keyOf = (child) => ('draw' in child ? child.key : child instanceof HTMLElement ? child.dataset.key : undefined);

/** @param {Element} host @param {(ChildNode | Memo)[]} wanted */
function reconcile(host, wanted) {
  const keys = new Set(wanted.map(keyOf));
  /** @type {Map<string, Element>} */
  const keyed = new Map();
  for (const child of [...host.children]) {
    const key = keyOf(child);
    if (key && keys.has(key)) keyed.set(key, child);
    else if (key) child.remove();
  }
  let next = host.firstChild;
  for (const want of wanted) {
    const key = keyOf(want);
    const have = key ? keyed.get(key) : next && !keyOf(next) ? next : null;
    if (have && (isMemo(want) || have.nodeName === want.nodeName)) {
      if (have === next) next = next.nextSibling;
      else host.insertBefore(have, next);
      if (!isMemo(want)) update(have, want);
      else if (!isSame(drawnFrom.get(have), want.facts)) {
        update(have, want.draw());
        drawnFrom.set(have, want.facts);
      }
    } else {
      const node = isMemo(want) ? want.draw() : want;
      if (isMemo(want)) drawnFrom.set(node, want.facts);
      host.insertBefore(node, next);
    }
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

/** @param {Node | Memo} child @returns {child is Memo} */
const isMemo = (child) => 'draw' in child;

/** @param {unknown[] | undefined} before @param {unknown[]} now */
const isSame = (before, now) => now.every((fact, at) => fact === before?.[at]);

/** @param {Node} have @param {Node} want */
function update(have, want) {
  if (have === want) return;
  if (!(have instanceof Element && want instanceof Element)) {
    if (have.nodeValue !== want.nodeValue) have.nodeValue = want.nodeValue;
    return;
  }
  for (const name of have.getAttributeNames()) {
    if (!want.hasAttribute(name) && !KEPT.includes(name)) have.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) {
    if (have.getAttribute(name) !== value) have.setAttribute(name, value);
  }
  if (have instanceof HTMLElement && want instanceof HTMLElement) {
    for (const handler of HANDLERS) Object.assign(have, { [handler]: want[handler] });
  }
  // Once somebody has clicked a box, its attribute says nothing any more.
  if (have instanceof HTMLInputElement && have.type === 'checkbox') {
    have.checked = /** @type {HTMLInputElement} */ (want).checked;
  }
  reconcile(have, [...want.childNodes]);
}

/** @param {HTMLElement | null} node */
function focusOn(node) {
  if (!node) return;
  node.tabIndex = -1;
  node.focus({ preventScroll: true });
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no #${id}`);
  return node;
}

/**
 * Runs `work` unless it is running. Not `disabled`, which would lose the focus.
 * @param {Element} button
 * @param {() => unknown} work
 */
export async function once(button, work) {
  if (button.ariaBusy === 'true') return;
  button.ariaBusy = 'true';
  try {
    await work();
  } finally {
    button.ariaBusy = null;
  }
}

/** Says it to people who cannot see the page change. @param {string} text */
export function speak(text) {
  byId('spoken').textContent = text;
}

/** A message that goes away by itself, or stays if something failed. @param {string} text @param {'good' | 'bad'} [tone] */
export function toast(text, tone = 'good') {
  const close = () => node.remove();
  const node = el(
    'div.toast',
    { 'data-tone': tone, role: tone === 'bad' ? 'alert' : 'status' },
    el('p', {}, text),
    el('button.quiet', { type: 'button', onclick: close, 'aria-label': 'Close message' }, 'Close'),
  );
  byId('toasts').append(node);
  if (tone !== 'bad') setTimeout(close, 6000);
}
