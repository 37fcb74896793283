// Reads every account's events, each completely or not at all: the writes of a handler and the new
// offset are one transaction.
const BATCH = 100;

/** One look at every account that has something new; how many events that were. */
export async function readEvents(database, consumer, handle) {
  const { rows } = await database.query(
    `SELECT a.id FROM whatsapp_accounts a
     LEFT JOIN event_consumers c ON c.consumer = $1 AND c.account_id = a.id
     WHERE a.event_seq > coalesce(c.seq, 0)
     ORDER BY a.id`,
    [consumer],
  );
  let handled = 0;
  for (const { id } of rows) handled += await database.transaction((sql) => readAccount(sql, consumer, id, handle));
  return handled;
}

async function readAccount(sql, consumer, account, handle) {
  // The row's lock keeps a second process of the same name out: it waits, and finds nothing new.
  await sql.query(
    "INSERT INTO event_consumers (consumer, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    [consumer, account],
  );
  const offset = await sql.query(
    "SELECT seq FROM event_consumers WHERE consumer = $1 AND account_id = $2 FOR UPDATE",
    [consumer, account],
  );
  const { rows: events } = await sql.query(
    `SELECT account_id, seq, kind, payload FROM events
     WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT ${BATCH}`,
    [account, offset.rows[0].seq],
  );
  for (const event of events) await handle(sql, event);
  if (events.length > 0) {
    await sql.query(
      "UPDATE event_consumers SET seq = $3, updated_at = now() WHERE consumer = $1 AND account_id = $2",
      [consumer, account, events.at(-1).seq],
    );
  }
  return events.length;
}
