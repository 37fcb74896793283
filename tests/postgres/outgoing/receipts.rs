//! Receipts move messages forward, and never those of somebody else.

use paird::whatsapp::OutgoingStore as _;
use paird_actors::domain::{Instant, MessageId, Party, Phone, Receipt, ReceiptKind, SendFailure};
use serde_json::{Value, json};
use std::time::Duration;

use super::{RECEIVED, Sending, again, failed, sent};
use crate::messages::{ANNA, BERT, GROUP, OWN};
use crate::support::{Database, connect};

const CARL: &str = "10000003@lid";

/// A message that was sent, and its WhatsApp id.
async fn sent_to(database: &Database, account: &mut Sending, chat: &str) -> (MessageId, String) {
    let id = database.send_text(account, chat, "x").await;
    account.take(16).await;
    account.settle(id, sent()).await;
    (id, database.wa_id(id).await)
}

#[tokio::test]
async fn receipts_move_a_message_forward_only() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (id, wa_id) = sent_to(&database, &mut account, ANNA).await;
    let (read_at_once, other_id) = sent_to(&database, &mut account, ANNA).await;
    for kind in
        [ReceiptKind::Delivered, ReceiptKind::Delivered, ReceiptKind::Read, ReceiptKind::Delivered, ReceiptKind::Read]
    {
        account.receive(ANNA, ANNA, &[&wa_id, "UNKNOWN"], kind).await;
    }
    account.receive(ANNA, ANNA, &[&other_id], ReceiptKind::Read).await;
    account.receive(ANNA, ANNA, &[&other_id], ReceiptKind::Delivered).await;
    for message in [id, read_at_once] {
        let times = "jsonb_build_array(state, delivered_at, read_at)";
        let row: Value = database.column(times, message).await;
        assert_eq!(row, json!(["read", "2023-11-14T22:13:21+00:00", "2023-11-14T22:13:21+00:00"]));
    }
    let events: Vec<String> = database.events().await.split_off(2);
    assert_eq!(
        events,
        [
            format!("message.delivered {}", id.0),
            format!("message.read {}", id.0),
            format!("message.read {}", read_at_once.0)
        ]
    );
    let payload: Value = database.one("SELECT payload FROM events ORDER BY seq DESC LIMIT 1", &[]).await;
    assert_eq!(payload, json!({"messageId": read_at_once.0, "at": "2023-11-14T22:13:21.000Z", "by": ANNA}));
    assert_eq!(database.count("SELECT count(*) FROM message_receipts").await, 0);
}

#[tokio::test]
async fn a_receipt_of_another_chat_changes_nothing() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (id, wa_id) = sent_to(&database, &mut account, ANNA).await;
    let (of_group, group_wa_id) = sent_to(&database, &mut account, GROUP).await;
    let by_number = database.send_text(&account, "436600000005", "x").await;
    account.take(16).await;
    account.settle(by_number, sent()).await;
    let number_wa_id = database.wa_id(by_number).await;
    account.receive(BERT, BERT, &[&wa_id, &group_wa_id, &number_wa_id], ReceiptKind::Read).await;
    account.receive(GROUP, ANNA, &[&wa_id], ReceiptKind::Read).await;
    account.receive("12036309@g.us", ANNA, &[&group_wa_id], ReceiptKind::Read).await;
    for message in [id, of_group, by_number] {
        assert_eq!(database.state(message).await, "sent");
    }
    // Nobody has said yet that this LID has that number, and nobody that it has another.
    let receipt = Receipt {
        chat: Party { jid: "555@lid".to_owned(), phone: None },
        by: Party { jid: "555@lid".to_owned(), phone: None },
        wa_ids: vec![number_wa_id],
        kind: ReceiptKind::Delivered,
        at: RECEIVED,
    };
    account.store().record_receipts(&account.linked.link, &[receipt]).await.unwrap();
    assert_eq!(database.state(by_number).await, "delivered");
}

#[tokio::test]
async fn a_group_has_a_receipt_of_each_member() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (id, wa_id) = sent_to(&database, &mut account, GROUP).await;
    for (by, kind) in [
        (ANNA, ReceiptKind::Delivered),
        (BERT, ReceiptKind::Read),
        (ANNA, ReceiptKind::Delivered),
        (ANNA, ReceiptKind::Read),
        (CARL, ReceiptKind::Delivered),
        (BERT, ReceiptKind::Delivered),
    ] {
        account.receive(GROUP, by, &[&wa_id], kind).await;
    }
    let members: Value = database
        .one(
            "SELECT jsonb_object_agg(participant, jsonb_build_array(delivered_at IS NOT NULL, read_at IS NOT NULL))
             FROM message_receipts",
            &[],
        )
        .await;
    assert_eq!(members, json!({ANNA: [true, true], BERT: [true, true], CARL: [true, false]}));
    assert_eq!(database.state(id).await, "read");
    let events: Vec<String> = database.events().await.split_off(1);
    assert_eq!(events, [format!("message.delivered {}", id.0), format!("message.read {}", id.0)]);
}

