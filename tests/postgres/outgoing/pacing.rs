//! The pace of an account: bursts, new chats, and pauses.

use std::time::Duration;

use paird_actors::domain::{IncomingMessage, MessageId, Pace, ReceiptKind, SendFailure};
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;

use super::{Sending, again, failed, ids, sent, text_to};
use crate::messages::{ANNA, BERT, GROUP, party, text};
use crate::support::{Database, connect};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Whether it is about so long, and not longer.
fn is_about(found: Option<Duration>, wanted: Duration) -> bool {
    found.is_some_and(|found| found <= wanted && found + Duration::from_secs(120) > wanted)
}

#[tokio::test]
async fn a_reconnect_does_not_begin_a_new_burst() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let pace = "UPDATE whatsapp_accounts SET send_rate = 0.1, send_burst = 4";
    database.web.batch_execute(pace).await.unwrap();
    for n in 0..8 {
        database.send_text(&account, &format!("7{n}@lid"), "x").await;
    }
    let first = account.take(3).await;
    assert_eq!((first.recent, first.pace), (3, Some(Pace { rate: 0.1, burst: 4 })));
    account.reconnect().await;
    assert_eq!(account.take(0).await.recent, 3);
    assert_eq!(account.take(1).await.recent, 4, "what is sent again counts again");
    database.passes("20 seconds").await;
    assert_eq!(account.take(0).await.recent, 2);
    database.passes("10 years").await;
    assert_eq!(account.take(0).await.recent, 0);
}

#[tokio::test]
async fn another_pace_is_checked_audited_and_rings() {
    let database = Database::new().await;
    let mut account = Sending::slow(&database).await;
    let mut bell = database.listener("paird_outgoing").await;
    for wrong in [
        "send_rate = 0",
        "send_rate = -1",
        "send_rate = 'NaN'",
        "send_rate = 'Infinity'",
        "send_rate = 1001",
        "send_rate = NULL",
        "send_burst = 0",
        "send_burst = 1001",
        "new_chats_per_day = -1",
    ] {
        let refused =
            database.web.batch_execute(&format!("UPDATE whatsapp_accounts SET {wrong}")).await.expect_err(wrong);
        let code = refused.code().unwrap();
        assert!([SqlState::CHECK_VIOLATION, SqlState::NOT_NULL_VIOLATION].contains(code), "{wrong}: {refused:?}");
    }
    let set = "UPDATE whatsapp_accounts SET send_rate = 2.5, send_burst = 9, new_chats_per_day = NULL";
    database.web.batch_execute(set).await.unwrap();
    assert_eq!(bell.heard().await, account.linked.record.id.0.to_string());
    assert_eq!(account.take(0).await.pace, Some(Pace { rate: 2.5, burst: 9 }));
    database.web.batch_execute(set).await.unwrap();
    let audited: Value =
        database.one("SELECT jsonb_agg(payload) FROM audit_log WHERE action = 'account.pace_set'", &[]).await;
    assert_eq!(audited, json!([{"label": "shop", "sendRate": 2.5, "sendBurst": 9, "newChatsPerDay": null}]));
}

#[tokio::test]
async fn new_chats_wait_for_their_day() {
    let database = Database::new().await;
    let mut account = Sending::slow(&database).await;
    database.web.batch_execute("UPDATE whatsapp_accounts SET new_chats_per_day = 2").await.unwrap();
    account.linked.record(&[text(BERT, "1", "hello")]).await.unwrap();
    let mut chats = Vec::new();
    for chat in ["71@lid", "72@lid", "73@lid", "74@lid"] {
        chats.push(database.send_text(&account, chat, "x").await);
    }
    let (known, group) =
        (database.send_text(&account, BERT, "x").await, database.send_text(&account, GROUP, "x").await);
    let taken = account.take(16).await;
    assert_eq!(ids(&taken), [known, group, chats[0], chats[1]]);
    assert!(!taken.has_more && is_about(taken.next_due, DAY), "{taken:?}");
    for id in [chats[2], chats[3]] {
        let waits: (String, Option<String>) = (database.state(id).await, database.column("reason", id).await);
        assert_eq!(waits, ("queued".to_owned(), Some("new_chat_limit".to_owned())));
    }
    // A second message to a chat that was begun is no new chat, and one that must be tried again
    // has its place already.
    account.settle(chats[0], sent()).await;
    account.settle(chats[1], again(Duration::ZERO)).await;
    let second = database.send_text(&account, "71@lid", "y").await;
    assert_eq!(ids(&account.take(16).await), [second, chats[1]]);
    account.settle(chats[1], failed(SendFailure::NotOnWhatsapp)).await;
    assert_eq!(ids(&account.take(16).await), []);
    // Whoever writes first makes the chat known.
    let mut bell = database.listener("paird_outgoing").await;
    account.linked.record(&[text("74@lid", "1", "hello")]).await.unwrap();
    bell.heard().await;
    assert_eq!(ids(&account.take(16).await), [chats[3]]);
    database.passes("25 hours").await;
    let third = account.take(16).await;
    assert_eq!((ids(&third), third.next_due), (vec![chats[2]], None));
    assert_eq!(database.column::<Option<String>>("reason", chats[2]).await, None);
}

