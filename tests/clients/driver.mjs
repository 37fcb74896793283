// Does with the packed TypeScript client what it reads, line by line, and says what came of it. driver.py is the same
// for the Python client, so that one test can have either.
//
//   node driver.mjs sql|http       with PAIRD_SQL, or with PAIRD_URL, PAIRD_TOKEN and PAIRD_OFFSETS
//
//   {"call": "send", "account": "desk", "message": {…}, "options": {"key": "k"}}   → {"result": {…}} or {"error": {…}}
//   {"call": "pair", "account": "desk"}      → {"item": {"kind": "qr", "png": …}} …, {"result": null}
//   {"call": "events", "options": {…}}       → {"item": {…}}, the next one after each line {"next": true}; with
//                                              "free": true without waiting for that
import { createInterface } from "node:readline";

import { PairdError, connectHttp, connectSql, fileOffsets } from "paird-client";

const { PAIRD_SQL = "", PAIRD_URL = "", PAIRD_TOKEN = "", PAIRD_OFFSETS = "", PAIRD_PATIENCE_MS = "30000" } = process.env;
const patienceMs = Number(PAIRD_PATIENCE_MS);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** @param {object} line */
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
/** @param {unknown} error */
const sayError = (error) => {
  if (!(error instanceof PairdError)) throw error;
  say({ error: { code: error.code, message: error.message } });
};

/** @type {import("paird-client").Client | undefined} */
let client;
try {
  client =
    process.argv[2] === "sql"
      ? connectSql(PAIRD_SQL, { patienceMs })
      : connectHttp(PAIRD_URL, PAIRD_TOKEN, { patienceMs, ...(PAIRD_OFFSETS && { offsets: fileOffsets(PAIRD_OFFSETS) }) });
} catch (error) {
  sayError(error);
}
while (client) {
  const line = await lines.next();
  if (line.done) break;
  try {
    say({ result: (await carryOut(client, JSON.parse(line.value))) ?? null });
  } catch (error) {
    sayError(error);
  }
}
await client?.close();

/**
 * @param {import("paird-client").Client} client
 * @param {{ call: string, account: string, label: string, message: import("paird-client").NewMessage, kind: "groups.sync", args: Record<string, never>, options?: object, free?: boolean }} line
 */
async function carryOut(client, { call, account, label, message, kind, args, options = {}, free = false }) {
  switch (call) {
    case "accounts":
      return client.accounts();
    case "create":
      return client.create(label, options);
    case "send":
      return client.send(account, message, options);
    case "unpair":
      return client.unpair(account, options);
    case "cancel":
      return client.cancel(account, options);
    case "command":
      return client.command(account, kind, args, options);
    case "delete":
      return client.delete(account, options);
    case "pair":
      for await (const step of client.pair(account, options)) {
        say({ item: step.kind === "qr" ? { ...step, png: Buffer.from(step.png).toString("base64") } : step });
      }
      return undefined;
    case "events":
      return handOut(client.events(options), free);
    case "messages":
      return handOut(client.messages(options), free);
    default:
      throw new Error(`no such call: ${call}`);
  }
}

/**
 * @param {AsyncIterable<object>} items
 * @param {boolean} free
 */
async function handOut(items, free) {
  for await (const item of items) {
    say({ item });
    if (!free && (await lines.next()).done) return;
  }
}
