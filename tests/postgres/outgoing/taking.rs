//! What a connection takes, and in which order.

use std::collections::BTreeSet;
use std::time::Duration;

use paird::postgres::outbox::Waker;
use paird::postgres::outgoing::PgOutgoing;
use paird::whatsapp::{MessageLink, OutgoingStore as _};
use paird_actors::domain::{Fence, Instant, KeyringId, MessageId, Pace, SendFailure, StoreError};
use serde_json::{Value, json};

use super::{SENT, Sending, again, failed, ids, only, sent, text_to};
use crate::messages::{ANNA, BERT, GROUP, text};
use crate::support::{Database, connect};

#[tokio::test]
async fn a_chat_has_one_message_on_its_way_in_their_order() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (a1, b1) = (database.send_text(&account, ANNA, "1").await, database.send_text(&account, BERT, "1").await);
    let (a2, b2) = (database.send_text(&account, ANNA, "2").await, database.send_text(&account, BERT, "2").await);
    let g1 = database.send_text(&account, GROUP, "1").await;
    assert_eq!(ids(&account.take(1).await), [g1], "new chats come last");
    let taken = account.take(16).await;
    assert_eq!((ids(&taken), taken.has_more), (vec![a1, b1], true));
    assert_eq!(taken.pace, Some(Pace { rate: 1.0, burst: 5 }));
    let none = account.take(16).await;
    assert_eq!((ids(&none), none.has_more), (vec![], true), "its chats are busy");
    account.settle(a1, sent()).await;
    assert_eq!(ids(&account.take(16).await), [a2]);
    account.settle(b1, failed(SendFailure::Refused)).await;
    let last = account.take(16).await;
    assert_eq!((ids(&last), last.has_more, last.next_due), (vec![b2], false, None));
}

#[tokio::test]
async fn what_was_left_without_an_end_is_taken_first() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (a1, b1) = (database.send_text(&account, ANNA, "1").await, database.send_text(&account, BERT, "1").await);
    let a2 = database.send_text(&account, ANNA, "2").await;
    let first = account.take(1).await;
    let wa_id = database.wa_id(a1).await;
    assert_eq!((first.messages[0].attempt, first.messages[0].maybe_sent), (1, false));
    account.reconnect().await;
    let taken = account.take(16).await;
    assert_eq!(ids(&taken), [a1, b1], "of Anna's chat only what was left");
    let left = &taken.messages[0];
    assert_eq!((left.attempt, left.maybe_sent, &left.wa_id), (2, true, &wa_id));
    assert!(!taken.messages[1].maybe_sent);
    // The answer was lost: the connection holds one of the two.
    account.held = vec![b1];
    let none = account.take(0).await;
    assert_eq!((ids(&none), none.has_more), (vec![], true), "without room nothing is taken");
    assert_eq!(ids(&account.take(1).await), [a1]);
    account.settle(a1, sent()).await;
    assert_eq!(ids(&account.take(1).await), [a2]);
}

/// A statement that was sent before the connection ended, and arrives when the next one sends already.
#[tokio::test]
async fn a_late_taking_of_a_former_connection_takes_nothing() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let a1 = database.send_text(&account, ANNA, "1").await;
    account.take(1).await;
    let (former, of_former) = (account.connection, account.linked.link);
    account.reconnect().await;
    let store = account.store();
    let late = async || store.take(&of_former, former, &[], 16).await;
    let b1 = database.send_text(&account, BERT, "1").await;
    assert_eq!(late().await, Err(StoreError::Overtaken), "what waits is for the present connection");
    assert_eq!(ids(&account.take(16).await), [a1, b1]);
    let expired = database.send_with(&account, GROUP, "NULL, NULL, now() + interval '1 hour'").await;
    database.passes("2 hours").await;
    assert_eq!(late().await, Err(StoreError::Overtaken));
    assert_eq!([database.state(expired).await, database.state(a1).await], ["queued", "sending"]);
    for id in [a1, b1] {
        assert_eq!(database.column::<uuid::Uuid>("taken_by", id).await, account.connection);
        account.settle(id, sent()).await;
    }
    // By the present one as often as it wants.
    for _ in 0..2 {
        assert_eq!(ids(&account.take(16).await), []);
    }
    assert_eq!(database.state(expired).await, "expired");
}

#[tokio::test]
async fn what_a_connection_never_heard_that_it_took_was_not_sent() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    database.send_text(&account, ANNA, "1").await;
    account.take(16).await;
    account.held.clear();
    let taken = only(account.take(16).await);
    assert_eq!((taken.attempt, taken.maybe_sent), (2, false));
    account.reconnect().await;
    assert!(only(account.take(16).await).maybe_sent);
}

