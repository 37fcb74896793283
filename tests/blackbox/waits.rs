//! How the wait for a message ends that will never be read.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use paird_sandbox::{Content, DeliveryFault, Fault, Writing};
use paird_testkit::{Stage, until};
use serde_json::json;
use waproto::{
    buffa::MessageField,
    whatsapp::{
        Message,
        message::{ProtocolMessage, protocol_message::Type},
    },
};

use super::receiving::{ANNA, NUMBER, garbled, linked, nothing_waits, row, texts, texts_are, writes};

/// How long messages of a chat last: no person reads that, and clients keep it to themselves.
async fn sets_a_timer(stage: &Stage) {
    let protocol = ProtocolMessage {
        r#type: Some(Type::EPHEMERAL_SETTING),
        ephemeral_expiration: Some(86_400),
        ..Default::default()
    };
    let message = Message { protocol_message: MessageField::some(protocol), ..Default::default() };
    let bytes = waproto::codec::message_to_vec(&message);
    stage.phones.send(ANNA, Writing::new(NUMBER, Content::Raw(BASE64_STANDARD.encode(bytes)))).await;
}

/// It was read and acknowledged once, and comes again. It cannot be decrypted twice, so it might
/// be a lost message, until the phone says what it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_message_that_was_for_programs_leaves_no_row() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    stage.phones.set_online(NUMBER, false).await;
    let twice = Fault::Delivery { how: DeliveryFault::Twice, number: Some(NUMBER.to_owned()), times: Some(1) };
    stage.phones.fault(twice).await;
    sets_a_timer(&stage).await;
    texts_are(&stage, account, &["before", "waiting"]).await;
    stage.phones.set_online(NUMBER, true).await;
    texts_are(&stage, account, &["before"]).await;
    nothing_waits(&stage).await;
    let told = stage.web.kinds(account).await.into_iter().filter(|kind| kind.starts_with("message."));
    assert_eq!(told.collect::<Vec<_>>(), ["message.received"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_message_that_was_for_programs_is_unsupported() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    stage.phones.fault(garbled(1)).await;
    sets_a_timer(&stage).await;
    stage.web.event(account, "message.waiting", 0).await;
    stage.web.event(account, "message.recovered", 0).await;
    let content = row(&stage, "unsupported").await["content"].clone();
    assert_eq!(content, json!({"type": "unsupported", "unsupported": {"what": "ephemeral_setting"}}));
    let waiting = "SELECT count(*) FROM messages WHERE state = 'waiting'";
    assert_eq!(stage.web.count(waiting, &[]).await, 0);
    nothing_waits(&stage).await;
    stage.finish([daemon]).await;
}

/// As if these messages had been lost days ago, and asked for twice.
async fn have_been_lost(stage: &Stage, count: i64) {
    let lost =
        "INSERT INTO messages (account_id, direction, chat, chat_phone, sender, sender_phone, wa_id, state, reason,
                                      sent_at, asks, asked_at)
                SELECT account_id, direction, chat, chat_phone, sender, sender_phone, 'KEYS' || n, 'waiting', 'lost',
                       now() - interval '3 days', 2, now() - interval '2 days'
                FROM messages, generate_series(1, $1::bigint) n";
    stage.web.sql.execute(lost, &[&count]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_message_that_the_phone_never_had_leaves_no_row() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    daemon.kill().await;
    have_been_lost(&stage, 1).await;
    let daemon = stage.daemon(&[]).await;
    until("the row is gone", || async { (texts(&stage, account).await == ["before"]).then_some(()) }).await;
    stage.finish([daemon]).await;
}

/// More than one statement takes.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_asks_for_every_message_that_waits() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    daemon.kill().await;
    have_been_lost(&stage, 130).await;
    let daemon = stage.daemon(&[]).await;
    until("every one was asked for", || async {
        (stage.web.count("SELECT count(*) FROM messages WHERE state = 'waiting'", &[]).await == 0).then_some(())
    })
    .await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_nobody_answers_ends_as_unsupported() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    stage.phones.set_online(NUMBER, false).await;
    stage.phones.never_asks_again(ANNA).await;
    let unavailable =
        Fault::Delivery { how: DeliveryFault::Unavailable, number: Some(NUMBER.to_owned()), times: Some(1) };
    stage.phones.fault(unavailable).await;
    writes(&stage, ANNA, "for the phone alone").await;
    stage.web.event(account, "message.waiting", 0).await;
    let old = "UPDATE messages SET created_at = created_at - interval '16 days', asks = 3";
    stage.web.sql.execute(old, &[]).await.unwrap();
    stage.web.event(account, "message.recovered", 0).await;
    let content = row(&stage, "unsupported").await["content"].clone();
    assert_eq!(content, json!({"type": "unsupported", "unsupported": {"what": "not_answered"}}));
    // A late answer changes nothing.
    stage.phones.set_online(NUMBER, true).await;
    writes(&stage, ANNA, "after").await;
    texts_are(&stage, account, &["unsupported", "after"]).await;
    nothing_waits(&stage).await;
    stage.finish([daemon]).await;
}
