//! How long messages on their way are kept, and what ends them when nobody sends them.

use std::time::Duration;

use paird::postgres::pool::Dsn;
use paird::postgres::prune::{Keep, once};
use paird::postgres::roles::{self, Isolation};
use paird::postgres::{outbox::Waker, outgoing::PgOutgoing};
use paird::whatsapp::OutgoingStore as _;
use paird_actors::domain::{MessageId, ReceiptKind};
use tokio_postgres::error::SqlState;

use super::{Sending, ids, refusal, sent, text_to};
use crate::messages::{ANNA, BERT, GROUP};
use crate::support::{Database, connect};

const DAY: Duration = Duration::from_secs(24 * 3600);
const KEEP: Keep = Keep { events: DAY, bodies: DAY, commands: DAY, audit: None };

impl Database {
    /// Everything of messages is so much older.
    async fn ages(&self, time: &str) {
        let sql = format!(
            "UPDATE messages SET created_at = created_at - interval '{time}', told_at = told_at - interval '{time}';
             UPDATE message_bodies SET created_at = created_at - interval '{time}';
             UPDATE events SET created_at = created_at - interval '{time}', notified = true"
        );
        self.web.batch_execute(&sql).await.unwrap();
    }

    async fn prunes(&self) -> (i64, i64) {
        let pruned = once(&self.dsn.pool().unwrap(), KEEP, false).await.unwrap();
        (pruned.messages, pruned.bodies)
    }

    async fn left(&self) -> Vec<MessageId> {
        let ids: Vec<i64> = self.one("SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM messages", &[]).await;
        ids.into_iter().map(MessageId).collect()
    }
}

#[tokio::test]
async fn what_is_on_its_way_is_never_pruned() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let sending = database.send_text(&account, ANNA, "x").await;
    let done = database.send_text(&account, GROUP, "y").await;
    account.take(16).await;
    account.settle(done, sent()).await;
    let queued = database.send_text(&account, BERT, "z").await;
    database.ages("400 days").await;
    assert_eq!(database.prunes().await, (1, 1));
    assert_eq!(database.left().await, [sending, queued]);
    assert_eq!(database.count("SELECT count(*) FROM message_bodies").await, 2);
    // Its age counts from its end.
    account.settle(sending, sent()).await;
    assert_eq!(database.prunes().await, (0, 0));
    database.ages("25 hours").await;
    assert_eq!(database.prunes().await, (1, 1));
    assert_eq!(database.left().await, [queued]);
    assert!(database.cancel(queued).await);
    database.ages("25 hours").await;
    assert_eq!(database.prunes().await.0, 1);
}

#[tokio::test]
async fn a_message_stays_until_its_last_event_is_read() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let id = database.send_text(&account, ANNA, "x").await;
    account.take(16).await;
    account.settle(id, sent()).await;
    database.ages("25 hours").await;
    let wa_id = database.wa_id(id).await;
    account.receive(ANNA, ANNA, &[&wa_id], ReceiptKind::Read).await;
    database.ages("25 hours").await;
    let read = "INSERT INTO event_consumers (consumer, account_id, seq) VALUES ('shop', $1, 1)";
    database.web.execute(read, &[&account.linked.record.id.0]).await.unwrap();
    assert_eq!(database.prunes().await, (0, 0), "one of two events was read");
    database.web.batch_execute("UPDATE event_consumers SET seq = 2").await.unwrap();
    assert_eq!(database.prunes().await.0, 1);
}

#[tokio::test]
async fn a_message_expires_with_or_without_a_connection() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let soon = "NULL, NULL, now() + interval '1 hour'";
    let first = database.send_with(&account, ANNA, soon).await;
    database.passes("2 hours").await;
    assert_eq!(ids(&account.take(16).await), []);
    assert_eq!(database.state(first).await, "expired");
    let (second, third) =
        (database.send_with(&account, BERT, soon).await, database.send_with(&account, GROUP, soon).await);
    let on_its_way = database.send_with(&account, ANNA, soon).await;
    let (before, after) =
        (database.send_text(&account, BERT, "later").await, database.send_text(&account, GROUP, "x").await);
    assert_eq!(ids(&account.take(1).await), [third]);
    account.settle(third, sent()).await;
    database.web.execute("UPDATE messages SET state = 'sending' WHERE id = $1", &[&on_its_way.0]).await.unwrap();
    database.passes("2 hours").await;
    account.store().sweep().await.unwrap();
    let states = [database.state(second).await, database.state(third).await, database.state(on_its_way).await];
    assert_eq!(states, ["expired", "sent", "sending"], "what may have arrived is its connection's");
    let events = [
        format!("message.failed {} expired", first.0),
        format!("message.sent {}", third.0),
        format!("message.failed {} expired", second.0),
    ];
    assert_eq!(database.events().await, events);
    assert_eq!(database.column::<String>("reason", second).await, "expired");
    account.held.push(on_its_way);
    let rest = account.take(16).await;
    assert!(ids(&rest).contains(&before) && ids(&rest).contains(&after), "{rest:?}");
    account.store().sweep().await.unwrap();
    assert_eq!(database.events().await.len(), 3);
}

