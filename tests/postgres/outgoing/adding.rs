//! `send_message` and `cancel_message`, as a web app calls them.

use std::collections::BTreeSet;
use std::time::Duration;

use paird::whatsapp::OutgoingStore as _;
use paird_actors::domain::{Change, MessageId, OutgoingContent, Reason, SendFailure, Status};
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::{Sending, failed, ids, only, refusal, sent, text_to};
use crate::messages::{ANNA, BERT, GROUP, by_number, text};
use crate::support::{Database, at, connect, update};

#[tokio::test]
async fn a_message_is_queued_with_its_id_and_rings() {
    let database = Database::new().await;
    let account = Sending::slow(&database).await;
    let mut bell = database.listener("paird_outgoing").await;
    database.web.batch_execute("SET paird.source = 'cli'").await.unwrap();
    let content = json!({"to": "+43 (0)660 / 000 000-1", "type": "text", "text": {"body": "ä👍", "mentions": ["0043 660 0000002"]}});
    let id = database.try_to_send(&account, &content, Some("order 17")).await.unwrap();
    let row: Value =
        database.one("SELECT to_jsonb(m) - 'id' - 'created_at' - 'wa_id' - 'due_at' FROM messages m", &[]).await;
    assert_eq!(
        row,
        json!({
            "account_id": account.linked.record.id.0, "direction": "out", "chat": "436600000001@s.whatsapp.net",
            "chat_phone": "436600000001", "sender": "me", "sender_phone": null, "kind": "text", "refers_to": null,
            "state": "queued", "reason": null, "sent_at": null, "recovered_at": null, "asks": 0, "asked_at": null,
            "key": "order 17", "source": "cli", "sent_by": "paird", "not_before": null, "expires_at": null, "code": null,
            "delivered_at": null, "read_at": null, "attempt": 0, "taken_at": null, "taken_by": null, "taken_under": null,
            "is_new_chat": true, "told_at": null,
        })
    );
    let wa_id = database.wa_id(id).await;
    assert!(wa_id.len() == 24 && wa_id.starts_with("3EB0"), "{wa_id}");
    assert!(wa_id.chars().all(|c| c.is_ascii_digit() || ('A'..='F').contains(&c)), "{wa_id}");
    let body: Value = database.one("SELECT content FROM message_bodies", &[]).await;
    assert_eq!(body, json!({"type": "text", "text": {"body": "ä👍", "mentions": ["436600000002"]}}));
    assert_eq!(bell.heard().await, account.linked.record.id.0.to_string());
    assert_eq!(database.events().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_error_of_a_wrong_form_names_the_field() {
    let database = Database::new().await;
    let account = Sending::slow(&database).await;
    let long = "x".repeat(65_537);
    for (content, field) in [
        (json!(null), "content"),
        (json!([]), "content"),
        (json!({"to": ANNA, "text": {"body": "x"}}), "content.type"),
        (json!({"to": ANNA, "type": "image", "image": {}}), "content.type"),
        (json!({"to": ANNA, "type": ["text"], "text": {"body": "x"}}), "content.type"),
        (json!({"to": ANNA, "type": "text"}), "content.text"),
        (json!({"to": ANNA, "type": "text", "text": "x"}), "content.text"),
        (json!({"to": ANNA, "type": "text", "text": {}}), "content.text.body"),
        (json!({"to": ANNA, "type": "text", "text": {"body": ""}}), "content.text.body"),
        (json!({"to": ANNA, "type": "text", "text": {"body": 7}}), "content.text.body"),
        (text_to(ANNA, &long), "content.text.body"),
        (json!({"to": ANNA, "type": "text", "text": {"body": "x", "preview": true}}), "content.text.preview"),
        (json!({"to": ANNA, "type": "text", "text": {"body": "x"}, "when": 1}), "content.when"),
        (json!({"to": ANNA, "type": "text", "text": {"body": "x", "mentions": "43660"}}), "content.text.mentions"),
        (json!({"to": ANNA, "type": "text", "text": {"body": "x", "mentions": ["anna"]}}), "content.text.mentions"),
        (json!({"to": ANNA, "type": "text", "text": {"body": "x", "mentions": [GROUP]}}), "content.text.mentions"),
        (json!({"to": ANNA, "type": "text", "text": {"body": "x"}, "replyTo": "1"}), "content.replyTo"),
        (json!({"to": ANNA, "type": "text", "text": {"body": "x"}, "replyTo": 1.5}), "content.replyTo"),
        (json!({"to": ANNA, "type": "text", "text": {"body": "x"}, "replyTo": 1e30}), "content.replyTo"),
        (json!({"to": ANNA, "type": "reaction", "reaction": {"emoji": "👍"}}), "content.reaction.messageId"),
        (json!({"to": ANNA, "type": "reaction", "reaction": {"messageId": 1}}), "content.reaction.emoji"),
        (json!({"to": ANNA, "type": "revoke", "revoke": {"messageId": 1, "body": ""}}), "content.revoke.body"),
        (
            json!({"to": ANNA, "type": "location", "location": {"latitude": 91, "longitude": 0}}),
            "content.location.latitude",
        ),
        (json!({"to": ANNA, "type": "location", "location": {"latitude": 9}}), "content.location.longitude"),
        (json!({"type": "text", "text": {"body": "x"}}), "content.to"),
        (json!({"to": 436600000001_i64, "type": "text", "text": {"body": "x"}}), "content.to"),
    ] {
        let wrong = database.try_to_send(&account, &content, None).await.expect_err(field);
        let said = refusal(&wrong, &SqlState::INVALID_PARAMETER_VALUE);
        assert_eq!(said.split(": ").next().unwrap(), field, "{said}");
    }
    for to in [
        "",
        "anna",
        "0660 1234567",
        "+43",
        "43660123456789012",
        "1@lid\n",
        "1:2@s.whatsapp.net",
        "status@broadcast",
        "1@newsletter",
    ] {
        let wrong = database.try_to_send(&account, &text_to(to, "x"), None).await.expect_err(to);
        assert!(refusal(&wrong, &SqlState::INVALID_PARAMETER_VALUE).starts_with("content.to: "), "{to}");
    }
    for (arguments, field) in [
        ("''", "key"),
        ("repeat('k', 201)", "key"),
        ("NULL, 'infinity'", "not_before"),
        ("NULL, NULL, now() - interval '1 s'", "expires_at"),
        ("NULL, now() + interval '2 h', now() + interval '1 h'", "expires_at"),
        ("NULL, NULL, 'infinity'", "expires_at"),
    ] {
        let sql = format!("SELECT send_message($1, $2, {arguments})");
        let wrong =
            database.web.query(&sql, &[&account.linked.record.id.0, &text_to(ANNA, "x")]).await.expect_err(field);
        assert!(refusal(&wrong, &SqlState::INVALID_PARAMETER_VALUE).starts_with(&format!("{field}: ")), "{arguments}");
    }
    let nobody = database.web.query("SELECT send_message($1, $2)", &[&Uuid::new_v4(), &text_to(ANNA, "x")]).await;
    assert!(refusal(&nobody.unwrap_err(), &SqlState::INVALID_PARAMETER_VALUE).starts_with("account_id: "));
    assert_eq!(database.count("SELECT count(*) FROM messages").await, 0);
    let longest = text_to(ANNA, &"ä".repeat(65_536));
    database.send_content(&account, &longest).await;
}

#[tokio::test]
async fn one_key_is_one_message_whoever_repeats_it() {
    let database = Database::new().await;
    let account = Sending::new(&database).await;
    let calls = (0..8).map(|_| {
        let (dsn, account) = (database.text.clone(), account.linked.record.id.0);
        tokio::spawn(async move {
            let web = connect(&dsn).await;
            let sql = "SELECT send_message($1, $2, 'key')";
            web.query_one(sql, &[&account, &text_to(ANNA, "once")]).await.unwrap().get::<_, i64>(0)
        })
    });
    let mut ids = BTreeSet::new();
    for call in calls.collect::<Vec<_>>() {
        ids.insert(call.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(database.count("SELECT count(*) FROM messages").await, 1);
    let other = database.try_to_send(&account, &text_to(ANNA, "another"), Some("key")).await.unwrap_err();
    assert!(refusal(&other, &SqlState::UNIQUE_VIOLATION).contains("another message"), "{other:?}");
    let to_another = database.try_to_send(&account, &text_to(BERT, "once"), Some("key")).await.unwrap_err();
    refusal(&to_another, &SqlState::UNIQUE_VIOLATION);
    // When its contents are gone, and its time is over, the key is still that message's.
    database.web.batch_execute("DELETE FROM message_bodies; UPDATE messages SET state = 'expired'").await.unwrap();
    let sql = "SELECT send_message($1, $2, 'key', NULL, now() - interval '1 s')";
    let late: i64 = database.one(sql, &[&account.linked.record.id.0, &text_to(ANNA, "once")]).await;
    assert_eq!(Some(&late), ids.first());
    // Another account's keys are its own.
    let neighbour = Sending::new(&database).await;
    assert_ne!(database.try_to_send(&neighbour, &text_to(ANNA, "once"), Some("key")).await.unwrap().0, late);
}

#[tokio::test]
async fn a_known_number_is_written_to_by_its_lid() {
    let database = Database::new().await;
    let account = Sending::new(&database).await;
    let brazil = "INSERT INTO contacts (account_id, jid, phone) VALUES ($1, '55@lid', '551187654321')";
    database.web.execute(brazil, &[&account.linked.record.id.0]).await.unwrap();
    account.linked.record(&[text(ANNA, "1", "hello")]).await.unwrap();
    for (to, chat, phone) in [
        ("+43 660 0000001", ANNA, Some("436600000001")),
        ("436600000001@s.whatsapp.net", ANNA, Some("436600000001")),
        (ANNA, ANNA, Some("436600000001")),
        ("+43 660 0000002", "436600000002@s.whatsapp.net", Some("436600000002")),
        ("+55 11 9 8765 4321", "55@lid", Some("551187654321")),
        ("77@lid", "77@lid", None),
        (GROUP, GROUP, None),
    ] {
        let id = database.send_text(&account, to, "x").await;
        let written: (String, Option<String>) =
            (database.column("chat", id).await, database.column("chat_phone", id).await);
        assert_eq!(written, (chat.to_owned(), phone.map(str::to_owned)), "{to}");
    }
}

#[tokio::test]
async fn a_message_refers_only_to_those_of_its_chat() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    account.linked.record(&[text(ANNA, "IN", "theirs"), text(BERT, "BERT", "his")]).await.unwrap();
    let theirs: i64 = database.one("SELECT id FROM messages WHERE wa_id = 'IN'", &[]).await;
    let of_bert: i64 = database.one("SELECT id FROM messages WHERE wa_id = 'BERT'", &[]).await;
    let ours = database.send_text(&account, ANNA, "ours").await.0;
    let about = |kind: &str, id: i64, rest: Value| {
        let mut said = json!({"messageId": id});
        said.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({"to": ANNA, "type": kind, kind: said})
    };
    let reply = |id: i64| json!({"to": ANNA, "type": "text", "text": {"body": "x"}, "replyTo": id});
    for (content, trouble) in [
        (about("reaction", of_bert, json!({"emoji": "👍"})), "content.reaction.messageId: there is no such message"),
        (about("reaction", 999, json!({"emoji": "👍"})), "content.reaction.messageId: there is no such message"),
        (reply(of_bert), "content.replyTo: there is no such message"),
        (about("edit", theirs, json!({"body": "x"})), "content.edit.messageId: that message is somebody else's"),
        (about("revoke", theirs, json!({})), "content.revoke.messageId: that message is somebody else's"),
    ] {
        let wrong = database.try_to_send(&account, &content, None).await.expect_err(trouble);
        let said = refusal(&wrong, &SqlState::INVALID_PARAMETER_VALUE);
        assert!(said.starts_with(trouble), "{said}");
    }
    let reaction = database.send_content(&account, &about("reaction", theirs, json!({"emoji": ""}))).await;
    let answer = database.send_content(&account, &reply(theirs)).await;
    let edit = database.send_content(&account, &about("edit", ours, json!({"body": "better"}))).await;
    let wrong = database.try_to_send(&account, &about("edit", edit.0, json!({"body": "x"})), None).await.unwrap_err();
    assert!(refusal(&wrong, &SqlState::INVALID_PARAMETER_VALUE).contains("only a text"));
    let revoke = database.send_content(&account, &about("revoke", ours, json!({}))).await;
    assert_eq!(database.column::<i64>("refers_to", edit).await, ours);
    let body: Value = database.one("SELECT content FROM message_bodies WHERE message_id = $1", &[&edit.0]).await;
    let wa_id = database.wa_id(MessageId(ours)).await;
    assert_eq!(body, json!({"type": "edit", "edit": {"messageId": ours, "waId": wa_id, "body": "better"}}));

    let mut contents = Vec::new();
    for _ in 0..5 {
        let message = only(account.take(16).await);
        account.settle(message.id, sent()).await;
        contents.push((message.id, message.content));
    }
    let order: Vec<_> = contents.iter().map(|(id, _)| *id).collect();
    assert_eq!(order, [MessageId(ours), reaction, answer, edit, revoke]);
    let OutgoingContent::Reaction { of, emoji } = &contents[1].1 else { panic!("a reaction") };
    assert_eq!(
        (of.wa_id.as_str(), of.sender.as_ref().map(|by| by.jid.as_str()), emoji.as_str()),
        ("IN", Some(ANNA), "")
    );
    let OutgoingContent::Text { reply_to: Some(quoted), .. } = &contents[2].1 else { panic!("an answer") };
    assert_eq!((quoted.wa_id.as_str(), quoted.body.as_deref()), ("IN", Some("theirs")));
    let OutgoingContent::Edit { of, body } = &contents[3].1 else { panic!("an edit") };
    assert_eq!((of.wa_id.as_str(), of.sender.is_none(), body.as_str()), (wa_id.as_str(), true, "better"));
}

#[tokio::test]
async fn what_refers_to_an_unsent_message_fails_with_it() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let first = database.send_text(&account, ANNA, "x").await;
    let reply = json!({"to": ANNA, "type": "text", "text": {"body": "y"}, "replyTo": first.0});
    let revoke = json!({"to": ANNA, "type": "revoke", "revoke": {"messageId": first.0}});
    let (revoke, reply) =
        (database.send_content(&account, &revoke).await, database.send_content(&account, &reply).await);
    account.take(1).await;
    account.settle(first, failed(SendFailure::NotOnWhatsapp)).await;
    assert_eq!(ids(&account.take(1).await), []);
    assert_eq!(database.state(revoke).await, "failed");
    let answer = only(account.take(1).await);
    assert!(matches!(answer.content, OutgoingContent::Text { reply_to: None, .. }) && answer.id == reply);
    let events = database.events().await;
    let expected =
        [format!("message.failed {} not_on_whatsapp", first.0), format!("message.failed {} target_missing", revoke.0)];
    assert_eq!(events, expected);
    let late = database
        .try_to_send(&account, &json!({"to": ANNA, "type": "revoke", "revoke": {"messageId": first.0}}), None)
        .await;
    assert!(refusal(&late.unwrap_err(), &SqlState::INVALID_PARAMETER_VALUE).contains("never sent"));
}

#[tokio::test]
async fn an_account_queues_at_most_10_000_messages() {
    let database = Database::new().await;
    let account = Sending::new(&database).await;
    let many = "INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, due_at)
                SELECT $1, 'out', '7@lid', 'me', n::text, 'text', 'queued', now() FROM generate_series(1, 9999) n";
    database.web.execute(many, &[&account.linked.record.id.0]).await.unwrap();
    let last = database.try_to_send(&account, &text_to(ANNA, "x"), Some("last")).await.unwrap();
    let full = database.try_to_send(&account, &text_to(ANNA, "x"), None).await.unwrap_err();
    refusal(&full, &SqlState::CONFIGURATION_LIMIT_EXCEEDED);
    assert_eq!(database.try_to_send(&account, &text_to(ANNA, "x"), Some("last")).await.unwrap(), last, "it is there");
    assert!(database.cancel(last).await);
    database.send_text(&account, ANNA, "x").await;
}

#[tokio::test]
async fn an_open_transaction_of_a_web_app_holds_nothing_up() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let (cancelled, other) =
        (database.send_text(&account, ANNA, "x").await, database.send_text(&account, BERT, "y").await);
    let web = connect(&database.text).await;
    web.batch_execute("BEGIN").await.unwrap();
    web.query("SELECT send_message($1, $2)", &[&account.linked.record.id.0, &text_to(ANNA, "z")]).await.unwrap();
    web.query("SELECT cancel_message($1)", &[&cancelled.0]).await.unwrap();
    let works = async {
        let mut record = account.linked.record.clone();
        record.set_status(Status::Connected, Reason::Connected, at(1));
        account.linked.daemon.write(update(&record, Change::default())).await.unwrap();
        account.linked.record(&[text(ANNA, "1", "in")]).await.unwrap();
        assert_eq!(ids(&account.take(16).await), [other], "the chat with the locked one waits");
        account.settle(other, sent()).await;
        account.store().sweep().await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(10), works).await.expect("held up");
    web.batch_execute("COMMIT").await.unwrap();
    assert_eq!(database.state(cancelled).await, "cancelled");
    assert_eq!(account.take(16).await.messages.len(), 1);
}

#[tokio::test]
async fn a_person_known_by_number_is_merged_with_what_was_sent() {
    let database = Database::new().await;
    let mut account = Sending::new(&database).await;
    let first = database.send_text(&account, "436600000001", "x").await;
    let second = database.send_text(&account, "436600000001", "y").await;
    account.take(1).await;
    account.settle(first, sent()).await;
    account.linked.record(&[text(ANNA, "1", "hello"), by_number(text(ANNA, "2", "again"))]).await.unwrap();
    assert_eq!(database.column::<String>("chat", first).await, ANNA);
    assert_eq!(only(account.take(1).await).chat.jid, ANNA);
    assert_eq!(database.state(second).await, "sending");
    let contacts: Vec<String> = database.one("SELECT array_agg(jid || ' ' || has_chat) FROM contacts", &[]).await;
    assert_eq!(contacts, [format!("{ANNA} true")]);
}
