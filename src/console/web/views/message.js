// @ts-check
// Parts of a message, wherever one is shown. Strangers choose names and texts: marks of direction in them must not turn
// what is beside them.
import { time } from '../lib/clock.js';
import { el, once, speak, toast } from '../lib/dom.js';
import * as api from '../model/api.js';
import { shown, toneOf } from '../model/messages.js';

/** @import { Message } from '../model/api.js' */

/** When it was sent, or written if it has not been. @param {Message} message */
export const moment = (message) => time(message.sentAt ?? message.createdAt, 'since');

/** How far a message on its way out is. @param {Message} message */
export const outcome = (message) =>
  message.direction === 'out' && [' · ', el('span.state', { 'data-tone': toneOf(message) }, message.stateText)];

/** What it says, or is. @param {Message} message */
export const said = (message) => el('p', {}, el('bdi', {}, shown(message)));

/** For a message that is still queued. @param {Message} message @param {() => void} done It is cancelled, or it was too late. */
export const cancelButton = (message, done) =>
  message.direction === 'out' &&
  message.state === 'queued' &&
  el(
    'button.quiet',
    {
      type: 'button',
      'data-action': 'cancel-message',
      onclick: (/** @type {MouseEvent} */ event) => cancel(event, message, done),
    },
    'Cancel',
    el('span.unseen', {}, ' this message'),
  );

/** @param {MouseEvent} event @param {Message} message @param {() => void} done */
async function cancel({ currentTarget }, message, done) {
  try {
    await once(/** @type {Element} */ (currentTarget), () => api.cancelMessage(message.id));
    speak('The message is cancelled.');
  } catch (error) {
    if (api.statusOf(error) > 404 || api.statusOf(error) === 403) toast(api.messageOf(error), 'bad');
  }
  done();
}
