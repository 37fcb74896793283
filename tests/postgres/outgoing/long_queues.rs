//! What a long queue costs, whatever Postgres knows of it, and what is next in any queue.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Sending, ids};
use crate::growth::pages;
use crate::messages::GROUP;
use crate::support::{Database, connect};

/// Near the limit of a queue.
const QUEUED: i32 = 9_000;

/// Ten for each queued message: to read each of them for every other takes hundreds.
const MOST_PAGES_OF_A_TAKE: u64 = 90_000;
/// To look through the queue for one message takes more than all of these.
const MOST_PAGES_OF_100_CANCELS: u64 = 10_000;

/// What may be taken, written as what it means: the oldest that is due of each chat, unless one of the
/// chat is on its way, or is to be tried again later.
const NEXT: &str = "
    SELECT coalesce(array_agg(n.id ORDER BY n.due_at, n.id), '{}')
    FROM (SELECT m.id, m.due_at FROM messages m
          WHERE m.account_id = $1 AND m.state = 'queued' AND m.is_new_chat = $2 AND m.due_at <= $3 AND m.id <> ALL ($4)
            AND (m.expires_at IS NULL OR m.expires_at > $3)
            AND ($6::timestamptz IS NULL OR m.taken_at > $6)
            AND NOT EXISTS (SELECT FROM messages s
                            WHERE s.account_id = $1 AND s.chat = m.chat AND s.state = 'sending')
            AND NOT EXISTS (SELECT FROM messages e
                            WHERE e.account_id = $1 AND e.chat = m.chat AND e.state = 'queued' AND e.id < m.id
                              AND (e.due_at <= $3 OR e.attempt > 0))
          ORDER BY m.due_at, m.id LIMIT $5) AS n";

/// Up to 40 messages of two accounts in up to six chats, as the seed says.
const ANY_QUEUE: &str = "
    WITH seed AS MATERIALIZED (SELECT setseed($2)),
         size AS MATERIALIZED (SELECT 1 + floor(random() * 40)::int AS messages, 1 + floor(random() * 6)::int AS chats
                               FROM seed),
         drawn AS MATERIALIZED (
             SELECT floor(random() * size.chats)::int AS chat, random() AS whose, random() AS state, random() AS due,
                    random() AS newness, random() AS attempt, random() AS taken, random() AS expires
             FROM size, generate_series(1, size.messages))
    INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, due_at, is_new_chat, attempt,
                          taken_at, expires_at)
    SELECT CASE WHEN d.whose < 0.9 THEN $1 ELSE gen_random_uuid() END, 'out', d.chat || '@lid', 'me',
           gen_random_uuid()::text, 'text',
           CASE WHEN d.state < 0.8 THEN 'queued' WHEN d.state < 0.85 THEN 'sending' WHEN d.state < 0.9 THEN 'sent'
                WHEN d.state < 0.95 THEN 'cancelled' ELSE 'expired' END,
           now() + interval '1 hour' * (d.due * 4 - 3),
           -- Two messages of a chat may differ in it, if one was added while the chat became known.
           (d.chat % 2 = 0) <> (d.newness < 0.1),
           CASE WHEN d.attempt < 0.3 THEN 1 ELSE 0 END,
           CASE WHEN d.taken < 0.4 THEN now() - interval '30 hours' * d.taken / 0.4 END,
           CASE WHEN d.expires < 0.2 THEN now() + interval '1 hour' * (d.expires * 10 - 1) END
    FROM drawn d";

impl Database {
    /// Statistics are those of a queue that was sent, and will stay so.
    async fn forget_the_queue(&self, account: &Sending) {
        self.web.batch_execute("ALTER TABLE messages SET (autovacuum_enabled = off)").await.unwrap();
        self.queue_up(account, 300, 0).await;
        self.empty_the_queue().await;
        self.web.batch_execute("ANALYZE messages").await.unwrap();
    }

    /// A long queue in so many chats, of which the first so many messages are for later.
    async fn queue_up(&self, account: &Sending, chats: i32, later: i32) {
        let sql = r#"
            WITH queued AS (
                INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, due_at)
                SELECT $1, 'out', n % $3::int || '@g.us', 'me', gen_random_uuid()::text, 'text', 'queued',
                       now() + CASE WHEN n <= $4::int THEN interval '1 day' ELSE interval '-1 day' END
                FROM generate_series(1, $2::int) n
                RETURNING id)
            INSERT INTO message_bodies (message_id, content)
            SELECT id, '{"type": "text", "text": {"body": "x"}}' FROM queued"#;
        self.web.execute(sql, &[&account.linked.record.id.0, &QUEUED, &chats, &later]).await.unwrap();
    }

    async fn empty_the_queue(&self) {
        let sql = "UPDATE messages SET state = 'sent' WHERE state IN ('queued', 'sending')";
        self.web.batch_execute(sql).await.unwrap();
    }

    /// Pages that a statement touches, which is carried out.
    async fn pages_of(&self, sql: &str) -> u64 {
        let plan: Value = self.one(&format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}"), &[]).await;
        pages(&plan)
    }
}