#[tokio::test]
async fn what_was_received_was_sent_whatever_else_is_known() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let unacknowledged = database.send_text(&account, ANNA, "x").await;
    let retried = database.send_text(&account, BERT, "x").await;
    let given_up = database.send_text(&account, CARL, "x").await;
    let queued = database.send_text(&account, "99@lid", "x").await;
    assert!(account.take(16).await.messages.len() == 4);
    database
        .web
        .execute("UPDATE messages SET state = 'queued', attempt = 0, taken_by = NULL WHERE id = $1", &[&queued.0])
        .await
        .unwrap();
    account.settle(retried, again(Duration::from_secs(60))).await;
    account.settle(given_up, failed(SendFailure::NoAck)).await;
    for (chat, id) in [(ANNA, unacknowledged), (BERT, retried), (CARL, given_up), ("99@lid", queued)] {
        let wa_id = database.wa_id(id).await;
        account.receive(chat, chat, &[&wa_id], ReceiptKind::Delivered).await;
    }
    account.settle(unacknowledged, sent()).await;
    let states = [
        database.state(unacknowledged).await,
        database.state(retried).await,
        database.state(given_up).await,
        database.state(queued).await,
    ];
    assert_eq!(states, ["delivered", "delivered", "failed", "queued"]);
    let events = database.events().await;
    assert_eq!(
        events,
        [
            format!("message.failed {} no_ack", given_up.0),
            format!("message.sent {}", unacknowledged.0),
            format!("message.delivered {}", unacknowledged.0),
            format!("message.sent {}", retried.0),
            format!("message.delivered {}", retried.0),
        ]
    );
}

#[tokio::test]
async fn what_a_receipt_holds_is_never_refused() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (_, wa_id) = sent_to(&database, &mut account, GROUP).await;
    let odd = |jid: String, at: i64| Receipt {
        chat: Party { jid: GROUP.to_owned(), phone: Some(Phone::parse("436600000001").unwrap()) },
        by: Party { jid, phone: None },
        wa_ids: vec![wa_id.clone(), "\0".to_owned(), "x".repeat(100_000)],
        kind: ReceiptKind::Read,
        at: Instant(at),
    };
    let receipts = [odd(String::new(), i64::MIN), odd("\0".to_owned(), i64::MAX), odd(OWN.repeat(1_000), 0)];
    account.store().record_receipts(&account.linked.link, &receipts).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM message_receipts").await, 2);
}

#[tokio::test]
async fn a_receipt_does_not_wait_for_a_transaction_that_cancels() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let retried = database.send_text(&account, ANNA, "x").await;
    account.take(16).await;
    account.settle(retried, again(Duration::from_secs(60))).await;
    let (other, other_id) = sent_to(&database, &mut account, BERT).await;
    let web = connect(&database.text).await;
    web.batch_execute("BEGIN").await.unwrap();
    web.query("SELECT cancel_message($1)", &[&retried.0]).await.unwrap();
    let wa_id = database.wa_id(retried).await;
    account.receive(ANNA, ANNA, &[&wa_id], ReceiptKind::Delivered).await;
    account.receive(BERT, BERT, &[&other_id], ReceiptKind::Delivered).await;
    web.batch_execute("COMMIT").await.unwrap();
    assert_eq!([database.state(retried).await, database.state(other).await], ["cancelled", "delivered"]);
}

#[tokio::test]
async fn a_receipt_names_the_number_in_whichever_spelling() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (id, wa_id) = sent_to(&database, &mut account, "5511987654321").await;
    let receipt = Receipt {
        chat: Party { jid: "555@lid".to_owned(), phone: Some(Phone::parse("551187654321").unwrap()) },
        by: Party { jid: "555@lid".to_owned(), phone: None },
        wa_ids: vec![wa_id],
        kind: ReceiptKind::Delivered,
        at: RECEIVED,
    };
    account.store().record_receipts(&account.linked.link, &[receipt]).await.unwrap();
    assert_eq!(database.state(id).await, "delivered");
}
