// @ts-check
// One question for several accounts, then what comes of each, line by line.
import { byId, el, once, speak } from '../lib/dom.js';
import { discreet, plural, sentence } from '../lib/text.js';
import * as api from '../model/api.js';
import { each, sifted, unpairings } from '../model/bulk.js';
import { needDaemon } from '../model/figures.js';
import { inTags } from '../model/tags.js';
import * as rounds from '../model/rounds.js';
import { option, proxyFields, saveProxy } from './dialogs.js';
import { tagChanges } from './tags.js';

/**
 * @import { Account } from '../model/api.js'
 * @import { Bulk } from '../model/bulk.js'
 * @typedef {Record<string, string>} Values
 * @typedef {(account: Account, values: Values) => Promise<string>} Work Resolves to its result in words.
 */

/** A browser has six connections to a host, and the live stream is one of them. */
const AT_ONCE = 4;
const NAMED = 6;

/** @type {Record<string, Work>} */
const WORK = {
  resume: ({ id }) => api.command(id, 'account.resume'),
  reconnect: ({ id }) => api.command(id, 'account.reconnect'),
  unpair: ({ id }, { logout }) => api.command(id, 'account.unpair', { logout: logout === 'yes' }),
  delete: ({ id }) => api.command(id, 'account.delete'),
  tags: async ({ id }, { add, remove }) => {
    await api.changeTags(id, { add: inTags(add), remove: inTags(remove) });
    return 'saved';
  },
  proxy: async ({ id }, values) => {
    await saveProxy(id, values);
    return 'saved';
  },
};

/**
 * Asks, and does it. Resolves to the ids of those for which it was not done; `null` if it was not begun.
 * @param {Bulk} bulk @param {Account[]} accounts @returns {Promise<string[] | null>}
 */
export function askInBulk(bulk, accounts) {
  const { concerned, leftOut } = sifted(bulk, accounts);
  const title = `${bulk.verb} ${plural(concerned.length, 'account')}?`;
  const wrong = el('p.wrong', { role: 'alert' });
  const go = el(bulk.isDangerous ? 'button.danger' : 'button.primary', { type: 'submit' }, bulk.text);
  const close = () => dialog.close();
  const form = /** @type {HTMLFormElement} */ (
    el(
      'form',
      { method: 'dialog' },
      el('h2', { id: 'question', tabindex: '-1', autofocus: true }, concerned.length ? title : `${bulk.text}: nobody`),
      concerned.length > 0 && [
        el('p.small.muted', { 'data-fact': 'names' }, names(concerned)),
        el(
          'ul.effects',
          {},
          bulk.effects(concerned).map((effect) => el('li', {}, effect)),
        ),
        fields(bulk, concerned),
      ],
      leftOut > 0 &&
        el(
          'p.note',
          { 'data-tone': 'warn', 'data-fact': 'left-out' },
          `${leftOut} of the ${accounts.length} selected ${leftOut === 1 ? 'is' : 'are'} left out: ${bulk.unless}.`,
        ),
      wrong,
      el(
        'div.row',
        {},
        el('button', { type: 'button', onclick: close }, concerned.length ? 'Cancel' : 'Close'),
        concerned.length > 0 && go,
      ),
    )
  );
  const dialog = /** @type {HTMLDialogElement} */ (
    el('dialog.several', { 'aria-labelledby': 'question', 'data-bulk': bulk.name }, form)
  );
  /** @type {string[] | null} */
  let rest = null;

  form.onsubmit = (event) => {
    event.preventDefault();
    const values = /** @type {Values} */ (Object.fromEntries(new FormData(form)));
    once(go, async () => {
      wrong.textContent = '';
      try {
        check(bulk, concerned, values);
        if (bulk.name === 'pair') {
          rounds.begin(concerned.map(({ id }) => id));
          return location.assign(`/accounts/${concerned[0].id}/pair`);
        }
        if (!['proxy', 'tags'].includes(bulk.name)) await needDaemon();
      } catch (error) {
        wrong.textContent = api.messageOf(error);
        return dialog.querySelector('input')?.focus();
      }
      await run(values);
    });
  };

  /** @param {Values} values */
  async function run(values) {
    rest = concerned.map(({ id }) => id);
    const view = report(dialog, bulk, concerned);
    addEventListener('beforeunload', stay);
    await each(
      concerned,
      async (account, at) => {
        view.say(at, 'running', 'Working …');
        try {
          const result = await WORK[bulk.name](account, values);
          rest = rest?.filter((id) => id !== account.id) ?? null;
          view.say(at, 'done', `${discreet(sentence(result.replace(/\.$/, '')))}.`);
        } catch (error) {
          view.say(at, 'failed', `${discreet(sentence(api.messageOf(error).replace(/\.$/, '')))}.`);
        }
      },
      { atOnce: AT_ONCE, isStopped: view.isStopped },
    );
    removeEventListener('beforeunload', stay);
    view.end();
  }

  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      dialog.remove();
      if (document.activeElement === document.body) byId('main').focus();
      resolve(rest);
    };
  });
}

