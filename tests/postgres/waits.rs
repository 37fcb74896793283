//! How the wait for a message ends that will never be read.

use paird::postgres::roles::{self, Isolation};
use paird::whatsapp::{MessageLink, MessageStore as _, OutgoingStore as _};
use paird_actors::domain::{Fence, IncomingMessage, KeyringId, StoreError, UnreadMessage, UnreadReason, WaitReason};
use serde_json::{Value, json};

use crate::messages::{ANNA, BERT, GROUP, Linked, bodies, by_number, party, text, told};
use crate::support::Database;

fn waits(reason: WaitReason, message: IncomingMessage) -> IncomingMessage {
    IncomingMessage { content: Err(reason), ..message }
}

fn unread(chat: &str, id: &str, why: UnreadReason) -> UnreadMessage {
    UnreadMessage { chat: party(chat), sender: party(chat), wa_id: id.to_owned(), why }
}

fn programs(chat: &str, id: &str) -> UnreadMessage {
    unread(chat, id, UnreadReason::ForPrograms("ephemeral_setting".to_owned()))
}

#[tokio::test]
async fn what_was_for_programs_alone_ends_its_wait() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let lost = waits(WaitReason::Lost, text(ANNA, "lost", ""));
    let garbled = waits(WaitReason::Undecryptable, text(ANNA, "garbled", ""));
    let of_the_phone = waits(WaitReason::Unavailable, by_number(text(BERT, "of the phone", "")));
    let stays = waits(WaitReason::Undecryptable, text(ANNA, "stays", ""));
    account.record(&[text(ANNA, "read", "read"), lost, garbled, of_the_phone, stays]).await.unwrap();
    let all = [
        programs(ANNA, "read"),
        programs(ANNA, "lost"),
        programs(ANNA, "garbled"),
        // The row has the number alone.
        programs(BERT, "of the phone"),
        programs(BERT, "stays"),
        programs(GROUP, "unknown"),
    ];
    account.messages().end_waits(&account.link, &all).await.unwrap();
    assert_eq!(account.messages().end_waits(&account.link, &all).await, Ok(()), "again");
    let rows =
        "SELECT jsonb_agg(jsonb_build_array(m.wa_id, m.state, m.kind, m.reason, b.content, m.recovered_at IS NULL)
                                 ORDER BY m.id)
                FROM messages m LEFT JOIN message_bodies b ON b.message_id = m.id WHERE m.wa_id <> 'read'";
    let unsupported = json!({"type": "unsupported", "unsupported": {"what": "ephemeral_setting"}});
    assert_eq!(
        database.one::<Value>(rows, &[]).await,
        json!([
            ["garbled", "received", "unsupported", null, unsupported, false],
            ["of the phone", "received", "unsupported", null, unsupported, false],
            ["stays", "waiting", null, "undecryptable", null, true],
        ])
    );
    assert_eq!(bodies(&database).await[0], "read");
    let waited = ["2 message.waiting", "3 message.waiting", "4 message.waiting"];
    let events = told(&database).await;
    assert_eq!(events[1..4], waited);
    assert_eq!(events[4..], ["5 message.recovered", "6 message.recovered"], "the lost one was never told");
    assert_eq!(database.count("SELECT event_seq FROM whatsapp_accounts").await, 6);
    let named = "SELECT count(*) FROM events e JOIN messages m ON m.id = (e.payload->>'messageId')::bigint
                 WHERE e.kind = 'message.recovered' AND (e.payload->>'chat', e.payload->>'sender') = (m.chat, m.sender)";
    assert_eq!(database.count(named).await, 2);
}

#[tokio::test]
async fn the_phone_is_believed_after_its_third_answer() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let lost = waits(WaitReason::Lost, text(ANNA, "lost", ""));
    let garbled = waits(WaitReason::Undecryptable, text(ANNA, "garbled", ""));
    account.record(&[lost, garbled]).await.unwrap();
    let missing = ["lost", "garbled"].map(|id| unread(ANNA, id, UnreadReason::NotOnPhone));
    let messages = account.messages();
    for asks in 0..3_i16 {
        database.web.execute("UPDATE messages SET asks = $1", &[&asks]).await.unwrap();
        messages.end_waits(&account.link, &missing).await.unwrap();
        assert_eq!(bodies(&database).await, ["waiting", "waiting"], "{asks}");
    }
    database.web.batch_execute("UPDATE messages SET asks = 3").await.unwrap();
    messages.end_waits(&account.link, &missing).await.unwrap();
    let what: Vec<String> =
        database.one("SELECT array_agg(content #>> '{unsupported,what}') FROM message_bodies", &[]).await;
    assert_eq!((what, database.count("SELECT count(*) FROM messages").await), (vec!["not_on_phone".to_owned()], 1));
    assert_eq!(told(&database).await, ["1 message.waiting", "2 message.recovered"]);
}

