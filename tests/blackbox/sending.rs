//! sql/README.md, "Messages": a row of the web app is one message on the recipient's phone,
//! whatever happens in between, and says how far it got.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use paird_sandbox::{ActivationFault, Fault, MessageFault, PrekeyFault, ReceiptFault, Scope, ShownMessage, Writing};
use paird_testkit::{Daemon, Stage, Wire, until, until_within};
use serde_json::{Value, json};
use uuid::Uuid;

const NUMBER: &str = "436602000001";
const ANNA: &str = "436602000002";
const BERT: &str = "436602000003";
/// A piece of the statement that writes receipts.
const RECEIPTS: &str = "FROM record_receipts(";
const GROUP: &str = "120363000000000077@g.us";

/// An account that can write, and two people.
async fn linked(stage: &Stage) -> Uuid {
    for number in [ANNA, BERT] {
        stage.phones.add(number).await;
    }
    stage.web.reachable_account("shop", NUMBER, &stage.phones).await
}

async fn sends(stage: &Stage, account: Uuid, content: Value) -> i64 {
    let sql = "SELECT send_message($1, $2)";
    stage.web.sql.query_one(sql, &[&account, &content]).await.unwrap().get(0)
}

async fn texts(stage: &Stage, account: Uuid, to: &str, body: &str) -> i64 {
    sends(stage, account, json!({"to": to, "type": "text", "text": {"body": body}})).await
}

/// Its state, with the reason if there is one.
async fn state(stage: &Stage, id: i64) -> String {
    let sql = "SELECT concat_ws(' ', state, reason, code) FROM messages WHERE id = $1";
    stage.web.sql.query_one(sql, &[&id]).await.unwrap().get(0)
}

async fn state_is(stage: &Stage, id: i64, wanted: &str) {
    let is_so = until("this state", || async { (state(stage, id).await == wanted).then_some(()) });
    // Less than its own deadline, so that the other state is told.
    let _ = tokio::time::timeout(Duration::from_secs(40), is_so).await;
    assert_eq!(state(stage, id).await, wanted);
}

async fn all_are(stage: &Stage, states: &[&str], count: i64) {
    let sql = "SELECT count(*) FROM messages WHERE direction = 'out' AND state = ANY($1)";
    until("all in these states", || async { (stage.web.count(sql, &[&states]).await == count).then_some(()) }).await;
}

async fn wa_id(stage: &Stage, id: i64) -> String {
    stage.web.sql.query_one("SELECT wa_id FROM messages WHERE id = $1", &[&id]).await.unwrap().get(0)
}

/// What the account wrote, as this phone shows it.
async fn shown(stage: &Stage, number: &str) -> Vec<ShownMessage> {
    let screen = stage.phones.screen(number).await;
    screen.into_iter().filter(|message| message.from.starts_with(NUMBER)).collect()
}

async fn shown_texts(stage: &Stage, number: &str) -> Vec<String> {
    shown(stage, number).await.into_iter().filter_map(|message| message.text).collect()
}

async fn shows(stage: &Stage, number: &str, text: &str) -> ShownMessage {
    until(text, || async {
        shown(stage, number).await.into_iter().find(|message| message.text.as_deref() == Some(text))
    })
    .await
}

/// No limits, so that a test does not wait for the pace.
async fn in_haste(stage: &Stage, account: Uuid) {
    let sql = "UPDATE whatsapp_accounts SET send_rate = 1000, send_burst = 100, new_chats_per_day = NULL WHERE id = $1";
    stage.web.sql.execute(sql, &[&account]).await.unwrap();
}

async fn cut(stage: &Stage) {
    stage.phones.fault(Fault::Cut { scope: Scope::Number(NUMBER.to_owned()) }).await;
}

fn message_fault(how: MessageFault) -> Fault {
    Fault::Message { how, number: Some(NUMBER.to_owned()), times: Some(1) }
}