impl Sending {
    /// The statement that takes up to 16 messages.
    fn taking(&self) -> String {
        let link = self.linked.link;
        format!(
            "SELECT taken FROM take_messages('{}', '{}', {}, '{}', {}, '{}', '{{}}', 16)",
            link.account.0, self.linked.daemon.process, link.fence.0, link.keyring.0, link.epoch, self.connection,
        )
    }
}

#[tokio::test]
async fn a_take_costs_the_queue_once_with_old_statistics() {
    let database = Database::new().await;
    let account = Sending::new(&database).await;
    database.forget_the_queue(&account).await;
    // In one chat, also with half of it for later, in some chats, and each in one of its own.
    for (chats, later, taken) in [(1, 0, 1), (1, QUEUED / 2, 1), (300, 0, 16), (QUEUED, 0, 16)] {
        database.queue_up(&account, chats, later).await;
        let pages = database.pages_of(&account.taking()).await;
        assert!(pages <= MOST_PAGES_OF_A_TAKE, "{chats} chats, {later} for later: {pages} pages");
        assert_eq!(database.count("SELECT count(*) FROM messages WHERE state = 'sending'").await, taken);
        database.empty_the_queue().await;
    }
}

#[tokio::test]
async fn a_cancel_does_not_search_the_queue() {
    let database = Database::new().await;
    let account = Sending::new(&database).await;
    database.forget_the_queue(&account).await;
    database.queue_up(&account, 1, 0).await;
    let last = "SELECT array_agg(id) FROM (SELECT id FROM messages ORDER BY id DESC LIMIT 100) AS last";
    let last: Vec<i64> = database.one(last, &[]).await;
    let cancel = format!("SELECT cancel_message(id) FROM unnest(ARRAY{last:?}) AS id");
    let pages = database.pages_of(&cancel).await;
    assert!(pages <= MOST_PAGES_OF_100_CANCELS, "{pages} pages");
    assert_eq!(database.count("SELECT count(*) FROM messages WHERE state = 'cancelled'").await, 100);
}

#[tokio::test]
async fn what_is_next_in_any_queue_is_as_it_is_defined() {
    let database = Database::new().await;
    let account = Sending::new(&database).await;
    let own = account.linked.record.id.0;
    let mut found = 0;
    for seed in 0..200 {
        database.web.batch_execute("DELETE FROM messages").await.unwrap();
        database.web.execute(ANY_QUEUE, &[&own, &(f64::from(seed) / 200.0)]).await.unwrap();
        let at: DateTime<Utc> = database.one("SELECT clock_timestamp()", &[]).await;
        let some: Vec<i64> =
            database.one("SELECT coalesce(array_agg(id), '{}') FROM messages WHERE id % 19 = 0", &[]).await;
        for (new_chats, since) in [(false, None), (true, None), (true, Some(at - TimeDelta::hours(24)))] {
            for most in [0_i32, 1, 2, 16] {
                let next: Vec<i64> =
                    database.one(NEXT, &[&own, &new_chats, &at, &some, &i64::from(most), &since]).await;
                let lock = "SELECT lock_queued($1, $2, $3, $4, $5, $6)";
                let locked: Vec<i64> = database.one(lock, &[&own, &new_chats, &at, &some, &most, &since]).await;
                assert_eq!(locked, next, "seed {seed}, new chats {new_chats} since {since:?}, at most {most}");
                found += next.len();
            }
        }
    }
    assert!(found > 500, "{found} is too few to say anything");
}

/// What another transaction cancels holds up its chat, and no other.
#[tokio::test]
async fn a_chat_waits_for_a_cancel_of_its_first_message() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let first = database.send_text(&account, GROUP, "1").await;
    let second = database.send_text(&account, GROUP, "2").await;
    let other = database.send_text(&account, "1@g.us", "1").await;
    let web = connect(&database.text).await;
    web.batch_execute("BEGIN").await.unwrap();
    web.query_one("SELECT cancel_message($1)", &[&first.0]).await.unwrap();
    assert_eq!(ids(&account.take(1).await), [other], "one that is locked takes nobody's place");
    assert_eq!(ids(&account.take(16).await), []);
    web.batch_execute("COMMIT").await.unwrap();
    assert_eq!(ids(&account.take(16).await), [second]);
}