#[tokio::test]
async fn one_sweep_ends_no_more_than_its_batch() {
    let database = Database::new().await;
    for _ in 0..4 {
        let account = Sending::new(&database).await;
        for chat in [ANNA, BERT, GROUP] {
            database.send_with(&account, chat, "NULL, NULL, now() + interval '1 hour'").await;
        }
    }
    database.passes("2 hours").await;
    for (ended, more) in [(5, true), (10, true), (12, false)] {
        assert_eq!(database.one::<bool>("SELECT more FROM sweep_messages(5)", &[]).await, more, "{ended}");
        assert_eq!(database.count("SELECT count(*) FROM messages WHERE state = 'expired'").await, ended);
    }
}

#[tokio::test]
async fn what_was_on_its_way_ends_with_the_link() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let on_its_way = database.send_text(&account, ANNA, "x").await;
    let mut other = Sending::new(&database).await;
    let of_other = database.send_text(&other, ANNA, "x").await;
    account.take(16).await;
    other.take(16).await;
    let queued = database.send_text(&account, BERT, "x").await;
    account.store().sweep().await.unwrap();
    assert_eq!(database.state(on_its_way).await, "sending");
    let unlinked = "UPDATE whatsapp_accounts SET keyring_id = NULL WHERE id = $1";
    database.web.execute(unlinked, &[&account.linked.record.id.0]).await.unwrap();
    account.store().sweep().await.unwrap();
    account.store().sweep().await.unwrap();
    let states = [database.state(on_its_way).await, database.state(queued).await, database.state(of_other).await];
    assert_eq!(states, ["failed", "queued", "sending"]);
    assert_eq!(database.column::<Option<String>>("reason", on_its_way).await.as_deref(), Some("no_ack"));
    assert_eq!(database.events().await, [format!("message.failed {} no_ack", on_its_way.0)]);
}

/// Its secret follows from the keys of the link.
#[tokio::test]
async fn what_a_former_link_took_is_not_sent_over_the_next() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (began, behind) =
        (database.send_text(&account, ANNA, "1").await, database.send_text(&account, ANNA, "2").await);
    let retried = database.send_text(&account, BERT, "x").await;
    account.take(16).await;
    account.settle(retried, super::again(Duration::ZERO)).await;
    // At once: nothing is swept in between. As a re-pair does it that replaces parked keys.
    account.pair_anew(&database).await;
    assert_eq!(ids(&account.take(0).await), [], "without room, too");
    let ended = [database.state(began).await, database.state(behind).await, database.state(retried).await];
    assert_eq!(ended, ["failed", "queued", "queued"]);
    let taken = account.take(16).await;
    assert_eq!(ids(&taken), [retried, behind], "what did not reach WhatsApp goes again");
    assert!(taken.messages.iter().all(|message| !message.maybe_sent), "{taken:?}");
    assert_eq!(database.events().await, [format!("message.failed {} no_ack", began.0)]);
    let told = "SELECT count(*) FROM events e JOIN messages m ON m.told_at = e.created_at AND m.id = $1";
    assert_eq!(database.one::<i64>(told, &[&began.0]).await, 1);
    // The same link sends again what it began.
    account.reconnect().await;
    assert_eq!(ids(&account.take(16).await), [behind, retried]);
}

#[tokio::test]
async fn a_sweep_ends_what_a_former_link_took() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let began = database.send_text(&account, ANNA, "1").await;
    let mut other = Sending::new(&database).await;
    let of_other = database.send_text(&other, ANNA, "x").await;
    account.take(16).await;
    other.take(16).await;
    account.pair_anew(&database).await;
    for _ in 0..2 {
        account.store().sweep().await.unwrap();
    }
    assert_eq!([database.state(began).await, database.state(of_other).await], ["failed", "sending"]);
    assert_eq!(database.events().await, [format!("message.failed {} no_ack", began.0)]);
}