/// Everything of the account is told once, in order.
async fn told(stage: &Stage, account: Uuid, id: i64) -> Vec<String> {
    let sql = "SELECT kind FROM events WHERE account_id = $1 AND (payload->>'messageId')::bigint = $2 ORDER BY seq";
    stage.web.sql.query(sql, &[&account, &id]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_arrives_and_its_row_says_sent_delivered_read() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    stage.phones.set_online(ANNA, false).await;
    let id = texts(&stage, account, ANNA, "a text with words of its own").await;
    state_is(&stage, id, "sent").await;
    stage.phones.set_online(ANNA, true).await;
    let message = shows(&stage, ANNA, "a text with words of its own").await;
    assert_eq!((message.id.clone(), message.arrivals), (wa_id(&stage, id).await, 1));
    state_is(&stage, id, "delivered").await;
    stage.phones.has_read(ANNA, NUMBER, &[&message.id]).await;
    state_is(&stage, id, "read").await;
    assert_eq!(told(&stage, account, id).await, ["message.sent", "message.delivered", "message.read"]);
    // The owner's phone shows it as well.
    shows(&stage, NUMBER, "a text with words of its own").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_amid_twenty_messages_each_phone_shows_each_once() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[]).await;
    let account = linked(&stage).await;
    in_haste(&stage, account).await;
    let mut wanted = BTreeSet::new();
    for nth in 0..20 {
        let text = format!("message number {nth:02}");
        texts(&stage, account, if nth % 2 == 0 { ANNA } else { BERT }, &text).await;
        wanted.insert(text);
    }
    until("some on their way", || async {
        let sql = "SELECT count(*) FROM messages WHERE state IN ('sent', 'delivered')";
        (stage.web.count(sql, &[]).await >= 3).then_some(())
    })
    .await;
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    all_are(&stage, &["delivered"], 20).await;
    let mut seen = Vec::new();
    for number in [ANNA, BERT] {
        let shown = shown_texts(&stage, number).await;
        assert!(shown.is_sorted(), "out of order: {shown:?}");
        seen.extend(shown);
    }
    assert_eq!(seen.len(), 20, "{seen:?}");
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), wanted);
    stage.finish([daemon]).await;
}

