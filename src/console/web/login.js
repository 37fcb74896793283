// @ts-check
import { byId, once } from './lib/dom.js';
import * as api from './model/api.js';

const form = byId('login');
const token = /** @type {HTMLInputElement} */ (byId('token'));
const wrong = byId('token-wrong');

/** Only a page of ours: never where a crafted link would lead. */
function target() {
  const to = new URLSearchParams(location.search).get('to') ?? '/';
  return /^\/(?!\/)[\w/-]*(\?\S*)?$/.test(to) ? to : '/';
}

async function logIn() {
  wrong.textContent = '';
  try {
    await api.logIn(token.value.trim());
    location.replace(target());
  } catch (error) {
    wrong.textContent = api.messageOf(error);
    token.ariaInvalid = 'true';
    token.select();
  }
}

form.onsubmit = (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  if (event.submitter) once(event.submitter, logIn);
};
if (location.search === '?wrong') wrong.textContent = 'The token is wrong.';
token.focus();