#[tokio::test]
async fn what_is_being_cancelled_holds_up_no_deletion() {
    let database = Database::new().await;
    let account = Sending::new(&database).await;
    let cancelled = database.send_text(&account, ANNA, "x").await;
    database.send_text(&account, BERT, "x").await;
    let web = connect(&database.text).await;
    web.batch_execute("BEGIN").await.unwrap();
    web.query("SELECT cancel_message($1)", &[&cancelled.0]).await.unwrap();
    database.web.batch_execute("UPDATE whatsapp_accounts SET deleted_at = clock_timestamp()").await.unwrap();
    account.store().sweep().await.unwrap();
    let erase = "SELECT more FROM erase_messages(10, false)";
    assert!(!database.one::<bool>(erase, &[]).await);
    assert_eq!(database.left().await, [cancelled]);
    web.batch_execute("COMMIT").await.unwrap();
    assert!(!database.one::<bool>(erase, &[]).await);
    assert_eq!(database.left().await, []);
    assert_eq!(database.count("SELECT count(*) FROM message_erasures").await, 0);
}

#[tokio::test]
async fn a_pause_ends_without_a_connection() {
    let database = Database::new().await;
    let account = Sending::new(&database).await;
    let paused = "UPDATE whatsapp_accounts SET sending_paused_until = now() + interval '1 hour',
                  sending_paused_reason = 'reachout_timelocked'";
    database.web.batch_execute(paused).await.unwrap();
    account.store().sweep().await.unwrap();
    assert_eq!(database.events().await, Vec::<String>::new());
    database.passes("61 minutes").await;
    account.store().sweep().await.unwrap();
    account.store().sweep().await.unwrap();
    assert_eq!(database.events().await, ["sending.resumed reachout_timelocked"]);
}

#[tokio::test]
async fn nothing_is_left_of_a_deleted_account() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let id = database.send_text(&account, GROUP, "x").await;
    account.take(16).await;
    account.settle(id, sent()).await;
    account.receive(GROUP, ANNA, &[&database.wa_id(id).await], ReceiptKind::Read).await;
    database.send_text(&account, BERT, "queued").await;
    let other = Sending::new(&database).await;
    let stays = database.send_text(&other, ANNA, "stays").await;
    // This one is added by a transaction that ends later.
    let web = connect(&database.text).await;
    web.batch_execute("BEGIN").await.unwrap();
    web.query("SELECT send_message($1, $2)", &[&account.linked.record.id.0, &text_to(ANNA, "late")]).await.unwrap();
    let deleted = "UPDATE whatsapp_accounts SET deleted_at = clock_timestamp() WHERE id = $1";
    database.web.execute(deleted, &[&account.linked.record.id.0]).await.unwrap();
    assert_eq!(database.left().await, [stays]);
    web.batch_execute("COMMIT").await.unwrap();
    assert_eq!(database.left().await.len(), 2);
    account.store().sweep().await.unwrap();
    assert_eq!(database.left().await, [stays]);
    assert_eq!(database.count("SELECT count(*) FROM message_receipts").await, 0);
    assert_eq!(database.count("SELECT count(*) FROM message_bodies").await, 1);
    let gone = database.try_to_send(&account, &text_to(ANNA, "x"), None).await.unwrap_err();
    assert!(refusal(&gone, &SqlState::INVALID_PARAMETER_VALUE).starts_with("account_id: "));
    // As the foreign key did.
    database.web.batch_execute("DELETE FROM keyrings").await.unwrap();
    database.web.execute("DELETE FROM whatsapp_accounts WHERE id = $1", &[&other.linked.record.id.0]).await.unwrap();
    assert_eq!(database.left().await, []);
}

/// Added by transactions that end after the deletion; one is cancelled in the same, one later.
#[tokio::test]
async fn what_was_cancelled_is_not_left_of_a_deleted_account() {
    let database = Database::new().await;
    let account = Sending::new(&database).await;
    let other = Sending::new(&database).await;
    let stays = database.send_text(&other, ANNA, "stays").await;
    assert!(database.cancel(stays).await);
    let web = connect(&database.text).await;
    web.batch_execute("BEGIN").await.unwrap();
    let send = "SELECT send_message($1, $2)";
    let own = account.linked.record.id.0;
    let at_once: i64 = web.query_one(send, &[&own, &text_to(ANNA, "x")]).await.unwrap().get(0);
    let later: i64 = web.query_one(send, &[&own, &text_to(BERT, "x")]).await.unwrap().get(0);
    web.query("SELECT cancel_message($1)", &[&at_once]).await.unwrap();
    database
        .web
        .execute("UPDATE whatsapp_accounts SET deleted_at = clock_timestamp() WHERE id = $1", &[&own])
        .await
        .unwrap();
    assert!(!database.one::<bool>("SELECT more FROM erase_messages(10, false)", &[]).await);
    web.batch_execute("COMMIT").await.unwrap();
    assert!(database.cancel(MessageId(later)).await);
    assert_eq!(database.left().await.len(), 3);
    account.store().sweep().await.unwrap();
    assert_eq!(database.left().await, [stays]);
}