/// Its connection is lost right after a message with this fault.
async fn sent_over_a_lost_connection(how: MessageFault) {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let first = texts(&stage, account, ANNA, "the first one").await;
    state_is(&stage, first, "delivered").await;
    stage.phones.fault(message_fault(how)).await;
    let id = texts(&stage, account, ANNA, "over two connections").await;
    state_is(&stage, id, "delivered").await;
    let shown = shows(&stage, ANNA, "over two connections").await;
    assert_eq!(shown.id, wa_id(&stage, id).await);
    assert_eq!(shown_texts(&stage, ANNA).await, ["the first one", "over two connections"]);
    // The chat goes on.
    let third = texts(&stage, account, ANNA, "and the third").await;
    state_is(&stage, third, "delivered").await;
    assert_eq!(told(&stage, account, id).await, ["message.sent", "message.delivered"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_before_it_is_delivered_a_message_is_sent_again() {
    sent_over_a_lost_connection(MessageFault::CutBefore).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_after_it_is_delivered_a_message_is_shown_once() {
    sent_over_a_lost_connection(MessageFault::CutAfter).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_acknowledgement_is_made_up_for_by_a_receipt() {
    sent_over_a_lost_connection(MessageFault::AckLost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_acknowledgement_and_receipt_it_is_sent_again() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    stage.phones.fault(message_fault(MessageFault::AckLost)).await;
    let lost = Fault::Receipts { how: ReceiptFault::Lost, number: Some(NUMBER.to_owned()), times: Some(1) };
    stage.phones.fault(lost).await;
    let id = texts(&stage, account, ANNA, "sent twice under one id").await;
    let first = shows(&stage, ANNA, "sent twice under one id").await;
    assert_eq!(state(&stage, id).await, "sending");
    cut(&stage).await;
    state_is(&stage, id, "delivered").await;
    let shown = shown(&stage, ANNA).await;
    assert_eq!((shown.len(), shown[0].arrivals, shown[0].deviations), (1, 2, 0));
    assert!(first.secret.is_some());
    stage.finish([daemon]).await;
}

/// A new link has other keys, from which other secrets follow.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_former_link_began_is_not_sent_over_the_next() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    stage.phones.fault(message_fault(MessageFault::AckLost)).await;
    let lost = Fault::Receipts { how: ReceiptFault::Lost, number: Some(NUMBER.to_owned()), times: Some(1) };
    stage.phones.fault(lost).await;
    let began = texts(&stage, account, ANNA, "over the former link").await;
    shows(&stage, ANNA, "over the former link").await;
    let behind = texts(&stage, account, ANNA, "over the next link").await;
    // The keys are parked until others take their place, so the account is never without a link.
    stage.web.does("account.unpair", account, json!({})).await;
    assert_eq!(state(&stage, began).await, "sending");
    stage.web.pair_with(account, NUMBER, &stage.phones).await;
    state_is(&stage, began, "failed no_ack").await;
    state_is(&stage, behind, "delivered").await;
    assert_eq!(told(&stage, account, began).await, ["message.failed"]);
    let shown = shown(&stage, ANNA).await;
    let seen: Vec<_> = shown.iter().map(|one| (one.text.as_deref().unwrap(), one.arrivals, one.deviations)).collect();
    assert_eq!(seen, [("over the former link", 1, 0), ("over the next link", 1, 0)]);
    stage.finish([daemon]).await;
}

/// It has been carried out: what a connection never heard that it took, it did not send.
#[tokio::test(flavor = "multi_thread")]
async fn taken_without_an_answer_a_message_is_sent_once() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    // So that a message which may have been sent would fail.
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn), ("PAIRD_RESEND", "never")]).await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    let first = texts(&stage, account, ANNA, "before").await;
    state_is(&stage, first, "delivered").await;
    wire.lose_the_answer_to("FROM take_messages(");
    let id = texts(&stage, account, ANNA, "taken twice").await;
    wire.answers_are_lost().await;
    state_is(&stage, id, "delivered").await;
    let attempts = "SELECT attempt::bigint FROM messages WHERE id = $1";
    assert_eq!(stage.web.count(attempts, &[&id]).await, 2, "the answer to another statement was lost");
    let shown = shown(&stage, ANNA).await;
    let last = shown.last().unwrap();
    assert_eq!((shown.len(), last.arrivals, last.deviations), (2, 1, 0));
    assert_eq!(last.id, wa_id(&stage, id).await);
    assert_eq!(told(&stage, account, id).await, ["message.sent", "message.delivered"]);
    stage.finish([daemon]).await;
}

/// WhatsApp never says that it has sent all that it kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_without_an_end_holds_up_no_message_for_long() {
    let stage = Stage::in_haste().await;
    let daemon = stage.daemon(&[]).await;
    let account = linked(&stage).await;
    let (how, number) = (ActivationFault::Endless, Some(NUMBER.to_owned()));
    stage.phones.fault(Fault::Activation { how, number, times: Some(1) }).await;
    stage.logs_in_anew(account, NUMBER).await;
    let id = texts(&stage, account, ANNA, "in the end").await;
    // A minute, and what the way takes.
    let most = Duration::from_secs(120) / stage.haste();
    until_within(most, "it is delivered", || async { (state(&stage, id).await == "delivered").then_some(()) }).await;
    let shown = shown(&stage, ANNA).await;
    assert_eq!((shown.len(), shown[0].arrivals, shown[0].deviations), (1, 1, 0));
    stage.finish([daemon]).await;
}