#[tokio::test]
async fn a_message_for_later_does_not_hold_up_its_chat() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let later = database.send_with(&account, ANNA, "NULL, now() + interval '1 hour'").await;
    let now = database.send_text(&account, ANNA, "now").await;
    let taken = account.take(16).await;
    assert_eq!((ids(&taken), taken.has_more), (vec![now], false));
    let due = taken.next_due.unwrap();
    assert!(due > Duration::from_secs(3500) && due <= Duration::from_secs(3600), "{due:?}");
    account.settle(now, sent()).await;
    database.passes("61 minutes").await;
    let after_it = database.send_text(&account, ANNA, "after it").await;
    assert_eq!(ids(&account.take(16).await), [later]);
    account.settle(later, sent()).await;
    assert_eq!(ids(&account.take(16).await), [after_it]);
}

#[tokio::test]
async fn a_message_that_is_tried_again_holds_up_its_chat() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (a1, b1) = (database.send_text(&account, ANNA, "1").await, database.send_text(&account, BERT, "1").await);
    let a2 = database.send_text(&account, ANNA, "2").await;
    account.take(16).await;
    account.settle(a1, again(Duration::from_secs(60))).await;
    account.settle(b1, sent()).await;
    assert_eq!(database.state(a1).await, "queued");
    let none = account.take(16).await;
    assert!(ids(&none).is_empty() && none.next_due.unwrap() > Duration::from_secs(50), "{none:?}");
    database.passes("61 seconds").await;
    let retried = only(account.take(16).await);
    assert_eq!((retried.id, retried.attempt, retried.maybe_sent), (a1, 2, false));
    account.settle(a1, sent()).await;
    assert_eq!(ids(&account.take(16).await), [a2]);
    let events = [b1, a1].map(|id| format!("message.sent {}", id.0));
    assert_eq!(database.events().await, events, "a try that will be repeated is nobody's business");
}

#[tokio::test]
async fn a_cancelled_message_is_never_taken() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let web = connect(&database.text).await;
    let mut seen = BTreeSet::new();
    for round in 0..40 {
        let id = database.send_text(&account, GROUP, &round.to_string()).await;
        let cancel = async { web.query_one("SELECT cancel_message($1)", &[&id.0]).await.unwrap().get::<_, bool>(0) };
        let (cancelled, taken) = if round % 2 == 0 {
            tokio::join!(cancel, account.take(16))
        } else {
            let (taken, cancelled) = tokio::join!(account.take(16), cancel);
            (cancelled, taken)
        };
        assert_eq!(ids(&taken), if cancelled { vec![] } else { vec![id] }, "round {round}");
        assert!(!database.cancel(id).await, "a second time");
        if !cancelled {
            account.settle(id, sent()).await;
        }
        assert_eq!(database.state(id).await, if cancelled { "cancelled" } else { "sent" });
        seen.insert(cancelled);
    }
    let left = database.send_text(&account, GROUP, "x").await;
    assert!(database.cancel(left).await && !database.cancel(MessageId(999)).await);
    account.linked.record(&[text(ANNA, "1", "in")]).await.unwrap();
    let incoming: i64 = database.one("SELECT id FROM messages WHERE direction = 'in'", &[]).await;
    assert!(!database.cancel(MessageId(incoming)).await);
    assert!(!seen.is_empty());
}

#[tokio::test]
async fn only_the_owner_of_the_link_takes_and_settles() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let id = database.send_text(&account, ANNA, "x").await;
    account.take(16).await;
    let (connection, link) = (account.connection, account.linked.link);
    let stranger = database.daemon().await;
    let of_a_stranger = PgOutgoing::new(stranger.pool.clone(), stranger.process, Waker::default());
    let other_keyring = MessageLink { keyring: KeyringId(database.keyring(link.account).await), ..link };
    let old_fence = MessageLink { fence: Fence(link.fence.0 - 1), ..link };
    for (store, link) in [(of_a_stranger, link), (account.store(), other_keyring), (account.store(), old_fence)] {
        assert_eq!(store.take(&link, connection, &[], 16).await, Err(StoreError::Fenced));
        assert_eq!(store.settle(&link, connection, &[(id, sent())]).await, Err(StoreError::Fenced));
        assert_eq!(store.record_receipts(&link, &[]).await, Err(StoreError::Fenced));
    }
    assert_eq!(database.state(id).await, "sending");
    database.web.batch_execute("UPDATE whatsapp_accounts SET deleted_at = now()").await.unwrap();
    assert_eq!(account.try_to_take(16).await, Err(StoreError::Fenced));
}

#[tokio::test]
async fn a_message_has_its_end_of_time_and_its_newness() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    account.linked.record(&[text(BERT, "1", "hello")]).await.unwrap();
    database.send_with(&account, ANNA, "NULL, NULL, '2100-01-01T00:00:00.5Z'").await;
    let known = database.send_text(&account, BERT, "x").await;
    let taken = account.take(16).await;
    let of = |id: MessageId| taken.messages.iter().find(|message| message.id == id).unwrap();
    assert!(!of(known).is_new_chat && of(known).expires_at.is_none());
    let other = taken.messages.iter().find(|message| message.id != known).unwrap();
    assert!(other.is_new_chat && other.expires_at == Some(Instant(4_102_444_800_500)));
    assert_eq!(other.chat.phone.as_ref().map(|phone| phone.digits()), None, "Anna has not written yet");
}

