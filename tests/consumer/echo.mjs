// Answers every text that a person writes to an account with the same text, each once, also when it
// is killed at any moment.
//
//   DATABASE_URL=postgres://web@…/paird node echo.mjs
//
// The answer is queued in the transaction that moves the offset, and its key is that of what it
// answers: whatever is done again, there is one answer.
import { Database } from "./database.mjs";
import { readEvents } from "./events.mjs";

const LOOK_EVERY_MS = 5_000;
/** An older one is no conversation any more. */
const ANSWERED_FOR_MS = 3_600_000;

const database = new Database();
await database.patiently(() => database.listen("paird_event"));
for (;;) {
  const handled = await database.patiently(() => readEvents(database, "echo", answer));
  if (handled === 0) await database.rung(LOOK_EVERY_MS);
}

async function answer(sql, { account_id: account, kind, payload: { messageId, sentAt } }) {
  // Never to an echo or to what this sent: two such programs would talk for ever.
  if (kind !== "message.received" || Date.now() - Date.parse(sentAt) > ANSWERED_FOR_MS) return;
  const { rows } = await sql.query(
    "SELECT m.chat, b.content FROM messages m JOIN message_bodies b ON b.message_id = m.id WHERE m.id = $1",
    [messageId],
  );
  const [message] = rows;
  if (message?.content.type !== "text" || message.chat.endsWith("@g.us")) return;
  const content = { to: message.chat, type: "text", text: { body: message.content.text.body }, replyTo: messageId };
  await sql.query("SELECT send_message($1, $2, $3)", [account, content, `echo-${messageId}`]);
  console.log(`answered ${messageId}`);
}
