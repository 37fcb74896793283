import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const WEB = new URL('../../src/console/web/', import.meta.url);
const read = (path) => readFileSync(new URL(path, WEB), 'utf8');

/** All that a module imports, and so on. */
function imported(path, found = new Set()) {
  for (const [, name] of read(path).matchAll(/^import .*?from '(\.[^']+\.js)';$/gms)) {
    const module = new URL(name, new URL(path, WEB)).href.slice(WEB.href.length);
    if (found.has(module)) continue;
    found.add(module);
    imported(module, found);
  }
  return found;
}

test('every module is asked for at once, not when another needs it', () => {
  const asked = [...read('console.html').matchAll(/<link rel="modulepreload" href="\/static\/([^"]+)">/g)];
  assert.deepEqual(asked.map(([, path]) => path).toSorted(), [...imported('console.js')].toSorted());
});
