// Adds an account and pairs it: writes the QR to a file whenever it changes.
//
//   DATABASE_URL=postgres://web@…/paird node pair.mjs "front desk" [--operator UUID] [--qr qr.png]
//
// Exit code 0: connected. 1: any other end, which the last line names.
import { rename, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Database } from "./database.mjs";

const ENDS = ["connected", "duplicate", "wrong_phone", "timeout", "cancelled", "failed"].map((end) => `session.${end}`);

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    operator: { type: "string", default: "00000000-0000-0000-0000-000000000001" },
    channel: { type: "string", default: "paird_event" },
    qr: { type: "string", default: "qr.png" },
  },
});
const [label] = positionals;
if (!label) {
  console.error("usage: node pair.mjs LABEL [--operator UUID] [--qr FILE]");
  process.exit(2);
}

const database = new Database();
await database.patiently(() => database.listen(options.channel));
// Names of our own: asked again after a lost answer, it is still one account and one command.
const [account, click] = [crypto.randomUUID(), crypto.randomUUID()];
await database.patiently(ask);
const end = await follow(0);
console.log(`${label}: ${end.kind} ${JSON.stringify(end.payload)}`);
await database.end();
process.exitCode = end.kind === "session.connected" ? 0 : 1;

async function ask() {
  await database.transaction(async (sql) => {
    await sql.query(
      "INSERT INTO whatsapp_accounts (id, operator_id, label) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
      [account, options.operator, label],
    );
    await sql.query("SELECT send_command('account.pair', $1, '{}', $2)", [account, click]);
  });
}

/** Shows each QR until the attempt has ended. */
async function follow(seq) {
  for (;;) {
    const { rows: events } = await database.patiently(() =>
      database.query("SELECT seq, kind, payload FROM events WHERE account_id = $1 AND seq > $2 ORDER BY seq", [
        account,
        seq,
      ]),
    );
    for (const event of events) {
      if (ENDS.includes(event.kind)) return event;
      if (event.kind === "session.qr") await show();
      seq = event.seq;
    }
    await database.rung(1_000);
  }
}

/** The newest QR is on the row, as a PNG. The file is there whole or not at all. */
async function show() {
  const { rows } = await database.patiently(() =>
    database.query("SELECT last_qr_png, qr_expires_at FROM whatsapp_accounts WHERE id = $1", [account]),
  );
  const { last_qr_png: png, qr_expires_at: until } = rows[0];
  if (!png) return;
  await writeFile(`${options.qr}.new`, Buffer.from(png, "base64"), { mode: 0o600 });
  await rename(`${options.qr}.new`, options.qr);
  console.log(`scan ${options.qr} before ${until.toISOString()}`);
}
