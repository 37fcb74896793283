// Which page it is, and what every page has.
import * as api from './api.js';
import * as live from './live.js';
import { account } from './account.js';
import { fleet } from './fleet.js';
import { pairing } from './pairing.js';
import './menu.js';

const PAGES = [
  [/^\/$/, fleet],
  [/^\/accounts\/([^/]+)$/, account],
  [/^\/accounts\/([^/]+)\/pair$/, pairing],
];

const main = document.getElementById('main');
for (const [path, page] of PAGES) {
  const found = location.pathname.match(path);
  if (found) page(main, ...found.slice(1).map(decodeURIComponent));
}
if (location.pathname === '/') document.querySelector('nav a').setAttribute('aria-current', 'page');
document
  .getElementById('logout')
  .addEventListener('click', () => api.logOut().finally(() => location.replace('/login')));
live.start();
