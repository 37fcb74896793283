// Follows every account's events, and resumes at its last position after any crash.
//
//   DATABASE_URL=postgres://web@…/paird node follow.mjs [--consumer NAME] [--until-caught-up]
//
// paird delivers at least once. The writes for an event and the new offset are one
// transaction, so after a crash at any point an event is handled completely or not at all:
// exactly once. A rollback does not undo effects outside the database (a mail, a webhook):
// send those with `${account_id}/${seq}` as the idempotency key, after the commit.
import { parseArgs } from "node:util";
import { Database } from "./database.mjs";
import { readEvents } from "./events.mjs";

const LOOK_EVERY_MS = 5_000;
const REPORTS_A_MESSAGE = ["received", "echo", "waiting", "recovered"].map((word) => `message.${word}`);

const { values: options } = parseArgs({
  options: {
    consumer: { type: "string", default: "example" },
    channel: { type: "string", default: "paird_event" },
    "until-caught-up": { type: "boolean", default: false },
  },
});

const database = new Database();
await database.patiently(() => database.listen(options.channel));
for (;;) {
  const handled = await database.patiently(() => readEvents(database, options.consumer, handle));
  if (handled === 0) {
    if (options["until-caught-up"]) break;
    await database.rung(LOOK_EVERY_MS);
  }
}
await database.end();

/** What a web app does with an event; here: it keeps a list of what happened, and a copy of each message. */
async function handle(sql, event) {
  await sql.query("INSERT INTO activity (account_id, seq, kind, payload) VALUES ($1, $2, $3, $4)", [
    event.account_id,
    event.seq,
    event.kind,
    event.payload,
  ]);
  if (REPORTS_A_MESSAGE.includes(event.kind)) await keep(sql, event);
  console.log(`${event.account_id} ${event.seq} ${event.kind}`);
}

/** An event says which message came, its row what it is, and the body what it says. */
async function keep(sql, { kind, payload: { messageId } }) {
  // There is a copy of what it was when it could not be read. Of no other message there is one.
  if (kind === "message.recovered") await sql.query("DELETE FROM conversations WHERE message_id = $1", [messageId]);
  await sql.query(
    `INSERT INTO conversations (message_id, account_id, chat, sender, direction, kind, content, sent_at)
     SELECT m.id, m.account_id, m.chat, m.sender, m.direction, m.kind, b.content, m.sent_at
     FROM messages m LEFT JOIN message_bodies b ON b.message_id = m.id
     WHERE m.id = $1`,
    [messageId],
  );
}