/** Leaving now would leave it half done. @param {Event} event */
const stay = (event) => event.preventDefault();

/** @param {Account[]} accounts */
function names(accounts) {
  const labels = accounts.slice(0, NAMED).map(({ label }) => el('bdi', {}, label));
  const others = accounts.length - labels.length;
  return [labels.flatMap((label, at) => [at > 0 && ', ', label]), others > 0 && ` and ${plural(others, 'other')}`];
}

/** @param {Bulk} bulk @param {Account[]} accounts */
function fields({ name }, accounts) {
  if (name === 'proxy') {
    const addresses = new Set(accounts.map(({ proxy }) => proxy ?? ''));
    return proxyFields(
      addresses.size === 1 ? [...addresses][0] : '',
      accounts.some(({ proxyHasLogin }) => proxyHasLogin),
    );
  }
  if (name === 'tags') return tagChanges();
  const sure = [
    el('label', { for: 'sure' }, `Type ${accounts.length} to confirm`),
    el('input', { id: 'sure', name: 'sure', inputmode: 'numeric', autocomplete: 'off' }),
  ];
  if (name === 'delete') return accounts.length > 1 && el('div.field', {}, sure);
  if (name !== 'unpair') return false;
  const { park, logout } = unpairings(accounts.length);
  return el(
    'fieldset',
    {},
    el('legend.unseen', {}, 'What happens on the phones'),
    el('div.choice', {}, option('no', 'Disconnect only', park, true), option('yes', 'Disconnect and log out', logout)),
  );
}

/** What a click alone must not do. @param {Bulk} bulk @param {Account[]} accounts @param {Values} values */
function check({ name }, accounts, { sure }) {
  if (name !== 'delete' || accounts.length === 1 || sure.trim() === String(accounts.length)) return;
  throw new Error(`Type ${accounts.length}, the number of accounts, to delete them.`);
}

/**
 * Replaces the question. The lines are changed one by one, not drawn anew: there may be thousands.
 * @param {HTMLDialogElement} dialog @param {Bulk} bulk @param {Account[]} accounts
 */
function report(dialog, bulk, accounts) {
  let isStopped = false;
  let isOver = false;
  const counts = { waiting: accounts.length, running: 0, done: 0, failed: 0 };
  const title = el('h2', { id: 'question', tabindex: '-1' }, `${bulk.text}: ${plural(accounts.length, 'account')}`);
  const bar = /** @type {HTMLProgressElement} */ (
    el('progress', { max: String(accounts.length), value: '0', 'aria-label': 'Done' })
  );
  const state = el('p', { 'data-fact': 'progress' });
  const lines = accounts.map(({ id, label }) =>
    el(
      'li',
      { 'data-account': id, 'data-state': 'waiting' },
      el('b', {}, el('bdi', {}, label)),
      el('span.small', {}, 'Waiting'),
    ),
  );
  const list = el('ol.lines', { tabindex: '0', 'aria-label': 'What came of each account' }, lines);
  const stop = el('button', { type: 'button', 'data-action': 'stop' }, 'Stop');
  stop.onclick = () => {
    if (isOver) return dialog.close();
    isStopped = true;
    stop.textContent = 'Stopping …';
  };
  dialog.oncancel = (event) => {
    if (isOver) return;
    event.preventDefault();
    stop.click();
  };
  dialog.replaceChildren(el('div.stack', {}, title, bar, state, list, el('div.row', {}, stop)));
  title.focus();

  const sums = () =>
    [
      `${counts.done} of ${accounts.length} done`,
      counts.failed > 0 && `${counts.failed} failed`,
      isOver && counts.waiting > 0 && `${counts.waiting} not begun`,
    ]
      .filter(Boolean)
      .join(', ');

  return {
    isStopped: () => isStopped,
    /** @param {number} at @param {'running' | 'done' | 'failed'} now @param {string} text */
    say(at, now, text) {
      const line = lines[at];
      counts[/** @type {keyof counts} */ (line.dataset.state)] -= 1;
      counts[now] += 1;
      line.dataset.state = now;
      /** @type {Element} */ (line.lastElementChild).textContent = text;
      bar.value = counts.done + counts.failed;
      state.textContent = `${sums()}.`;
    },
    end() {
      isOver = true;
      for (const line of lines) {
        if (line.dataset.state !== 'waiting') continue;
        /** @type {Element} */ (line.lastElementChild).textContent = 'Not begun.';
      }
      const failed = lines.filter((line) => line.dataset.state === 'failed');
      list.prepend(...failed);
      list.scrollTop = 0;
      const stays = failed.length + counts.waiting;
      state.textContent = `${sums()}.${stays > 0 ? ` ${stays === 1 ? 'It stays' : `These ${stays} stay`} selected.` : ''}`;
      dialog.dataset.state = 'over';
      stop.textContent = 'Close';
      stop.focus();
      speak(state.textContent);
    },
  };
}