#[tokio::test]
async fn accounts_with_something_to_send_ring() {
    let database = Database::new().await;
    let mut account = Sending::slow(&database).await;
    let store = account.store();
    let own = vec![account.linked.record.id];
    assert_eq!(store.ringing().await.unwrap(), []);
    let later = database.send_with(&account, GROUP, "NULL, now() + interval '1 hour'").await;
    assert_eq!(store.ringing().await.unwrap(), []);
    let id = database.send_text(&account, ANNA, "x").await;
    assert_eq!(store.ringing().await.unwrap(), own);
    let stranger = database.daemon().await;
    let others = PgOutgoing::new(stranger.pool.clone(), stranger.process, Waker::default());
    assert_eq!(others.ringing().await.unwrap(), []);
    assert_eq!(ids(&account.take(16).await), [id]);
    assert_eq!(store.ringing().await.unwrap(), []);
    database.passes("2 hours").await;
    assert_eq!(store.ringing().await.unwrap(), own);
    assert!(database.cancel(later).await);
    // What waits for another day does not ring.
    database.web.batch_execute("UPDATE whatsapp_accounts SET new_chats_per_day = 1").await.unwrap();
    database.send_text(&account, BERT, "x").await;
    assert_eq!(store.ringing().await.unwrap(), own);
    account.take(16).await;
    assert_eq!(store.ringing().await.unwrap(), []);
    // Nor does an account that is not linked.
    database.send_text(&account, GROUP, "x").await;
    assert_eq!(store.ringing().await.unwrap(), own);
    database.web.batch_execute("UPDATE whatsapp_accounts SET keyring_id = NULL").await.unwrap();
    assert_eq!(store.ringing().await.unwrap(), []);
}

/// Nobody can take back, edit or like what was not sent yet.
#[tokio::test]
async fn what_is_about_a_later_message_waits_for_it() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let later = database.send_with(&account, ANNA, "NULL, now() + interval '1 hour'").await;
    let about = |kind: &str, more: Value| {
        let mut said = json!({"messageId": later.0});
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"to": ANNA, "type": kind, kind: said})
    };
    let reaction = database.send_content(&account, &about("reaction", json!({"emoji": "👍"}))).await;
    let edit = database.send_content(&account, &about("edit", json!({"body": "y"}))).await;
    let mut reply = text_to(ANNA, "and");
    reply["replyTo"] = json!(later.0);
    let reply = database.send_content(&account, &reply).await;
    let revoke = database.send_content(&account, &about("revoke", json!({}))).await;
    assert_eq!(ids(&account.take(16).await), []);
    database.passes("61 minutes").await;
    for id in [later, reaction, edit, reply, revoke] {
        assert_eq!(ids(&account.take(16).await), [id]);
        account.settle(id, sent()).await;
    }
}

/// A device of its chat asks for it again.
#[tokio::test]
async fn a_sent_message_is_found_in_its_own_chat_alone() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let id = database.send_text(&account, ANNA, "1").await;
    let wa_id = database.wa_id(id).await;
    let find = async |account: &Sending, chat: &str| {
        account.store().find_sent(&account.linked.link, &[chat.to_owned()], &wa_id).await.unwrap()
    };
    assert_eq!(find(&account, ANNA).await, None, "it never left");
    let taken = account.take(16).await.messages.remove(0);
    let left = find(&account, ANNA).await.unwrap().message;
    assert_eq!((left.id, &left.wa_id, &left.content), (id, &wa_id, &taken.content));
    assert_eq!(find(&account, BERT).await, None, "whoever knows its id");
    account.settle(id, sent()).await;
    assert_eq!(find(&account, ANNA).await.unwrap().sent_at, SENT);
    database.web.batch_execute("UPDATE messages SET chat_phone = '436601234567'").await.unwrap();
    assert!(find(&account, "436601234567@s.whatsapp.net").await.is_some(), "by its other name");
    for (state, reason, may_have_arrived) in [
        ("failed", "'no_ack'", true),
        ("failed", "'refused'", false),
        ("cancelled", "NULL", false),
        ("read", "NULL", true),
    ] {
        let ended = format!("UPDATE messages SET state = '{state}', reason = {reason}");
        database.web.batch_execute(&ended).await.unwrap();
        assert_eq!(find(&account, ANNA).await.is_some(), may_have_arrived, "{state} {reason}");
    }
    let link = account.linked.link;
    account.pair_anew(&database).await;
    assert_eq!(find(&account, ANNA).await, None, "under another link it is another message");
    account.linked.link = link;
    assert_eq!(find(&account, ANNA).await, None, "and its own may say nothing any more");
    let undo = "UPDATE whatsapp_accounts SET keyring_id = $1";
    database.web.execute(undo, &[&link.keyring.0]).await.unwrap();
    assert!(find(&account, ANNA).await.is_some());
    database.web.batch_execute("DELETE FROM message_bodies").await.unwrap();
    assert_eq!(find(&account, ANNA).await, None, "it has no body any more");
}
