import * as api from './api.js';
import { once } from './dom.js';

const form = document.getElementById('login');
const token = document.getElementById('token');
const wrong = document.getElementById('token-wrong');

/** Only a page of ours: never where a crafted link would lead. */
function target() {
  const to = new URLSearchParams(location.search).get('to') ?? '/';
  return /^\/(?!\/)[\w/-]*$/.test(to) ? to : '/';
}

async function enter() {
  wrong.textContent = '';
  try {
    await api.logIn(token.value.trim());
    location.replace(target());
  } catch (error) {
    wrong.textContent = error.message;
    token.setAttribute('aria-invalid', 'true');
    token.select();
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  once(form.querySelector('button'), enter);
});
if (location.search === '?wrong') wrong.textContent = 'The token is wrong.';
token.focus();