/// Each takes its receipts with it, and the statement that deletes an account has a time limit.
#[tokio::test]
async fn an_account_of_many_receipts_is_deleted_piece_by_piece() {
    let database = Database::new().await;
    let account = Sending::new(&database).await;
    let sql = "WITH sent AS (
                   INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, created_at, told_at)
                   SELECT $1, 'out', $2, 'me', 'id ' || n, 'text', 'delivered', now(), now() FROM generate_series(1, 60) n
                   RETURNING id)
               INSERT INTO message_receipts (message_id, participant, delivered_at)
               SELECT sent.id, member || '@lid', now() FROM sent, generate_series(1, 1000) member";
    database.web.execute(sql, &[&account.linked.record.id.0, &GROUP]).await.unwrap();
    let deleted = "UPDATE whatsapp_accounts SET deleted_at = clock_timestamp() WHERE id = $1";
    database.web.execute(deleted, &[&account.linked.record.id.0]).await.unwrap();
    assert_eq!(database.left().await.len(), 10, "the newest fifty go at once");
    assert_eq!(database.prunes().await.0, 10);
    assert_eq!(database.count("SELECT count(*) FROM message_receipts").await, 0);
}

#[tokio::test]
async fn each_login_sends_with_the_rights_of_its_role() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    roles::grant(&database.dsn, Isolation::AsItIs).await.unwrap();
    let logins = "CREATE ROLE shop LOGIN IN ROLE paird_web; CREATE ROLE of_daemon LOGIN IN ROLE paird_daemon";
    database.web.batch_execute(logins).await.unwrap();
    let login = |name: &str| database.text.replace("user=paird", &format!("user={name}"));
    let shop = connect(&login("shop")).await;
    let sql = "SELECT send_message($1, $2, 'key')";
    let id: i64 = shop.query_one(sql, &[&account.linked.record.id.0, &text_to(ANNA, "x")]).await.unwrap().get(0);
    let other: i64 = shop
        .query_one("SELECT send_message($1, $2)", &[&account.linked.record.id.0, &text_to(BERT, "x")])
        .await
        .unwrap()
        .get(0);
    assert!(shop.query_one("SELECT cancel_message($1)", &[&other]).await.unwrap().get::<_, bool>(0));
    assert_eq!(database.column::<String>("sent_by", MessageId(id)).await, "shop");
    let pool = Dsn::parse(&login("of_daemon")).unwrap().pool().unwrap();
    account.linked.daemon.pool = pool.clone();
    let store = PgOutgoing::new(pool.clone(), account.linked.daemon.process, Waker::default());
    assert_eq!(store.ringing().await.unwrap(), [account.linked.record.id]);
    assert_eq!(ids(&account.take(16).await), [MessageId(id)]);
    account.settle(MessageId(id), sent()).await;
    account.receive(ANNA, ANNA, &[&database.wa_id(MessageId(id)).await], ReceiptKind::Read).await;
    store.sweep().await.unwrap();
    account.linked.record(&[crate::messages::text(ANNA, "1", "hello")]).await.unwrap();
    assert_eq!(database.state(MessageId(id)).await, "read");
    let daemon = pool.get().await.unwrap();
    for sql in [
        "SELECT content FROM message_bodies",
        "UPDATE message_bodies SET content = '{}'",
        "SELECT participant FROM message_receipts",
        "SELECT send_message(gen_random_uuid(), '{}')",
        "SELECT cancel_message(1)",
        "UPDATE messages SET key = 'x'",
        "DELETE FROM messages",
        "UPDATE whatsapp_accounts SET send_rate = 9",
    ] {
        let refused = daemon.batch_execute(sql).await.expect_err(sql);
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {refused:?}");
    }
    for sql in [
        "UPDATE messages SET state = 'sent'",
        "INSERT INTO messages (account_id) VALUES (gen_random_uuid())",
        "SELECT take_messages(gen_random_uuid(), gen_random_uuid(), 1, gen_random_uuid(), 1, gen_random_uuid(), '{}', 1)",
        "SELECT sweep_messages(1)",
        "UPDATE whatsapp_accounts SET sending_paused_until = NULL",
    ] {
        let refused = shop.batch_execute(sql).await.expect_err(sql);
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {refused:?}");
    }
    let set = "UPDATE whatsapp_accounts SET send_rate = 3, send_burst = 2, new_chats_per_day = 7";
    shop.batch_execute(set).await.unwrap();
}