#[tokio::test]
async fn a_member_of_a_group_is_a_new_chat_until_it_writes() {
    let database = Database::new().await;
    let account = Sending::slow(&database).await;
    let in_group = IncomingMessage { chat: party(GROUP), ..text(ANNA, "1", "in the group") };
    account.linked.record(&[in_group]).await.unwrap();
    let first = database.send_text(&account, ANNA, "x").await;
    assert!(database.column::<bool>("is_new_chat", first).await);
    account.linked.record(&[text(ANNA, "2", "to the account")]).await.unwrap();
    assert!(!database.column::<bool>("is_new_chat", first).await, "it is freed");
    let second = database.send_text(&account, ANNA, "y").await;
    assert!(!database.column::<bool>("is_new_chat", second).await);
}

#[tokio::test]
async fn a_message_added_as_its_chat_becomes_known_does_not_wait() {
    let database = Database::new().await;
    let mut account = Sending::slow(&database).await;
    database.web.batch_execute("UPDATE whatsapp_accounts SET new_chats_per_day = 0").await.unwrap();
    let web = connect(&database.text).await;
    web.batch_execute("BEGIN").await.unwrap();
    let sql = "SELECT send_message($1, $2)";
    let row = web.query_one(sql, &[&account.linked.record.id.0, &text_to(BERT, "x")]).await.unwrap();
    let id = MessageId(row.get(0));
    account.linked.record(&[text(BERT, "1", "hello")]).await.unwrap();
    web.batch_execute("COMMIT").await.unwrap();
    assert!(database.column::<bool>("is_new_chat", id).await);
    let none = account.take(16).await;
    assert_eq!((ids(&none), none.has_more), (vec![], true));
    assert_eq!(ids(&account.take(16).await), [id]);
}

#[tokio::test]
async fn no_new_chat_is_begun_where_none_is_allowed() {
    let database = Database::new().await;
    let mut account = Sending::slow(&database).await;
    database.web.batch_execute("UPDATE whatsapp_accounts SET new_chats_per_day = 0").await.unwrap();
    let id = database.send_text(&account, ANNA, "x").await;
    let none = account.take(16).await;
    assert_eq!((ids(&none), none.has_more, none.next_due), (vec![], false, None));
    database.web.batch_execute("UPDATE whatsapp_accounts SET new_chats_per_day = NULL").await.unwrap();
    assert!(account.take(0).await.has_more);
    assert_eq!(ids(&account.take(16).await), [id]);
}

#[tokio::test]
async fn three_refused_first_messages_pause_new_chats() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    account.linked.record(&[text(BERT, "1", "hello")]).await.unwrap();
    let refused = failed(SendFailure::ReachoutTimelocked);
    let mut last = None;
    // One that succeeds between them begins the count anew.
    for (n, outcome) in [&refused, &refused, &sent(), &refused, &refused, &refused].into_iter().enumerate() {
        assert_eq!(database.count("SELECT count(sending_paused_until) FROM whatsapp_accounts").await, 0);
        let id = database.send_text(&account, &format!("7{n}@lid"), "x").await;
        assert_eq!(ids(&account.take(16).await), [id]);
        account.settle(id, outcome.clone()).await;
        last = Some(id);
    }
    let waits = database.send_text(&account, ANNA, "x").await;
    let known = database.send_text(&account, BERT, "x").await;
    let taken = account.take(16).await;
    assert_eq!(ids(&taken), [known]);
    assert!(is_about(taken.next_due, DAY) && !taken.has_more, "{taken:?}");
    assert_eq!(database.column::<Option<String>>("reason", waits).await.as_deref(), Some("sending_paused"));
    let paused: String = database.one("SELECT sending_paused_reason FROM whatsapp_accounts", &[]).await;
    assert_eq!(paused, "reachout_timelocked");
    let told = database.events().await;
    let last = format!("message.failed {} reachout_timelocked", last.unwrap().0);
    assert_eq!(told[told.len() - 2..], [last, "sending.paused reachout_timelocked".to_owned()]);
    database.passes("25 hours").await;
    assert_eq!(ids(&account.take(16).await), [waits]);
    assert_eq!(database.events().await.pop().unwrap(), "sending.resumed reachout_timelocked");
    assert_eq!(database.count("SELECT count(sending_paused_until) FROM whatsapp_accounts").await, 0);
    account.settle(waits, refused).await;
    assert_eq!(
        database.count("SELECT count(sending_paused_until) FROM whatsapp_accounts").await,
        0,
        "it begins at one"
    );
}

#[tokio::test]
async fn a_receipt_ends_a_series_of_refusals() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    for chat in ["71@lid", "72@lid"] {
        let id = database.send_text(&account, chat, "x").await;
        account.take(16).await;
        account.settle(id, failed(SendFailure::ReachoutTimelocked)).await;
    }
    let refused = "SELECT new_chats_refused::bigint FROM whatsapp_accounts";
    assert_eq!(database.count(refused).await, 2);
    let id = database.send_text(&account, ANNA, "x").await;
    account.take(16).await;
    account.receive(ANNA, ANNA, &[&database.wa_id(id).await], ReceiptKind::Delivered).await;
    assert_eq!(database.count(refused).await, 0);
}
