//! What came of a message: written once, and told once.

use std::collections::BTreeSet;
use std::time::Duration;

use paird::whatsapp::OutgoingStore as _;
use paird_actors::domain::{
    EventKind, IncomingMessage, Instant, MessageDirection, ReceiptKind, Said, SendFailure, SendOutcome, StoreError,
};
use serde_json::{Value, json};

use super::{Sending, again, failed, ids, sent, text_to};
use crate::messages::{ANNA, BERT, GROUP, OWN, party, said, text};
use crate::support::Database;

#[tokio::test]
async fn what_came_of_a_message_is_written_and_told_once() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let id = database.try_to_send(&account, &text_to(ANNA, "x"), Some("order 17")).await.unwrap();
    account.take(16).await;
    account.settle(id, sent()).await;
    let late = [again(Duration::ZERO), failed(SendFailure::NoAck), SendOutcome::Sent { at: Instant(1) }, sent()];
    for outcome in late {
        account.settle(id, outcome).await;
    }
    let row: Value =
        database.one("SELECT jsonb_build_array(state, reason, code, sent_at, sender_phone) FROM messages", &[]).await;
    assert_eq!(row, json!(["sent", null, null, "2023-11-14T22:13:20+00:00", null]));
    let payload: Value = database.one("SELECT payload FROM events", &[]).await;
    let wa_id = database.wa_id(id).await;
    let told = json!({"messageId": id.0, "key": "order 17", "waId": wa_id, "chat": ANNA, "sentAt": "2023-11-14T22:13:20.000Z"});
    assert_eq!(payload, told);
    assert_eq!(database.count("SELECT event_seq FROM whatsapp_accounts").await, 1);
    assert_eq!(ids(&account.take(16).await), []);
}

#[tokio::test]
async fn a_failed_message_says_why_and_is_not_tried_again() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (refused, expired) =
        (database.send_text(&account, ANNA, "x").await, database.send_text(&account, BERT, "y").await);
    account.take(16).await;
    account.settle(refused, SendOutcome::Failed { reason: SendFailure::Refused, code: Some(479) }).await;
    account.settle(expired, failed(SendFailure::Expired)).await;
    assert_eq!(
        (database.state(refused).await, database.state(expired).await),
        ("failed".to_owned(), "expired".to_owned())
    );
    assert_eq!(database.column::<Option<i32>>("code", refused).await, Some(479));
    let payloads: Value = database.one("SELECT jsonb_agg(payload ORDER BY seq) FROM events", &[]).await;
    assert_eq!(
        payloads,
        json!([
            {"messageId": refused.0, "key": null, "reason": "refused", "code": 479},
            {"messageId": expired.0, "key": null, "reason": "expired", "code": null},
        ])
    );
    account.reconnect().await;
    assert_eq!(ids(&account.take(16).await), []);
}

#[tokio::test]
async fn a_connection_settles_nothing_that_another_has_taken() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let id = database.send_text(&account, ANNA, "x").await;
    account.take(16).await;
    let (former, of_former) = (account.connection, account.linked.link);
    account.reconnect().await;
    assert_eq!(ids(&account.take(16).await), [id]);
    for outcome in [sent(), failed(SendFailure::NoAck), again(Duration::ZERO)] {
        let told = account.store().settle(&of_former, former, &[(id, outcome)]).await;
        assert_eq!((told, database.state(id).await), (Err(StoreError::Overtaken), "sending".to_owned()));
    }
    assert_eq!(database.events().await, Vec::<String>::new());
    account.settle(id, sent()).await;
    assert_eq!(database.events().await, [format!("message.sent {}", id.0)]);
}

/// Of some of them it is the last taker: that is true, and stays.
#[tokio::test]
async fn an_overtaken_connection_settles_what_is_its_own() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (a, b) = (database.send_text(&account, ANNA, "x").await, database.send_text(&account, BERT, "x").await);
    account.take(16).await;
    let (former, of_former) = (account.connection, account.linked.link);
    account.reconnect().await;
    // Of the two only the first is taken so far.
    assert_eq!(ids(&account.take(1).await), [a]);
    let store = account.store();
    let settle = async || store.settle(&of_former, former, &[(a, sent()), (b, sent())]).await;
    assert_eq!(settle().await, Err(StoreError::Overtaken));
    assert_eq!([database.state(a).await, database.state(b).await], ["sending", "sent"]);
    account.settle(a, sent()).await;
    assert_eq!(settle().await, Ok(()), "all of it was written before");
    assert_eq!(database.events().await, [b, a].map(|id| format!("message.sent {}", id.0)));
}

