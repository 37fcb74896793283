//! What is written to a linked phone: rows and events, none lost and none told twice, whatever
//! happens between the phone's word and WhatsApp's hearing of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use nix::sys::signal::Signal;
use paird_sandbox::{AgainFault, Content, DeliveryFault, Fault, MessageFault, Naming, Writing};
use paird_testkit::{Stage, Wire, until};
use serde_json::{Value, json};
use uuid::Uuid;
use waproto::{
    buffa::MessageField,
    whatsapp::{Message, message},
};

pub(super) const NUMBER: &str = "436601000001";
pub(super) const ANNA: &str = "999000000001";
pub(super) const BERT: &str = "999000000002";
/// Pieces of the statements that write a message, and that keep it until then.
const RECORD: &str = "AS m (direction, chat";
const KEYS: &str = "AS gone (kind, name)";
const LOST: &str = "SELECT count(*) FROM messages WHERE reason = 'lost'";

/// An account that can be written to.
pub(super) async fn linked(stage: &Stage) -> Uuid {
    stage.web.reachable_account("shop", NUMBER, &stage.phones).await
}

pub(super) async fn writes(stage: &Stage, from: &str, text: &str) {
    stage.phones.send(from, Writing::text(NUMBER, text)).await;
}

/// What the account's messages say, in the order of their rows.
pub(super) async fn texts(stage: &Stage, account: Uuid) -> Vec<String> {
    let sql = "SELECT coalesce(b.content #>> '{text,body}', m.kind, m.state) FROM messages m
               LEFT JOIN message_bodies b ON b.message_id = m.id WHERE m.account_id = $1 ORDER BY m.id";
    stage.web.sql.query(sql, &[&account]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

pub(super) async fn texts_are(stage: &Stage, account: Uuid, wanted: &[&str]) {
    let all = until("these texts", || async { (texts(stage, account).await == wanted).then_some(()) });
    // Less than its own deadline, so that what there is instead is told.
    let _ = tokio::time::timeout(Duration::from_secs(40), all).await;
    assert_eq!(texts(stage, account).await, wanted);
}

/// Each message has one event, and WhatsApp has heard of all.
pub(super) async fn all_are_told_once(stage: &Stage, account: Uuid) {
    let sql = "SELECT count(*) FROM messages m WHERE m.account_id = $1 AND (
                   SELECT count(*) FROM events e WHERE e.account_id = m.account_id AND e.kind LIKE 'message.%'
                      AND e.kind <> 'message.recovered' AND (e.payload->>'messageId')::bigint = m.id) <> 1";
    assert_eq!(stage.web.count(sql, &[&account]).await, 0, "a message without an event, or with several");
    let gapless = "SELECT count(*) - max(seq) FROM events WHERE account_id = $1";
    assert_eq!(stage.web.count(gapless, &[&account]).await, 0, "a gap in seq");
    nothing_waits(stage).await;
}

pub(super) async fn nothing_waits(stage: &Stage) {
    until("nothing kept for the device", || async {
        let device = stage.phones.devices(NUMBER).await.pop()?;
        (stage.phones.waiting(NUMBER, &device.jid).await.stanzas == 0).then_some(())
    })
    .await;
}

/// Some stanza is kept for the device, and stays so: WhatsApp was not told that it has it.
async fn still_waits(stage: &Stage) {
    let device = stage.phones.devices(NUMBER).await.pop().unwrap();
    assert!(stage.phones.waiting(NUMBER, &device.jid).await.stanzas > 0, "acknowledged before it was written");
}

pub(super) async fn row(stage: &Stage, kind: &str) -> Value {
    let sql = "SELECT jsonb_build_object('direction', m.direction, 'chat', m.chat, 'phone', m.chat_phone,
                      'sender', m.sender_phone, 'about', r.wa_id, 'content', b.content)
               FROM messages m LEFT JOIN messages r ON r.id = m.refers_to
               LEFT JOIN message_bodies b ON b.message_id = m.id WHERE m.kind = $1 ORDER BY m.id DESC LIMIT 1";
    until(kind, || async { Some(stage.web.sql.query_opt(sql, &[&kind]).await.unwrap()?.get(0)) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_a_row_an_event_and_then_acknowledged() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    let sent = stage.phones.send(ANNA, Writing::text(NUMBER, "a message with words of its own")).await;
    let told = stage.web.event(account, "message.received", 0).await;
    assert_eq!((&told.payload["phone"], &told.payload["kind"]), (&json!(ANNA), &json!("text")));
    let sql = "SELECT m.wa_id || ' ' || m.sender_phone || ' ' || c.name || ' ' || (b.content #>> '{text,body}')
               FROM messages m JOIN message_bodies b ON b.message_id = m.id
               JOIN contacts c ON (c.account_id, c.jid) = (m.account_id, m.sender)
               WHERE m.id = $1 AND m.chat = m.sender AND m.chat LIKE '%@lid'";
    let id = told.payload["messageId"].as_i64().unwrap();
    let row: String = stage.web.sql.query_one(sql, &[&id]).await.unwrap().get(0);
    assert!(row.starts_with(&format!("{} {ANNA} ", sent.id)) && row.ends_with("words of its own"), "{row}");
    until("the notification", || async {
        stage.web.heard(account).iter().any(|heard| heard["messageId"] == told.payload["messageId"]).then_some(())
    })
    .await;
    assert!(!stage.web.heard(account).iter().any(|heard| heard.to_string().contains("words of its own")));
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_message_says_what_it_is() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let send = async |content| stage.phones.send(ANNA, Writing::new(NUMBER, content)).await.id;
    let first = send(Content::Text("first".to_owned())).await;
    send(Content::Reply { to: first.clone(), text: "an answer".to_owned() }).await;
    texts_are(&stage, account, &["first", "an answer"]).await;
    let answer = row(&stage, "text").await;
    assert_eq!((&answer["about"], answer["content"]["replyTo"].is_i64()), (&json!(first), true), "{answer}");
    send(Content::React { to: first.clone(), emoji: "👍".to_owned() }).await;
    let reaction = row(&stage, "reaction").await;
    assert_eq!((&reaction["about"], &reaction["content"]["reaction"]["emoji"]), (&json!(first), &json!("👍")));
    send(Content::Edit { of: first.clone(), text: "better".to_owned() }).await;
    let edit = row(&stage, "edit").await;
    assert_eq!((&edit["about"], &edit["content"]["edit"]["body"]), (&json!(first), &json!("better")));
    send(Content::Revoke(first.clone())).await;
    assert_eq!(row(&stage, "revoke").await["about"], json!(first));

    let location = message::LocationMessage {
        degrees_latitude: Some(48.2),
        degrees_longitude: Some(16.4),
        name: Some("Vienna".to_owned()),
        ..Default::default()
    };
    let card = message::ContactMessage {
        display_name: Some("Carl".to_owned()),
        vcard: Some("BEGIN:VCARD".to_owned()),
        ..Default::default()
    };
    let image = message::ImageMessage {
        mimetype: Some("image/jpeg".to_owned()),
        file_length: Some(1234),
        caption: Some("look".to_owned()),
        direct_path: Some("/v/t62.7118-24/1".to_owned()),
        media_key: Some(vec![7; 32]),
        ..Default::default()
    };
    let poll = message::PollCreationMessage { name: Some("lunch?".to_owned()), ..Default::default() };
    for message in [
        Message { location_message: MessageField::some(location), ..Default::default() },
        Message { contact_message: MessageField::some(card), ..Default::default() },
        Message { image_message: MessageField::some(image), ..Default::default() },
        Message { poll_creation_message: MessageField::some(poll), ..Default::default() },
    ] {
        let bytes = waproto::codec::message_to_vec(&message);
        send(Content::Raw(BASE64_STANDARD.encode(bytes))).await;
    }
    assert_eq!(
        row(&stage, "location").await["content"]["location"],
        json!({"latitude": 48.2, "longitude": 16.4, "name": "Vienna"})
    );
    assert_eq!(row(&stage, "contacts").await["content"]["contacts"], json!([{"name": "Carl", "vcard": "BEGIN:VCARD"}]));
    assert_eq!(
        row(&stage, "image").await["content"]["image"],
        json!({"mime": "image/jpeg", "bytes": 1234, "caption": "look"})
    );
    // Sealed, with what is needed to fetch it.
    let sealed = "SELECT count(*) FROM message_media k JOIN messages m ON m.id = k.message_id
                  WHERE m.kind = 'image' AND length(k.sealed) > 80
                    AND position('\\x07070707'::bytea IN k.sealed) + position('t62.7118'::bytea IN k.sealed) = 0";
    assert_eq!(stage.web.count(sealed, &[]).await, 1);
    assert_eq!(stage.web.count("SELECT count(*) FROM message_media", &[]).await, 1);
    assert_eq!(row(&stage, "unsupported").await["content"]["unsupported"]["what"], json!("poll_creation"));
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_writes_on_the_phone_is_an_echo() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    writes(&stage, ANNA, "from her").await;
    texts_are(&stage, account, &["from her"]).await;
    // One after the other: the library reads what names a person differently in parallel.
    stage.phones.send(NUMBER, Writing { naming: Naming::Lid, ..Writing::text(ANNA, "by lid") }).await;
    texts_are(&stage, account, &["from her", "by lid"]).await;
    stage.phones.send(NUMBER, Writing { naming: Naming::Number, ..Writing::text(ANNA, "by number") }).await;
    texts_are(&stage, account, &["from her", "by lid", "by number"]).await;
    let echo = row(&stage, "text").await;
    assert_eq!((&echo["direction"], &echo["phone"], &echo["sender"]), (&json!("echo"), &json!(ANNA), &json!(NUMBER)));
    let chats = stage.web.count("SELECT count(DISTINCT chat) FROM messages", &[]).await;
    assert_eq!(chats, 1, "one person is one chat, by whichever name");
    assert!(stage.web.kinds(account).await.iter().filter(|kind| *kind == "message.echo").count() == 2);
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_one_chat_of_several_senders() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let group = "120363000000000099@g.us";
    stage.phones.set_shared_group(group, "choir", &[NUMBER, ANNA, BERT]).await;
    for (from, text) in [(ANNA, "soprano"), (BERT, "bass"), (NUMBER, "tenor")] {
        stage.phones.send(from, Writing::text(group, text)).await;
        until(text, || async { texts(&stage, account).await.contains(&text.to_owned()).then_some(()) }).await;
    }
    let sql = "SELECT jsonb_agg(jsonb_build_array(direction, chat, sender_phone) ORDER BY id) FROM messages";
    let rows: Value = stage.web.sql.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(rows, json!([["in", group, ANNA], ["in", group, BERT], ["echo", group, NUMBER]]));
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_again_is_one_row() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let number = || Some(NUMBER.to_owned());
    for (fault, text) in [
        (Fault::Again { how: AgainFault::Anew, number: number(), times: Some(1) }, "encrypted anew"),
        (Fault::Again { how: AgainFault::Same, number: number(), times: Some(1) }, "the same once more"),
        (Fault::Delivery { how: DeliveryFault::Twice, number: number(), times: Some(1) }, "delivered twice"),
    ] {
        stage.phones.fault(fault).await;
        writes(&stage, ANNA, text).await;
    }
    writes(&stage, ANNA, "the last").await;
    texts_are(&stage, account, &["encrypted anew", "the same once more", "delivered twice", "the last"]).await;
    all_are_told_once(&stage, account).await;
    assert_eq!(texts(&stage, account).await.len(), 4);
    stage.finish([daemon]).await;
}

/// A daemon that is killed may leave copies of messages that have rows.
#[tokio::test(flavor = "multi_thread")]
async fn copies_that_a_former_connection_left_are_deleted() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    writes(&stage, ANNA, "one").await;
    texts_are(&stage, account, &["one"]).await;
    daemon.kill().await;
    let left = "INSERT INTO credentials (account_id, keyring_id, kind, name, sealed, stamp)
                SELECT account_id, keyring_id, 'pending_inbound', name, sealed, 1 FROM credentials WHERE kind = 'prekey'";
    assert!(stage.web.sql.execute(left, &[]).await.unwrap() > 0);
    let daemon = stage.daemon(&[]).await;
    stage.web.count_becomes("SELECT count(*) FROM credentials WHERE kind = 'pending_inbound'", 0).await;
    writes(&stage, ANNA, "two").await;
    texts_are(&stage, account, &["one", "two"]).await;
    stage.finish([daemon]).await;
}

/// So many messages to the account, each copy counted, cannot be decrypted.
pub(super) fn garbled(times: u32) -> Fault {
    Fault::Delivery { how: DeliveryFault::Garbled, number: Some(NUMBER.to_owned()), times: Some(times) }
}

/// The next message to the account is for its phone alone.
fn unavailable() -> Fault {
    Fault::Delivery { how: DeliveryFault::Unavailable, number: Some(NUMBER.to_owned()), times: Some(1) }
}

/// All keys that the library has in memory are written: that is so before it asks the phone for a
/// message. BERT has written before, and the phone was asked before.
async fn all_keys_are_written(stage: &Stage, wire: &Wire, text: &str) {
    wire.count_anew();
    stage.phones.fault(unavailable()).await;
    writes(stage, BERT, text).await;
    let written = || wire.carried().keys().any(|statement| statement.contains(KEYS));
    until("keys on their way", || async { written().then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_a_row_is_written_nothing_is_lost() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    nothing_waits(&stage).await;
    wire.jam(RECORD);
    for (from, text) in [(ANNA, "one"), (BERT, "two"), (ANNA, "three")] {
        writes(&stage, from, text).await;
    }
    wire.is_jammed(RECORD, account).await;
    still_waits(&stage).await;
    daemon.kill().await;
    assert_eq!(texts(&stage, account).await, ["before"]);

    let daemon = stage.daemon(&[]).await;
    until("all four", || async { (texts(&stage, account).await.len() == 4).then_some(()) }).await;
    // What the killed one had sent arrives after all.
    wire.let_go().await;
    nothing_waits(&stage).await;
    let mut all = texts(&stage, account).await;
    let of_anna: Vec<_> = all.iter().filter(|text| *text != "two").cloned().collect();
    assert_eq!(of_anna, ["before", "one", "three"], "the order of a chat");
    all.sort();
    assert_eq!(all, ["before", "one", "three", "two"]);
    all_are_told_once(&stage, account).await;
    writes(&stage, ANNA, "after").await;
    until("after", || async { texts(&stage, account).await.contains(&"after".to_owned()).then_some(()) }).await;
    stage.finish([daemon]).await;
}

/// The keys that have read a message, as they are stored.
async fn sessions(stage: &Stage) -> BTreeSet<String> {
    let sql = "SELECT name || ' ' || md5(sealed) FROM credentials WHERE kind = 'session'";
    stage.web.sql.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Another chat has all keys written while the row of "one" is on its way, and the daemon is killed. The
/// message cannot be decrypted again after that.
async fn killed_between_keys_and_row(stage: &Stage, wire: &Wire) -> Uuid {
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    for from in [ANNA, BERT] {
        writes(stage, from, "before").await;
        nothing_waits(stage).await;
    }
    texts_are(stage, account, &["before", "before"]).await;
    // The phone is asked for the first time.
    all_keys_are_written(stage, wire, "asked for").await;
    texts_are(stage, account, &["before", "before", "asked for"]).await;
    nothing_waits(stage).await;
    wire.jam(RECORD);
    writes(stage, ANNA, "one").await;
    wire.is_jammed(RECORD, account).await;
    let before = sessions(stage).await;
    all_keys_are_written(stage, wire, "two").await;
    until("keys in the database", || async { (sessions(stage).await != before).then_some(()) }).await;
    still_waits(stage).await;
    daemon.kill().await;
    account
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_keys_and_row_the_message_is_kept() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let account = killed_between_keys_and_row(&stage, &wire).await;

    let daemon = stage.daemon(&[]).await;
    until("all five", || async { (texts(&stage, account).await.len() == 5).then_some(()) }).await;
    wire.let_go().await;
    until("each to be read", || async {
        let all = texts(&stage, account).await;
        ["one", "two"].iter().all(|text| all.contains(&(*text).to_owned())).then_some(())
    })
    .await;
    assert_eq!(stage.web.count(LOST, &[]).await, 0, "one of them was fetched from the phone");
    all_are_told_once(&stage, account).await;
    let kept = "SELECT count(*) FROM credentials WHERE kind = 'pending_inbound'";
    until("no copy left", || async { (stage.web.count(kept, &[]).await == 0).then_some(()) }).await;
    stage.finish([daemon]).await;
}

/// The library acknowledges nothing then and goes on, but WhatsApp delivers the message again at the
/// next login only.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_cannot_be_read_ends_the_connection() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let account = killed_between_keys_and_row(&stage, &wire).await;
    wire.unjam();
    wire.watch(stage.web.column(account, "keyring_id").await);
    wire.cut_off_reads_of("pending_inbound");
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    until("a copy that is not read", || async { (wire.cut_off() > 0).then_some(()) }).await;
    wire.mend();
    nothing_waits(&stage).await;
    until("each to be read", || async {
        let all = texts(&stage, account).await;
        ["one", "two"].iter().all(|text| all.contains(&(*text).to_owned())).then_some(())
    })
    .await;
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

/// Writes messages until WhatsApp's queue is over for the library: from then on it writes keys behind
/// rows, and reads nothing meanwhile. No such write is under way. Returns what was written.
async fn reads_live(stage: &Stage, account: Uuid) -> Vec<String> {
    let newer = "SELECT count(*) FROM (SELECT min(age(xmin)) AS age FROM messages) m,
                        (SELECT min(age(xmin)) AS age FROM credentials WHERE kind = 'session') k WHERE k.age < m.age";
    let mut written = Vec::new();
    // The first brings more keys than its session, which are written behind that.
    while written.len() < 2 || stage.web.count(newer, &[]).await == 0 {
        let former = sessions(stage).await;
        written.push(format!("before {}", written.len()));
        writes(stage, ANNA, &written[written.len() - 1]).await;
        until("its row and its keys", || async {
            (texts(stage, account).await == written && sessions(stage).await != former).then_some(())
        })
        .await;
    }
    nothing_waits(stage).await;
    written
}

/// The row is written, and the keys that read the message are not: it comes again, and is read again.
#[tokio::test(flavor = "multi_thread")]
async fn killed_between_row_and_keys_a_message_is_told_once() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    let before = reads_live(&stage, account).await;
    let with =
        |more: &[&'static str]| before.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>();
    wire.jam(KEYS);
    wire.mute(RECORD);
    writes(&stage, ANNA, "one").await;
    texts_are(&stage, account, &with(&["one"])).await;
    still_waits(&stage).await;
    daemon.kill().await;

    let daemon = stage.daemon(&[]).await;
    nothing_waits(&stage).await;
    writes(&stage, ANNA, "after").await;
    texts_are(&stage, account, &with(&["one", "after"])).await;
    wire.let_go().await;
    assert_eq!(stage.web.count(LOST, &[]).await, 0, "it was read again");
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

/// Rows do not wait for keys: what was acknowledged is there, and what comes next can be read.
#[tokio::test(flavor = "multi_thread")]
async fn killed_before_keys_are_written_the_next_can_be_read() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    let before = reads_live(&stage, account).await;
    let with =
        |more: &[&'static str]| before.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>();
    wire.jam(KEYS);
    writes(&stage, ANNA, "one").await;
    texts_are(&stage, account, &with(&["one"])).await;
    nothing_waits(&stage).await;
    wire.is_jammed(KEYS, account).await;
    daemon.kill().await;

    let daemon = stage.daemon(&[]).await;
    writes(&stage, ANNA, "after").await;
    texts_are(&stage, account, &with(&["one", "after"])).await;
    // What the killed one had sent arrives after all.
    wire.let_go().await;
    writes(&stage, ANNA, "last").await;
    texts_are(&stage, account, &with(&["one", "after", "last"])).await;
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_a_links_first_minute_nothing_is_lost() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(&stage).await;
    stage.phones.fault(unavailable()).await;
    writes(&stage, BERT, "before").await;
    texts_are(&stage, account, &["before"]).await;
    nothing_waits(&stage).await;
    wire.jam(RECORD);
    writes(&stage, ANNA, "one").await;
    wire.is_jammed(RECORD, account).await;
    all_keys_are_written(&stage, &wire, "two").await;
    still_waits(&stage).await;
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    until("all three", || async { (texts(&stage, account).await.len() == 3).then_some(()) }).await;
    wire.let_go().await;
    until("of all", || async { texts(&stage, account).await.contains(&"two".to_owned()).then_some(()) }).await;
    assert!(texts(&stage, account).await.contains(&"one".to_owned()));
    assert_eq!(stage.web.count(LOST, &[]).await, 0, "one of them was fetched from the phone");
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_a_waiting_row_is_written_it_is_kept() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    nothing_waits(&stage).await;
    wire.jam(RECORD);
    stage.phones.set_online(NUMBER, false).await;
    // Nobody sends it again by itself, and the phone is not there to be asked.
    stage.phones.fault(unavailable()).await;
    writes(&stage, ANNA, "one").await;
    wire.is_jammed(RECORD, account).await;
    // What nothing held back would have left by the time that this has come.
    writes(&stage, BERT, "two").await;
    still_waits(&stage).await;
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    let sorted = async || {
        let mut all = texts(&stage, account).await;
        all.sort();
        all
    };
    until("both", || async { (sorted().await == ["before", "two", "waiting"]).then_some(()) }).await;
    wire.let_go().await;
    stage.phones.set_online(NUMBER, true).await;
    until("both can be read", || async { (sorted().await == ["before", "one", "two"]).then_some(()) }).await;
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

/// The phone answers once: what it says must be a row before it counts as heard.
#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_phones_answer_is_written_it_is_kept() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    writes(&stage, BERT, "before").await;
    texts_are(&stage, account, &["before"]).await;
    stage.phones.set_online(NUMBER, false).await;
    stage.phones.fault(unavailable()).await;
    writes(&stage, ANNA, "one").await;
    stage.web.event(account, "message.waiting", 0).await;
    nothing_waits(&stage).await;
    wire.jam(RECORD);
    stage.phones.set_online(NUMBER, true).await;
    wire.is_jammed(RECORD, account).await;
    // The answer cannot be decrypted again after that.
    all_keys_are_written(&stage, &wire, "two").await;
    still_waits(&stage).await;
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    texts_are(&stage, account, &["before", "one", "two"]).await;
    wire.let_go().await;
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

/// The keys were written and the message was not: WhatsApp sends it again, and it cannot be
/// decrypted twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_message_is_fetched_from_the_phone() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    // The next row is not written, and nobody hears of that.
    let loses = "CREATE TABLE lost (wa_id text);
                 CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     IF EXISTS (SELECT FROM lost) THEN RETURN NEW; END IF;
                     INSERT INTO lost VALUES (NEW.wa_id);
                     RETURN NULL;
                 END $$;
                 CREATE TRIGGER lose BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION lose()";
    stage.web.sql.batch_execute(loses).await.unwrap();
    stage
        .phones
        .fault(Fault::Delivery { how: DeliveryFault::Twice, number: Some(NUMBER.to_owned()), times: Some(1) })
        .await;
    writes(&stage, ANNA, "lost").await;
    texts_are(&stage, account, &["before", "lost"]).await;
    writes(&stage, ANNA, "after").await;
    texts_are(&stage, account, &["before", "lost", "after"]).await;
    let told =
        stage.web.kinds(account).await.into_iter().filter(|kind| kind.starts_with("message.")).collect::<Vec<_>>();
    assert_eq!(told, ["message.received"; 3], "it was never told as waiting");
    assert_eq!(stage.web.count(LOST, &[]).await, 1);
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_message_is_asked_for_again_after_a_kill() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    // The request is lost, and so is the answer of the sender.
    stage.phones.fault(garbled(100)).await;
    stage.phones.fault(Fault::Message { how: MessageFault::Lost, number: Some(NUMBER.to_owned()), times: None }).await;
    writes(&stage, ANNA, "garbled for ever").await;
    stage.web.event(account, "message.waiting", 0).await;
    nothing_waits(&stage).await;
    daemon.kill().await;
    stage.phones.clear_faults().await;
    assert_eq!(texts(&stage, account).await, ["waiting"]);
    // The next request is due some minutes later.
    let daemon = stage.daemon(&[]).await;
    stage.web.status_is(account, "connected").await;
    daemon.kill().await;
    assert_eq!(texts(&stage, account).await, ["waiting"]);
    let later = "UPDATE messages SET asked_at = asked_at - interval '11 minutes'";
    stage.web.sql.batch_execute(later).await.unwrap();
    let daemon = stage.daemon(&[]).await;
    texts_are(&stage, account, &["garbled for ever"]).await;
    stage.web.event(account, "message.recovered", 0).await;
    assert_eq!(stage.web.count("SELECT asks::bigint FROM messages", &[]).await, 2);
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

/// The library does not ask the phone for what the owner wrote there.
#[tokio::test(flavor = "multi_thread")]
async fn an_echo_that_cannot_be_read_is_recovered() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    stage.phones.fault(garbled(1)).await;
    stage.phones.send(NUMBER, Writing::text(ANNA, "of the owner")).await;
    stage.web.event(account, "message.recovered", 0).await;
    texts_are(&stage, account, &["before", "of the owner"]).await;
    assert_eq!(row(&stage, "text").await["direction"], json!("echo"));
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_by_number_is_merged_and_consumers_hear_it() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    let number = format!("{ANNA}@s.whatsapp.net");
    let known = "INSERT INTO messages (account_id, direction, chat, chat_phone, sender, sender_phone, wa_id, kind, state, sent_at)
                 VALUES ($1, 'in', $2, $3, $2, $3, 'old', 'text', 'received', now())";
    stage.web.sql.execute(known, &[&account, &number, &ANNA]).await.unwrap();
    writes(&stage, ANNA, "by both names").await;
    let merged = stage.web.event(account, "chat.merged", 0).await;
    assert_eq!((&merged.payload["former"], &merged.payload["phone"]), (&json!(number), &json!(ANNA)));
    let told = stage.web.event(account, "message.received", 0).await;
    assert_eq!(told.payload["chat"], merged.payload["chat"]);
    until("the notification", || async {
        stage.web.heard(account).iter().any(|heard| heard["type"] == "chat.merged").then_some(())
    })
    .await;
    assert_eq!(stage.web.count("SELECT count(DISTINCT chat) FROM messages", &[]).await, 1);
    nothing_waits(&stage).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fenced_daemon_writes_no_message() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let lease = ("PAIRD_LEASE_TTL", "3s");
    let former = stage.daemon(&[("DATABASE_URL", &wire.dsn), lease]).await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    wire.jam(RECORD);
    writes(&stage, ANNA, "to whom?").await;
    wire.is_jammed(RECORD, account).await;
    former.signal(Signal::SIGSTOP);
    let present = stage.daemon(&[lease]).await;
    texts_are(&stage, account, &["to whom?"]).await;
    let told = stage.web.seq(account).await;
    let answers = wire.let_go().await;
    assert!(answers.iter().all(|answer| answer == "SELECT 0"), "the late write was carried out: {answers:?}");
    assert_eq!(texts(&stage, account).await, ["to whom?"]);
    assert_eq!(stage.web.seq(account).await, told, "told twice");
    former.kill().await;
    stage.finish([present]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_the_connection_ends_in_seconds() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(&stage).await;
    stage.logs_in_anew(account, NUMBER).await;
    wire.jam(RECORD);
    let begun = Instant::now();
    writes(&stage, ANNA, "one").await;
    let connections = stage.phones.report().await.logins;
    for nth in 0..20 {
        writes(&stage, BERT, &format!("more {nth}")).await;
    }
    until("another login", || async { (stage.phones.report().await.logins > connections).then_some(()) }).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    still_waits(&stage).await;
    wire.unjam();
    until("all of them", || async { (texts(&stage, account).await.len() == 21).then_some(()) }).await;
    wire.let_go().await;
    all_are_told_once(&stage, account).await;
    let of_bert: Vec<String> =
        texts(&stage, account).await.into_iter().filter(|text| text.starts_with("more")).collect();
    assert_eq!(of_bert, (0..20).map(|nth| format!("more {nth}")).collect::<Vec<_>>());
    stage.finish([daemon]).await;
}

/// What comes behind a message that was refused is written after it, on the next connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_keeps_the_order_of_its_chat() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    let refuses = "CREATE SEQUENCE tries;
                   CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                       IF nextval('tries') = 1 THEN
                           PERFORM pg_advisory_xact_lock(1);
                           RAISE EXCEPTION 'refused';
                       END IF;
                       RETURN NEW;
                   END $$;
                   CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse();
                   SELECT pg_advisory_lock(1)";
    stage.web.sql.batch_execute(refuses).await.unwrap();
    let all = ["one", "two", "three"].map(str::to_owned);
    stage.phones.burst(ANNA, NUMBER, all.to_vec()).await;
    stage
        .web
        .count_becomes("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND NOT granted", 1)
        .await;
    stage.web.sql.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
    texts_are(&stage, account, &["before", "one", "two", "three"]).await;
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_waits_and_is_recovered() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    stage.phones.fault(garbled(1)).await;
    writes(&stage, ANNA, "garbled at first").await;
    stage.web.event(account, "message.waiting", 0).await;
    stage.web.event(account, "message.recovered", 0).await;
    writes(&stage, ANNA, "after").await;
    texts_are(&stage, account, &["before", "garbled at first", "after"]).await;
    nothing_waits(&stage).await;
    let recovered = stage.web.kinds(account).await.iter().filter(|kind| *kind == "message.recovered").count();
    assert_eq!(recovered, 1, "the sender's answer and the phone's copy are one message");
    all_are_told_once(&stage, account).await;
    let once = Fault::Delivery { how: DeliveryFault::ViewOnce, number: Some(NUMBER.to_owned()), times: Some(1) };
    stage.phones.fault(once).await;
    writes(&stage, ANNA, "for your eyes only").await;
    assert_eq!(row(&stage, "unsupported").await["content"]["unsupported"]["what"], json!("view_once"));
    stage.finish([daemon]).await;
}