#[tokio::test]
async fn only_the_owner_of_the_link_ends_a_wait() {
    let database = Database::new().await;
    roles::grant(&database.dsn, Isolation::On).await.unwrap();
    let account = Linked::new(&database).await;
    account.record(&[waits(WaitReason::Undecryptable, text(ANNA, "1", ""))]).await.unwrap();
    let link = account.link;
    let other = KeyringId(database.keyring(account.record.id).await);
    for link in [MessageLink { fence: Fence(link.fence.0 - 1), ..link }, MessageLink { keyring: other, ..link }] {
        assert_eq!(account.messages().end_waits(&link, &[programs(ANNA, "1")]).await, Err(StoreError::Fenced));
    }
    assert_eq!(bodies(&database).await, ["waiting"]);
    let name = format!("ender_{}", uuid::Uuid::new_v4().simple());
    database.web.batch_execute(&format!("CREATE ROLE {name} LOGIN IN ROLE paird_daemon")).await.unwrap();
    let text = database.text.replace("user=paird", &format!("user={name}"));
    let pool = paird::postgres::pool::Dsn::parse(&text).unwrap().pool().unwrap();
    let process = account.daemon.process;
    let messages = paird::postgres::messages::PgMessages::new(pool, process, paird::postgres::outbox::Waker::default());
    assert_eq!(messages.end_waits(&link, &[programs(ANNA, "1")]).await, Ok(()), "with the least rights");
    assert_eq!(told(&database).await.len(), 2);
}

/// It was taken to be waited for so long ago.
async fn came(database: &Database, id: &str, ago: &str) {
    let sql = format!("UPDATE messages SET created_at = clock_timestamp() - interval '{ago}' WHERE wa_id = $1");
    database.web.execute(&sql, &[&id]).await.unwrap();
}

#[tokio::test]
async fn a_phone_that_never_answers_ends_a_wait_in_the_end() {
    let database = Database::new().await;
    roles::grant(&database.dsn, Isolation::On).await.unwrap();
    let account = Linked::new(&database).await;
    let all = [
        waits(WaitReason::Undecryptable, text(ANNA, "old", "")),
        waits(WaitReason::Lost, text(ANNA, "old and lost", "")),
        waits(WaitReason::Unavailable, text(BERT, "may be answered", "")),
        text(ANNA, "read", "read"),
    ];
    account.record(&all).await.unwrap();
    for id in ["old", "old and lost", "read"] {
        came(&database, id, "15 days 1 minute").await;
    }
    // Asked for the last time on the last of 14 days.
    came(&database, "may be answered", "14 days 23 hours").await;
    let name = format!("sweeper_{}", uuid::Uuid::new_v4().simple());
    database.web.batch_execute(&format!("CREATE ROLE {name} LOGIN IN ROLE paird_daemon")).await.unwrap();
    let text = database.text.replace("user=paird", &format!("user={name}"));
    let pool = paird::postgres::pool::Dsn::parse(&text).unwrap().pool().unwrap();
    let process = account.daemon.process;
    let store = paird::postgres::outgoing::PgOutgoing::new(pool, process, paird::postgres::outbox::Waker::default());
    for again in [false, true] {
        store.sweep().await.unwrap();
        let rows =
            "SELECT jsonb_agg(jsonb_build_array(m.wa_id, m.state, m.kind, m.reason, b.content #>> '{unsupported,what}')
                                     ORDER BY m.id)
                    FROM messages m LEFT JOIN message_bodies b ON b.message_id = m.id";
        assert_eq!(
            database.one::<Value>(rows, &[]).await,
            json!([
                ["old", "received", "unsupported", null, "not_answered"],
                ["may be answered", "waiting", null, "unavailable", null],
                ["read", "received", "text", null, null],
            ]),
            "again: {again}"
        );
        let events = told(&database).await;
        assert_eq!(events[2..], ["3 message.received", "4 message.recovered"], "again: {again}");
        assert_eq!(database.count("SELECT event_seq FROM whatsapp_accounts").await, 4);
    }
    let named = "SELECT count(*) FROM events e JOIN messages m ON m.id = (e.payload->>'messageId')::bigint
                 WHERE e.kind = 'message.recovered' AND e.created_at = m.recovered_at AND m.wa_id = 'old'";
    assert_eq!(database.count(named).await, 1);
}

#[tokio::test]
async fn one_sweep_ends_no_more_waits_than_its_batch() {
    let database = Database::new().await;
    for _ in 0..3 {
        let account = Linked::of(&database, database.daemon().await).await;
        let waiting: Vec<_> =
            (0..3).map(|nth| waits(WaitReason::Undecryptable, text(ANNA, &nth.to_string(), ""))).collect();
        account.record(&waiting).await.unwrap();
    }
    database.web.batch_execute("UPDATE messages SET created_at = created_at - interval '16 days'").await.unwrap();
    let waiting = "SELECT count(*) FROM messages WHERE state = 'waiting'";
    for (more, left) in [(true, 5), (true, 1), (false, 0)] {
        assert_eq!(database.one::<bool>("SELECT more FROM sweep_messages(4)", &[]).await, more, "{left}");
        assert_eq!(database.count(waiting).await, left);
    }
}
