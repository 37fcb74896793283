// @ts-check
// What the page of a fleet without accounts shows: whether everything is ready, and each way to add the first account.
import { el, once, shape, speak } from '../lib/dom.js';
import { sentence } from '../lib/text.js';
import * as api from '../model/api.js';
import { copiedOf, headline, LEVEL, nameOf, sorted } from '../model/setup.js';
import * as store from '../model/store.js';
import { card } from './card.js';
import { copyButton } from './copy.js';
import { labelField } from './dialogs.js';
import { importAccounts } from './files.js';

/** @import { Setup } from '../model/api.js' @import { Finding } from '../model/setup.js' */

/** @param {() => void} changed It is to be drawn again. @param {(id: string) => void} added */
export function firstHour(changed, added) {
  /** @type {Setup | null} */
  let setup = null;
  let wrong = '';
  let refusal = '';
  let isRead = false;

  // The daemon may be another one than before.
  store.begun.on(() => isRead && read());

  async function read() {
    isRead = true;
    try {
      setup = await api.setup();
      wrong = '';
    } catch (error) {
      wrong = api.messageOf(error);
    }
    changed();
  }

  async function readAgain() {
    await read();
    speak(headline(setup, wrong));
  }

  /** @param {SubmitEvent} event */
  function add(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem('label'));
    return once(/** @type {Element} */ (event.submitter ?? form), async () => {
      refusal = '';
      changed();
      try {
        added((await api.add(field.value.trim())).id);
      } catch (error) {
        refusal = api.messageOf(error);
        changed();
        field.focus();
      }
    });
  }

  return () => {
    if (!isRead) read();
    return el(
      'div.columns.first-hour',
      { 'data-key': 'first-hour' },
      card('ready', drawReady()),
      el('div.stack', {}, card('begin', drawBegin()), setup && drawWays(setup)),
    );
  };

  function drawReady() {
    const { troubles, good } = sorted(setup?.findings ?? []);
    return [
      el('h2', { id: 'ready' }, headline(setup, wrong)),
      el('p.small', { role: 'status', 'data-fact': 'summary' }, wrong || (setup && `${sentence(setup.summary)}.`)),
      troubles.length > 0 && el('ul.checks', { 'data-fact': 'troubles' }, troubles.map(drawFinding)),
      good.length > 0 &&
        el(
          'details.raw',
          // Where there is room beside the rest.
          { open: matchMedia('(min-width: 56rem)').matches },
          el('summary', {}, 'What is good'),
          el('ul.checks', { 'data-fact': 'good' }, good.map(drawFinding)),
        ),
      el(
        'div.row',
        {},
        el(
          'button',
          {
            type: 'button',
            'data-action': 'check',
            onclick: (/** @type {MouseEvent} */ { currentTarget }) => once(/** @type {Element} */ (currentTarget), readAgain),
          },
          'Check again',
        ),
      ),
    ];
  }

  function drawBegin() {
    return [
      el('h2', { id: 'begin' }, 'No accounts yet'),
      el('p.muted', {}, 'Add one here, then link it with a phone: it takes a minute.'),
      el(
        'form.stack',
        { onsubmit: add },
        labelField('', false),
        el('p.wrong', { role: 'alert' }, refusal),
        el('div.row', {}, el('button.primary', { type: 'submit', 'data-action': 'add' }, shape('plus'), 'Add account')),
      ),
    ];
  }
}

/** @param {Finding} finding */
const drawFinding = ({ check, level, found, advice }) =>
  el(
    'li',
    { 'data-tone': LEVEL[level].tone, 'data-level': level, 'data-check': check },
    shape(LEVEL[level].shape),
    el('p', {}, el('b', {}, nameOf(check)), el('span.unseen', {}, `, ${LEVEL[level].word}: `), el('span', {}, sentence(found))),
    advice && el('p.advice', {}, advice),
  );

/** @param {Setup} setup */
const drawWays = ({ ways }) => [
  el('h2', { id: 'ways' }, 'Or another way'),
  el(
    'div.ways',
    {},
    ways.map(({ key, title, what, text }) =>
      el(
        'section.card.stack',
        { 'aria-labelledby': `way-${key}`, 'data-way': key },
        el('h3', { id: `way-${key}` }, title),
        el('p.small.muted', {}, what),
        el('pre.snippet', { id: `text-${key}` }, text),
        el(
          'div.row',
          {},
          copyButton(copiedOf(key), text, `text-${key}`),
          key === 'file' && el('button', { type: 'button', onclick: importAccounts, 'data-action': 'import' }, 'Import CSV'),
        ),
      ),
    ),
  ),
];
