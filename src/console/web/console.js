// @ts-check
// Chooses the page by its address, and draws what every page has.
import { everySecond } from './lib/clock.js';
import { byId } from './lib/dom.js';
import { hideNumbers } from './lib/text.js';
import * as api from './model/api.js';
import * as figures from './model/figures.js';
import { standstill } from './model/standstill.js';
import * as store from './model/store.js';
import { account } from './views/account.js';
import { alarm, isWatch } from './views/alarm.js';
import { banner, standing } from './views/banner.js';
import { chats } from './views/chats.js';
import { fleet, HIDE } from './views/fleet.js';
import { overview } from './views/overview.js';
import { pairing } from './views/pairing.js';

hideNumbers(localStorage.getItem(HIDE) === 'yes');
const main = byId('main');
const [, id, part, jid] = location.pathname.match(/^\/accounts\/([^/]+)(?:\/(pair|chats)(?:\/([^/]+))?)?$/) ?? [];
const draw = view();
store.changed.on(draw);
alarm();
everySecond(part === 'pair' ? draw : undefined);
store.connection.on(banner);
figures.changed.on((fleet) => standing(standstill(fleet)));
figures.start();
byId('logout').onclick = () => api.logOut().finally(() => location.replace('/login'));
store.start(isWatch);

function view() {
  document.querySelector(`nav a[href="${location.pathname}"]`)?.setAttribute('aria-current', 'page');
  if (location.pathname === '/overview') return overview(main);
  if (!id) return fleet(main);
  const of = decodeURIComponent(id);
  if (part === 'pair') return pairing(main, of);
  if (part === 'chats') return chats(main, of, jid && decodeURIComponent(jid));
  return account(main, of);
}
