//! That each check of messages sees what it is for.

use nix::sys::signal::Signal;
use paird_sandbox::{DeliveryFault, Fault, Writing};
use paird_testkit::{Stage, until};

use super::{
    messages::{self, NOTE_LINKS, Post},
    proof::sees,
};
use crate::{script::number, talk::Said};

const ANNA: &str = "999000000001";

async fn post(stage: &Stage) -> Post {
    Post::of(stage).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_complains_of_messages_broken_by_hand() {
    let (stage, daemon) = Stage::with_daemon().await;
    stage.web.sql.batch_execute(NOTE_LINKS).await.unwrap();
    let phone = number(0);
    let account = stage.web.connect_account("desk", &phone, &stage.phones).await;
    let other = stage.web.account("other").await;
    stage.web.event(account, "groups.synced", 0).await;
    stage.phones.keys_told(&phone).await;
    let mut ids = Vec::new();
    let mut said = Said::new();
    for (nth, text) in ["one", "two", "garbled at first"].into_iter().enumerate() {
        if nth == 2 {
            let garbled = Fault::Delivery { how: DeliveryFault::Garbled, number: Some(phone.clone()), times: Some(1) };
            stage.phones.fault(garbled).await;
        }
        let id = stage.phones.send(ANNA, Writing::text(&phone, text)).await.id;
        said.insert(id.clone(), ("text", text.to_owned()));
        ids.push(id);
    }
    let echo = stage.phones.send(&phone, Writing::text(ANNA, "of the owner")).await.id;
    said.insert(echo, ("text", "of the owner".to_owned()));
    stage.web.count_becomes("SELECT count(*) FROM messages WHERE state = 'received'", 4).await;
    until("nothing is kept", || async { messages::none_is_kept(&stage).await.is_empty().then_some(()) }).await;
    let said = &said;

    let [one, two, garbled] = ids.as_slice() else { panic!("{ids:?}") };
    let lost = format!("DELETE FROM messages WHERE wa_id = '{one}'");
    sees(&stage, "a message that is lost", |stage| async move { post(stage).await.lost() }, &lost).await;
    let again = "INSERT INTO messages (account_id, direction, chat, chat_phone, sender, sender_phone, wa_id, kind, state, sent_at)
        SELECT account_id, direction, chat || 'x', chat_phone, sender, sender_phone, wa_id, kind, state, sent_at FROM messages";
    for (what, breaking) in [
        ("a message that is two rows", again.to_owned()),
        ("a message of somebody else", format!("UPDATE messages SET sender_phone = '436601999' WHERE wa_id = '{one}'")),
        ("an echo that came in", "UPDATE messages SET direction = 'in'".to_owned()),
    ] {
        sees(&stage, what, |stage| async move { post(stage).await.doubled() }, &breaking).await;
    }
    let event = |wa_id: &str, kind: &str| {
        format!(
            "kind = 'message.{kind}' AND payload->>'messageId' = (SELECT id::text FROM messages WHERE wa_id = '{wa_id}')"
        )
    };
    for (what, breaking) in [
        (
            "a message told twice",
            format!(
                "INSERT INTO events (account_id, seq, kind, payload) SELECT account_id, 99, kind, payload FROM events WHERE {}",
                event(one, "received")
            ),
        ),
        ("a message that is not told", format!("DELETE FROM events WHERE {}", event(one, "received"))),
        ("a recovery that is not told", format!("DELETE FROM events WHERE {}", event(garbled, "recovered"))),
        (
            "a recovered message told as received, too",
            format!(
                "INSERT INTO events (account_id, seq, kind, payload) SELECT account_id, 99, 'message.received', payload FROM events WHERE {}",
                event(garbled, "recovered")
            ),
        ),
    ] {
        sees(&stage, what, |stage| async move { post(stage).await.not_told_once() }, &breaking).await;
    }
    let swapped = format!(
        "UPDATE messages SET wa_id = 'x' WHERE wa_id = '{one}'; UPDATE messages SET wa_id = '{one}' WHERE wa_id = '{two}';
         UPDATE messages SET wa_id = '{two}' WHERE wa_id = 'x'");
    sees(&stage, "two messages in the wrong order", |stage| async move { post(stage).await.out_of_order() }, &swapped)
        .await;
    let wrong = "UPDATE message_bodies SET content = jsonb_set(content, '{text,body}', '\"else\"')";
    sees(&stage, "a text that nobody wrote", |stage| async move { post(stage).await.misquoted(said) }, wrong).await;
    let waits = format!("UPDATE messages SET state = 'waiting', kind = NULL WHERE wa_id = '{two}'");
    sees(&stage, "a message that waits", |stage| async move { post(stage).await.waiting() }, &waits).await;
    let deleted = format!(
        "UPDATE whatsapp_accounts SET deleted_at = now(), desired = 'deleted' WHERE id = '{other}';
         UPDATE messages SET account_id = '{other}'"
    );
    sees(&stage, "messages of a deleted account", messages::none_of_deleted_accounts, &deleted).await;

    daemon.signal(Signal::SIGSTOP);
    stage.phones.send(ANNA, Writing::text(&phone, "three")).await;
    assert_eq!(messages::none_is_kept(&stage).await, ["1 messages"]);
    daemon.signal(Signal::SIGCONT);
    until("nothing is kept", || async { messages::none_is_kept(&stage).await.is_empty().then_some(()) }).await;
    stage.finish([daemon]).await;
}
