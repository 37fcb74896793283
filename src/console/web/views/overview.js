// @ts-check
// The fleet at a glance: what needs a person, the daemons, the queues, and how the last hours went.
import { time } from '../lib/clock.js';
import { el, patch, toast } from '../lib/dom.js';
import { plot } from '../lib/plot.js';
import { plural, sentence } from '../lib/text.js';
import { entitle } from '../lib/title.js';
import * as api from '../model/api.js';
import * as figures from '../model/figures.js';
import { accountsOf, endsByReason, endsOf, needPerson, queueOf, reach } from '../model/overview.js';
import * as store from '../model/store.js';
import { badge, why } from './badge.js';
import { card } from './card.js';

/** @import { Account, Event, Fleet } from '../model/api.js' @import { Sample } from '../model/overview.js' */

/** Accounts that are listed; the page of all accounts has the others. */
const LISTED = 20;
const EVENTS = 50;

/** @param {HTMLElement} main */
export function overview(main) {
  entitle('Overview');
  /** @type {Fleet | null} */
  let fleet = null;
  /** @type {Sample[]} */
  let samples = [];
  /** @type {Event[]} */
  let events = [];

  figures.changed.on((read) => {
    fleet = read;
    api.fleetHistory().then(({ samples: history }) => {
      samples = history;
      draw();
    }, figures.failed.emit);
  });
  figures.failed.on((error) => api.statusOf(error) > 401 && toast(api.messageOf(error), 'bad'));
  store.happened.on((event) => {
    events = [event, ...events].slice(0, EVENTS);
    draw();
  });

  function draw() {
    if (!store.accounts.isComplete) return;
    patch(
      main,
      el('h1', {}, 'Overview'),
      el(
        'div.columns',
        {},
        el('div.stack', {}, card('needs', drawNeeds(needPerson(store.accounts.all()))), card('hours', drawHours())),
        el('div.stack', {}, card('daemons', drawDaemons()), card('queues', drawQueues()), card('recent', drawEvents())),
      ),
    );
  }

  /** @param {Account[]} needing */
  const drawNeeds = (needing) => [
    el('h2', { id: 'needs' }, needing.length ? `Needs a person (${needing.length})` : 'Needs a person'),
    needing.length === 0
      ? el('p.muted', {}, 'Nothing does.')
      : el(
          'ul.needs',
          {},
          needing.slice(0, LISTED).map((account) =>
            el(
              'li',
              { 'data-key': account.id, 'data-account': account.id },
              el('a', { href: `/accounts/${account.id}` }, el('bdi', {}, account.label)),
              badge(account),
              el('p.small.muted', {}, why(account)),
              account.advice && el('p.small', {}, `${sentence(account.advice)}.`),
            ),
          ),
        ),
    needing.length > LISTED && el('p', {}, el('a', { href: '/' }, `${needing.length - LISTED} more`)),
  ];

  function drawHours() {
    const ms = (/** @type {number} */ value) => (value < 10_000 ? `${value} ms` : `${Math.round(value / 1000)} s`);
    const ends = endsByReason(samples);
    return [
      el('h2', { id: 'hours' }, 'How it went'),
      el('p.small.muted', {}, `By the minute, ${reach(samples)}. Waits and lost connections are those of this daemon.`),
      plot('accounts', 'Accounts', [
        { name: 'Connected', tone: 'good', values: accountsOf(samples, 'connected') },
        { name: 'Reconnecting', tone: 'warn', values: accountsOf(samples, 'reconnecting') },
        { name: 'Held', tone: 'bad', values: accountsOf(samples, 'held') },
      ]),
      plot('ends', 'Connections that were lost', [{ name: 'A minute', tone: 'warn', values: endsOf(samples) }]),
      ends.length > 0 &&
        el('p.small.reasons', { 'data-key': 'reasons' }, ends.map(([reason, count]) => el('span', {}, `${sentence(reason)}: ${count}`))),
      plot(
        'waits',
        'How long people and accounts waited',
        [
          { name: 'First QR', tone: 'busy', values: samples.map(({ qrMs }) => qrMs ?? null) },
          { name: 'Login', tone: 'good', values: samples.map(({ loginMs }) => loginMs ?? null) },
        ],
        ms,
      ),
      plot('messages', 'Messages a minute', [
        { name: 'Received', tone: 'good', values: samples.map(({ received }) => received) },
        { name: 'Sent', tone: 'busy', values: samples.map(({ sent }) => sent) },
      ]),
      plot('queues', 'Queues', [
        { name: 'Commands', tone: 'busy', values: queueOf(samples, 'openCommands') },
        { name: 'Messages', tone: 'good', values: queueOf(samples, 'queuedMessages') },
        { name: 'Devices to remove', tone: 'warn', values: queueOf(samples, 'openTickets') },
        { name: 'Events not sent', tone: 'bad', values: queueOf(samples, 'unsentEvents') },
      ]),
    ];
  }

  function drawDaemons() {
    const daemons = fleet?.daemons ?? [];
    return [
      el('h2', { id: 'daemons' }, 'Daemons'),
      daemons.length === 0
        ? el('p.muted', {}, fleet ? 'None is running: commands wait.' : 'Not known yet.')
        : el(
            'ul.daemon-list',
            {},
            daemons.map(({ id, host, pid, version, accounts, draining, startedAt, expiresAt }) =>
              el(
                'li',
                { 'data-key': id },
                el('b', {}, el('bdi', {}, host)),
                draining && el('span.badge', { 'data-tone': 'warn' }, 'Drained'),
                el('p.small', {}, plural(accounts, 'account')),
                el('p.small.muted', {}, `paird ${version}, process ${pid}, started `, time(startedAt, 'since')),
                el('p.small.muted', {}, 'Lease for ', time(expiresAt, 'left'), ', renewed while it lives'),
              ),
            ),
          ),
    ];
  }

  function drawQueues() {
    if (!fleet) return [el('h2', { id: 'queues' }, 'Waiting'), el('p.muted', {}, 'Not known yet.')];
    const { queuedCommands, oldestQueuedCommandAgeMs, openTickets, unsentEvents } = fleet;
    const age = Math.round((oldestQueuedCommandAgeMs ?? 0) / 1000);
    /** @type {[string, string][]} */
    const facts = [
      ['Commands', age > 5 ? `${queuedCommands}, the oldest for ${age} s` : String(queuedCommands)],
      ['Devices to be removed from phones', String(openTickets)],
      ['Events not sent yet', String(unsentEvents)],
      ['Messages to be sent', String(queueOf(samples, 'queuedMessages').at(-1) ?? '–')],
    ];
    return [
      el('h2', { id: 'queues' }, 'Waiting'),
      el('dl.facts', {}, facts.map(([title, value]) => el('div', {}, el('dt', {}, title), el('dd', {}, value)))),
    ];
  }

  const drawEvents = () => [
    el('h2', { id: 'recent' }, 'What happens'),
    events.length === 0
      ? el('p.muted', {}, 'Nothing since this page was opened.')
      : el(
          'ol.story',
          {},
          events.map(({ id, accountId, eventText, tone, createdAt }) =>
            el(
              'li',
              { 'data-key': String(id), 'data-tone': tone },
              el('p', {}, eventText),
              el(
                'p.small.muted',
                {},
                el('a', { href: `/accounts/${accountId}` }, el('bdi', {}, store.accounts.get(accountId)?.label ?? 'deleted')),
                ' · ',
                time(createdAt, 'since'),
              ),
            ),
          ),
        ),
  ];

  return draw;
}