#[tokio::test]
async fn an_echo_of_a_sent_message_is_that_message() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let id = database.send_text(&account, ANNA, "x").await;
    account.take(16).await;
    account.settle(id, sent()).await;
    let wa_id = database.wa_id(id).await;
    let echo =
        |id: &str| IncomingMessage { direction: MessageDirection::Echo, sender: party(OWN), ..text(ANNA, id, "x") };
    assert_eq!(account.linked.record(&[echo(&wa_id), echo("PHONE")]).await, Ok(1));
    // Their answer, and a revoke by the owner's phone, find it.
    let reaction = IncomingMessage {
        content: said(Said::Reaction { of: wa_id.clone(), emoji: "👍".to_owned() }),
        ..text(ANNA, "R", "")
    };
    let elsewhere = IncomingMessage {
        content: said(Said::Reaction { of: wa_id.clone(), emoji: "👍".to_owned() }),
        ..text(BERT, "R", "")
    };
    let revoke = IncomingMessage { content: said(Said::Revoke { of: wa_id.clone() }), ..echo("D") };
    account.linked.record(&[reaction, elsewhere, revoke]).await.unwrap();
    let refers: Value = database
        .one("SELECT jsonb_object_agg(wa_id || chat, refers_to) FROM messages WHERE wa_id IN ('R', 'D')", &[])
        .await;
    let key = |wa_id: &str, chat: &str| format!("{wa_id}{chat}");
    assert_eq!(refers, json!({key("R", ANNA): id.0, key("R", BERT): null, key("D", ANNA): id.0}));
    // Somebody else's message with the same id is another message.
    assert_eq!(account.linked.record(&[text(ANNA, &wa_id, "forged")]).await, Ok(1));
    let answer = IncomingMessage {
        content: said(Said::Reaction { of: wa_id, emoji: "👍".to_owned() }),
        ..text(ANNA, "S", "")
    };
    account.linked.record(&[answer]).await.unwrap();
    assert_eq!(database.count("SELECT refers_to FROM messages WHERE wa_id = 'S'").await, id.0);
}

#[tokio::test]
async fn events_of_sending_are_those_of_the_schema() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    for (n, chat) in [ANNA, BERT, GROUP, "71@lid", "72@lid", "73@lid"].iter().enumerate() {
        database.try_to_send(&account, &text_to(chat, "secret"), Some(&n.to_string())).await.unwrap();
    }
    let taken = account.take(16).await;
    for message in &taken.messages {
        let outcome = if message.chat.jid.starts_with('7') { failed(SendFailure::ReachoutTimelocked) } else { sent() };
        account.settle(message.id, outcome).await;
    }
    let of_anna = taken.messages.iter().find(|message| message.chat.jid == ANNA).unwrap();
    for kind in [ReceiptKind::Delivered, ReceiptKind::Read] {
        account.receive(ANNA, ANNA, &[&of_anna.wa_id], kind).await;
    }
    database.passes("25 hours").await;
    account.take(0).await;
    let rows = database.web.query("SELECT DISTINCT kind, payload FROM events", &[]).await.unwrap();
    let mut kinds = BTreeSet::new();
    for row in rows {
        let (kind, payload): (String, Value) = (row.get(0), row.get(1));
        let schema = EventKind::parse(&kind).unwrap().payload_schema();
        let described: BTreeSet<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(payload.as_object().unwrap().keys().collect::<BTreeSet<_>>(), described, "{kind}");
        assert!(!payload.to_string().contains("secret"), "a body in an event: {payload}");
        kinds.insert(kind);
    }
    let all = [
        EventKind::MessageDelivered,
        EventKind::MessageFailed,
        EventKind::MessageRead,
        EventKind::MessageSent,
        EventKind::SendingPaused,
        EventKind::SendingResumed,
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all.map(|kind| kind.to_string()));
}
