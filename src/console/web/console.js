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
import { fleet, HIDE } from './views/fleet.js';
import { pairing } from './views/pairing.js';

hideNumbers(localStorage.getItem(HIDE) === 'yes');
const main = byId('main');
const [, id, isPairing] = location.pathname.match(/^\/accounts\/([^/]+)(\/pair)?$/) ?? [];
const draw = id ? (isPairing ? pairing : account)(main, decodeURIComponent(id)) : fleet(main);
store.changed.on(draw);
alarm();
everySecond(isPairing ? draw : undefined);
store.connection.on(banner);
figures.changed.on((fleet) => standing(standstill(fleet)));
figures.start();
byId('logout').onclick = () => api.logOut().finally(() => location.replace('/login'));
store.start(isWatch);