/// Killed while this statement, which says what came of a message, is on its way.
async fn killed_before(stuck: &'static str) {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    let first = texts(&stage, account, ANNA, "before the kill").await;
    state_is(&stage, first, "delivered").await;
    // Otherwise a receipt says what the outcome would have.
    stage.phones.set_online(ANNA, stuck == RECEIPTS).await;
    wire.jam(stuck);
    let id = texts(&stage, account, ANNA, "amid the kill").await;
    wire.is_jammed(stuck, account).await;
    assert_ne!(state(&stage, id).await, "delivered");
    if stuck == RECEIPTS {
        let device = stage.phones.devices(NUMBER).await.pop().unwrap();
        let waiting = stage.phones.waiting(NUMBER, &device.jid).await.stanzas;
        assert!(waiting > 0, "a receipt was acknowledged before it was written");
    }
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    stage.phones.set_online(ANNA, true).await;
    state_is(&stage, id, "delivered").await;
    wire.let_go().await;
    assert_eq!(state(&stage, id).await, "delivered");
    assert_eq!(told(&stage, account, id).await, ["message.sent", "message.delivered"]);
    assert_eq!(shown_texts(&stage, ANNA).await, ["before the kill", "amid the kill"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_a_receipt_is_written_it_is_kept() {
    killed_before(RECEIPTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_an_outcome_is_written_it_is_found_out() {
    killed_before("FROM settle_messages(").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bell_is_heard_at_once() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let begun = Instant::now();
    for nth in 0..4 {
        let id = texts(&stage, account, ANNA, &format!("at once, number {nth}")).await;
        state_is(&stage, id, "delivered").await;
    }
    // Without bells each would wait for the daemon's look, every 15 s.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_forbidden_nothing_is_sent_again() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_RESEND", "never")]).await;
    let account = linked(&stage).await;
    stage.phones.fault(message_fault(MessageFault::CutBefore)).await;
    let id = texts(&stage, account, ANNA, "once or never").await;
    state_is(&stage, id, "failed no_ack").await;
    assert_eq!(shown_texts(&stage, ANNA).await, [""; 0]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_told_with_their_codes() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    for (code, wanted) in
        [(463, "failed reachout_timelocked 463"), (479, "failed refused 479"), (405, "failed refused 405")]
    {
        stage.phones.fault(message_fault(MessageFault::Nack(code))).await;
        let id = texts(&stage, account, ANNA, &format!("refused with {code}")).await;
        state_is(&stage, id, wanted).await;
        assert_eq!(told(&stage, account, id).await, ["message.failed"]);
    }
    stage.phones.fault(message_fault(MessageFault::Nack(503))).await;
    let id = texts(&stage, account, ANNA, "refused while busy").await;
    state_is(&stage, id, "delivered").await;
    assert_eq!(shown_texts(&stage, ANNA).await, ["refused while busy"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_without_a_reader_is_not_sent() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let number = Some(ANNA.to_owned());
    stage.phones.fault(Fault::Prekeys { how: PrekeyFault::Missing(406), number, times: Some(1) }).await;
    let id = texts(&stage, account, ANNA, "readable at last").await;
    // The owner's phone has it, and WhatsApp acknowledged it.
    shows(&stage, NUMBER, "readable at last").await;
    state_is(&stage, id, "delivered").await;
    assert_eq!(shown_texts(&stage, ANNA).await, ["readable at last"]);
    assert_eq!(told(&stage, account, id).await, ["message.sent", "message.delivered"]);

    let number = Some(BERT.to_owned());
    stage.phones.fault(Fault::Prekeys { how: PrekeyFault::Missing(406), number, times: None }).await;
    let id = texts(&stage, account, BERT, "readable never").await;
    state_is(&stage, id, "failed no_recipient_device").await;
    assert_eq!(told(&stage, account, id).await, ["message.failed"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_whatsapp_is_told() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let id = texts(&stage, account, "436602999999", "to nobody at all").await;
    state_is(&stage, id, "failed not_on_whatsapp").await;
    assert_eq!(shown_texts(&stage, NUMBER).await, [""; 0]);
    stage.finish([daemon]).await;
}

/// WhatsApp knows the number as it was before the ninth digit.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_written_to_as_whatsapp_spells_it() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    stage.phones.add("551187654321").await;
    for text in ["in another spelling", "and once more"] {
        let id = texts(&stage, account, "+55 11 98765-4321", text).await;
        state_is(&stage, id, "delivered").await;
    }
    assert_eq!(shown_texts(&stage, "551187654321").await, ["in another spelling", "and once more"]);
    stage.finish([daemon]).await;
}

/// For a command or for a first message.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_asked_for_once_whatever_for() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let nobody = "436602999999";
    let checked = stage.web.does("contact.check", account, json!({"phones": [ANNA, nobody]})).await;
    assert_eq!(checked, "1 of 2 on WhatsApp");
    let asked = "SELECT max(asked_at)::text FROM contact_checks";
    let before: String = stage.web.sql.query_one(asked, &[]).await.unwrap().get(0);
    let (to_anna, to_nobody) =
        (texts(&stage, account, ANNA, "known by a check").await, texts(&stage, account, nobody, "to nobody").await);
    state_is(&stage, to_anna, "delivered").await;
    state_is(&stage, to_nobody, "failed not_on_whatsapp").await;
    assert_eq!(stage.web.sql.query_one(asked, &[]).await.unwrap().get::<_, String>(0), before);
    // And the other way round.
    let to_bert = texts(&stage, account, BERT, "asked for by a message").await;
    state_is(&stage, to_bert, "delivered").await;
    let before: String = stage.web.sql.query_one(asked, &[]).await.unwrap().get(0);
    assert_eq!(stage.web.does("contact.check", account, json!({"phones": [BERT]})).await, "1 of 1 on WhatsApp");
    assert_eq!(stage.web.sql.query_one(asked, &[]).await.unwrap().get::<_, String>(0), before);
    assert_eq!(stage.web.count("SELECT count(*) FROM contact_checks", &[]).await, 3);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_that_hangs_holds_up_no_other_chat() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    in_haste(&stage, account).await;
    let first = texts(&stage, account, ANNA, "a chat that is known").await;
    state_is(&stage, first, "delivered").await;
    stage.phones.fault(Fault::StallIqs { xmlns: Some("encrypt".to_owned()) }).await;
    let stuck = texts(&stage, account, BERT, "stuck for a while").await;
    state_is(&stage, stuck, "sending").await;
    let second = texts(&stage, account, ANNA, "past the one that hangs").await;
    state_is(&stage, second, "delivered").await;
    assert_eq!(state(&stage, stuck).await, "sending");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_a_chat_is_that_of_its_rows() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    in_haste(&stage, account).await;
    let slow = Fault::Message { how: MessageFault::AckAfterMs(150), number: Some(NUMBER.to_owned()), times: Some(5) };
    stage.phones.fault(slow).await;
    let wanted: Vec<String> = (0..12).map(|nth| format!("in order {nth:02}")).collect();
    for text in &wanted {
        texts(&stage, account, ANNA, text).await;
    }
    all_are(&stage, &["delivered"], 12).await;
    assert_eq!(shown_texts(&stage, ANNA).await, wanted);
    let overtaken = "SELECT count(*) FROM messages a JOIN messages b ON a.id < b.id WHERE a.sent_at > b.sent_at";
    assert_eq!(stage.web.count(overtaken, &[]).await, 0);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_off_line_keeps_its_messages_queued() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    stage.phones.fault(Fault::RefuseConnections { times: None }).await;
    cut(&stage).await;
    stage.web.status_is(account, "reconnecting").await;
    let kept = texts(&stage, account, ANNA, "kept until then").await;
    let withdrawn = texts(&stage, account, ANNA, "never mind this").await;
    let cancel = "SELECT cancel_message($1)";
    let cancelled: bool = stage.web.sql.query_one(cancel, &[&withdrawn]).await.unwrap().get(0);
    assert!(cancelled);
    assert_eq!((state(&stage, kept).await, state(&stage, withdrawn).await), ("queued".into(), "cancelled".into()));
    stage.phones.clear_faults().await;
    state_is(&stage, kept, "delivered").await;
    let cancelled: bool = stage.web.sql.query_one(cancel, &[&kept]).await.unwrap().get(0);
    assert!(!cancelled, "too late");
    assert_eq!(shown_texts(&stage, ANNA).await, ["kept until then"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_bell_is_made_up_for() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let mute =
        "CREATE OR REPLACE FUNCTION ring_for_messages(account uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true'";
    stage.web.sql.batch_execute(mute).await.unwrap();
    let id = texts(&stage, account, ANNA, "nobody rang for this").await;
    state_is(&stage, id, "delivered").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_arrives_as_what_it_is() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    in_haste(&stage, account).await;
    let to = |kind: &str, said: Value| json!({"to": ANNA, "type": kind, kind: said});
    let first = texts(&stage, account, ANNA, "first").await;
    state_is(&stage, first, "delivered").await;
    let theirs = stage.phones.send(ANNA, Writing::text(NUMBER, "and theirs")).await.id;
    let heard = stage.web.event(account, "message.received", 0).await.payload["messageId"].as_i64().unwrap();

    let mut reply = to("text", json!({"body": "an answer", "mentions": [ANNA]}));
    reply["replyTo"] = json!(heard);
    let answer = sends(&stage, account, reply).await;
    for content in [
        to("reaction", json!({"messageId": heard, "emoji": "👍"})),
        to("reaction", json!({"messageId": heard, "emoji": ""})),
        to("edit", json!({"messageId": first, "body": "better"})),
        to("location", json!({"latitude": 48.2, "longitude": 16.4, "name": "Vienna"})),
        to("revoke", json!({"messageId": answer})),
    ] {
        let id = sends(&stage, account, content).await;
        state_is(&stage, id, "delivered").await;
    }
    let seen = shown(&stage, ANNA).await;
    let of = |message: &ShownMessage| {
        (message.kind.clone(), message.text.clone().unwrap_or_default(), message.refers_to.clone())
    };
    let (first, answer) = (Some(wa_id(&stage, first).await), Some(wa_id(&stage, answer).await));
    let row =
        |kind: &str, text: &str, refers_to: &Option<String>| (kind.to_owned(), text.to_owned(), refers_to.clone());
    let theirs = Some(theirs);
    assert_eq!(
        seen.iter().map(of).collect::<Vec<_>>(),
        [
            row("text", "first", &None),
            row("text", "an answer", &theirs),
            row("reaction", "👍", &theirs),
            row("reaction", "", &theirs),
            row("edit", "better", &first),
            row("other", "", &None),
            row("revoke", "", &answer),
        ]
    );
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_reads_what_is_sent_to_it() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    stage.phones.set_shared_group(GROUP, "choir", &[NUMBER, ANNA, BERT]).await;
    for text in ["soprano and bass", "once more"] {
        let id = texts(&stage, account, GROUP, text).await;
        state_is(&stage, id, "delivered").await;
        for number in [ANNA, BERT] {
            shows(&stage, number, text).await;
        }
        let per_member = "SELECT count(*) FROM message_receipts WHERE message_id = $1 AND delivered_at IS NOT NULL";
        until("a receipt of each member", || async { (stage.web.count(per_member, &[&id]).await == 2).then_some(()) })
            .await;
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_a_group_that_one_is_not_in_fails_at_once() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    in_haste(&stage, account).await;
    let (first, second) = (texts(&stage, account, GROUP, "anybody?").await, texts(&stage, account, GROUP, "no?").await);
    for id in [first, second] {
        state_is(&stage, id, "failed refused 404").await;
    }
    // From then on it is.
    stage.phones.set_shared_group(GROUP, "choir", &[NUMBER, ANNA, BERT]).await;
    texts(&stage, account, GROUP, "good evening").await;
    shows(&stage, ANNA, "good evening").await;
    stage.finish([daemon]).await;
}

/// An answer that leaves out what was asked for says nothing of the message.
#[tokio::test(flavor = "multi_thread")]
async fn an_odd_answer_about_a_group_fails_no_message() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    in_haste(&stage, account).await;
    stage.phones.set_shared_group(GROUP, "choir", &[NUMBER, ANNA, BERT]).await;
    // Which asks about groups, too.
    stage.web.event(account, "groups.synced", 0).await;
    stage.phones.fault(Fault::Answer { xmlns: "w:g2".to_owned(), children: Vec::new(), times: Some(1) }).await;
    let id = texts(&stage, account, GROUP, "good morning").await;
    shows(&stage, ANNA, "good morning").await;
    state_is(&stage, id, "delivered").await;
    assert_eq!(
        stage.web.count("SELECT attempt::bigint FROM messages WHERE id = $1", &[&id]).await,
        2,
        "its odd answer"
    );
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_a_key_is_given_it_later() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    in_haste(&stage, account).await;
    stage.phones.set_shared_group(GROUP, "choir", &[NUMBER, ANNA, BERT]).await;
    stage.phones.never_asks_again(BERT).await;
    let number = Some(BERT.to_owned());
    stage.phones.fault(Fault::Prekeys { how: PrekeyFault::Missing(406), number, times: Some(1) }).await;
    let first = texts(&stage, account, GROUP, "Bert has no key for this").await;
    state_is(&stage, first, "delivered").await;
    texts(&stage, account, GROUP, "Bert can read this one").await;
    shows(&stage, BERT, "Bert can read this one").await;
    shows(&stage, ANNA, "Bert can read this one").await;
    stage.finish([daemon]).await;
}

/// A message of which Anna's phone says only after this change of its copy that it cannot read it.
async fn asked_for_after(change: &str) -> (Stage, Daemon, i64) {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    let first = texts(&stage, account, ANNA, "readable").await;
    state_is(&stage, first, "delivered").await;
    // From her answer on, nothing says how to begin a session.
    stage.phones.send(ANNA, Writing::text(NUMBER, "an answer")).await;
    stage.web.event(account, "message.received", 0).await;
    stage.phones.set_online(ANNA, false).await;
    stage.phones.forgets_sessions(ANNA).await;
    let id = texts(&stage, account, ANNA, "not readable").await;
    state_is(&stage, id, "sent").await;
    let kept = "SELECT count(*) FROM credentials WHERE kind = 'sent_message' AND stamp > 0";
    until("both are kept", || async { (stage.web.count(kept, &[]).await >= 2).then_some(()) }).await;
    stage.web.sql.batch_execute(change).await.unwrap();
    // What the library may have in memory is gone.
    stage.logs_in_anew(account, NUMBER).await;
    stage.phones.set_online(ANNA, true).await;
    (stage, daemon, id)
}

fn sent_before(days: i64) -> String {
    format!(
        "UPDATE messages SET sent_at = sent_at - interval '{days} days', taken_at = taken_at - interval '{days} days';
         UPDATE credentials SET stamp = stamp - {days} * 24 * 3600 WHERE kind = 'sent_message'"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn after_29_days_a_phone_that_asks_again_is_answered() {
    let (stage, daemon, id) = asked_for_after(&sent_before(29)).await;
    let shown = shows(&stage, ANNA, "not readable").await;
    assert_eq!(shown.id, wa_id(&stage, id).await);
    state_is(&stage, id, "delivered").await;
    stage.finish([daemon]).await;
}

/// A crash may come before the copy is written.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_copy_a_message_is_sent_again_from_its_row() {
    let (stage, daemon, id) = asked_for_after("DELETE FROM credentials WHERE kind = 'sent_message'").await;
    let shown = shows(&stage, ANNA, "not readable").await;
    assert_eq!(shown.id, wa_id(&stage, id).await);
    state_is(&stage, id, "delivered").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_31_days_nobody_is_answered_any_more() {
    let (stage, daemon, id) = asked_for_after(&sent_before(31)).await;
    let account: Uuid =
        stage.web.sql.query_one("SELECT account_id FROM messages WHERE id = $1", &[&id]).await.unwrap().get(0);
    // The question has been answered, or not, before what comes behind it.
    until("Anna has asked", || async {
        let device = stage.phones.devices(NUMBER).await.pop()?;
        (stage.phones.waiting(NUMBER, &device.jid).await.stanzas == 0).then_some(())
    })
    .await;
    let last = texts(&stage, account, ANNA, "and the last").await;
    state_is(&stage, last, "delivered").await;
    assert_eq!(shown_texts(&stage, ANNA).await, ["readable", "and the last"]);
    stage.finish([daemon]).await;
}
