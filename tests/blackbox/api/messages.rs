//! Messages over HTTP: in order, by pages, with what they say while it is kept.

use paird_actors::domain::EventKind;
use paird_sandbox::Writing;
use paird_testkit::{Answer, Api, Stage, until};
use serde_json::{Value, json};
use uuid::Uuid;

const NUMBER: &str = "436607000031";
const ANNA: &str = "999000000031";
const CHAT: &str = "100000031@lid";
const GROUP: &str = "120363000000000031@g.us";

/// Texts "1" to `count`, every tenth of them in the group.
async fn texts(stage: &Stage, account: Uuid, count: i32) {
    let sql = "WITH written AS (
                   INSERT INTO messages (account_id, direction, chat, chat_phone, sender, wa_id, kind, state, sent_at)
                   SELECT $1, 'in', CASE WHEN n % 10 = 0 THEN $4 ELSE $3 END, CASE WHEN n % 10 <> 0 THEN '4366031' END,
                          $3, n::text, 'text', 'received', '2026-01-01T00:00:00.5Z'
                   FROM generate_series(1, $2::int) n RETURNING id, wa_id
               )
               INSERT INTO message_bodies (message_id, content)
               SELECT id, jsonb_build_object('type', 'text', 'text', jsonb_build_object('body', wa_id)) FROM written";
    stage.web.sql.execute(sql, &[&account, &count, &CHAT, &GROUP]).await.unwrap();
}

fn said(answer: &Answer) -> Vec<i64> {
    let listed = answer.json();
    let messages = listed["messages"].as_array().unwrap();
    assert!(messages.is_sorted_by_key(|message| message["id"].as_i64().unwrap()), "{listed}");
    messages.iter().map(|message| message["text"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_listed_in_order_by_pages_and_by_chat() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (desk, other) = (stage.web.account("desk").await, stage.web.account("other").await);
    let path = format!("/api/accounts/{desk}/messages");
    assert_eq!(api.get(&path).await.is(200).json(), json!({"messages": []}));
    texts(&stage, other, 5).await;
    texts(&stage, desk, 130).await;
    let list = async |query: &str| said(&api.get(&format!("{path}{query}")).await.is(200));
    let id = async |text: &str| -> i64 {
        let sql = "SELECT id FROM messages WHERE account_id = $1 AND wa_id = $2";
        stage.web.sql.query_one(sql, &[&desk, &text]).await.unwrap().get(0)
    };

    assert_eq!(list("").await, (1..=50).collect::<Vec<_>>());
    assert_eq!(list("?limit=100").await, (1..=100).collect::<Vec<_>>());
    let fiftieth = id("50").await;
    assert_eq!(list(&format!("?after={fiftieth}&limit=3")).await, [51, 52, 53]);
    assert_eq!(list(&format!("?before={}&limit=3", i64::MAX)).await, [128, 129, 130]);
    assert_eq!(list(&format!("?before={fiftieth}&limit=2")).await, [48, 49]);
    assert_eq!(list(&format!("?before={fiftieth}&after={}", id("46").await)).await, [47, 48, 49]);
    assert_eq!(list(&format!("?after={}", i64::MAX)).await, Vec::<i64>::new());

    let group = format!("chat={}", GROUP.replace('@', "%40"));
    assert_eq!(list(&format!("?{group}")).await, (1..=13).map(|n| n * 10).collect::<Vec<_>>());
    assert_eq!(list(&format!("?{group}&after={fiftieth}&limit=2")).await, [60, 70]);
    assert_eq!(list(&format!("?{group}&before={fiftieth}&limit=2")).await, [30, 40]);
    assert_eq!(list("?chat=1%40lid").await, Vec::<i64>::new());

    let chats = async |query: &str| -> Vec<(String, String)> {
        let listed = api.get(&format!("/api/accounts/{desk}/chats{query}")).await.is(200).json();
        let chats = listed["chats"].as_array().unwrap().iter();
        let words = |value: &Value| value.as_str().unwrap().to_owned();
        chats.map(|chat| (words(&chat["jid"]), words(&chat["lastMessage"]["text"]))).collect()
    };
    let (of_group, of_person) = ((GROUP.to_owned(), "130".to_owned()), (CHAT.to_owned(), "129".to_owned()));
    assert_eq!(chats("").await, [of_group.clone(), of_person.clone()]);
    assert_eq!(chats("?limit=1").await, [of_group]);
    assert_eq!(chats(&format!("?limit=1&before={}", id("130").await)).await, [of_person]);
    assert_eq!(chats("?before=1").await, []);

    // One by itself, and what is left of it when its body is no longer kept.
    let one = api.get(&format!("/api/messages/{fiftieth}")).await.is(200).json();
    let listed = api.get(&format!("{path}?after={}&limit=1", fiftieth - 1)).await.is(200).json();
    assert_eq!(one, listed["messages"][0]);
    let created = one["createdAt"].clone();
    assert!(created.as_str().unwrap().ends_with('Z'), "{one}");
    assert_eq!(
        one,
        json!({
            "id": fiftieth, "accountId": desk, "direction": "in", "chat": GROUP, "chatPhone": null, "chatName": null,
            "sender": CHAT, "senderPhone": null, "senderName": null, "waId": "50", "kind": "text", "refersTo": null,
            "state": "received", "stateText": "Received", "reason": null, "code": null,
            "sentAt": "2026-01-01T00:00:00.500Z", "createdAt": created, "recoveredAt": null,
            "key": null, "notBefore": null, "expiresAt": null, "deliveredAt": null, "readAt": null, "receipts": null,
            "source": null, "sentBy": null, "content": {"type": "text", "text": {"body": "50"}}, "text": "50",
        })
    );
    stage.web.sql.execute("DELETE FROM message_bodies WHERE message_id = $1", &[&fiftieth]).await.unwrap();
    let left = api.get(&format!("/api/messages/{fiftieth}")).await.is(200).json();
    assert_eq!((&left["content"], &left["kind"]), (&Value::Null, &json!("text")));
    assert_eq!(left["text"], "(text, no longer kept)");

    // What a deleted account has left is being erased.
    api.does(&desk.to_string(), "account.delete", json!({})).await;
    texts(&stage, desk, 1).await;
    let rest = id("1").await;
    for (path, named) in [(&path, desk.to_string()), (&format!("/api/messages/{rest}"), format!("no message {rest}"))] {
        let problem = api.get(path).await.problem(404);
        assert!(problem["detail"].as_str().unwrap().contains(&named), "{problem}");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_names_each_message_and_says_nothing_of_it() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let desk = stage.web.account("desk").await;
    texts(&stage, desk, 1).await;
    let mut live = api.follow(None);
    live.until("the account", |told| told.kind == "accounts").await;
    for (kind, text, tone) in [
        (EventKind::MessageReceived, "A message came in", "idle"),
        (EventKind::MessageEcho, "A message was sent from the phone or another device", "idle"),
        (EventKind::MessageWaiting, "A message came in that cannot be read yet", "warn"),
        (EventKind::MessageRecovered, "A message that could not be read at first can be read now", "good"),
    ] {
        let payload = kind.example();
        let sql =
            "WITH next AS (UPDATE whatsapp_accounts SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq)
             INSERT INTO events (account_id, seq, kind, payload) SELECT $1, event_seq, $2, $3 FROM next";
        stage.web.sql.execute(sql, &[&desk, &kind.as_str(), &payload]).await.unwrap();
        let told = live.until(kind.as_str(), |told| told.kind == kind.as_str()).await.data;
        assert_eq!((&told["eventText"], &told["tone"]), (&json!(text), &json!(tone)), "{told}");
        let mut fields = payload.as_object().unwrap().clone();
        assert!(["messageId", "chat", "sender"].iter().all(|name| fields.contains_key(*name)), "{payload}");
        for name in ["type", "accountId", "id", "seq", "createdAt", "eventText", "tone"] {
            fields.insert(name.to_owned(), told[name].clone());
        }
        assert_eq!(told, Value::Object(fields), "these fields and no others");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_shown_with_the_names_of_its_people() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.reachable_account("desk", NUMBER, &stage.phones).await;
    let mut live = api.follow(None);
    live.until("the account", |told| told.kind == "accounts").await;
    stage.phones.send(ANNA, Writing::text(NUMBER, "what nobody else may read")).await;
    let told = live.until("the message", |told| told.kind == "message.received").await;
    // The stream says that it came and where it is, and nothing of what it says.
    for (field, wanted) in [
        ("accountId", json!(id)),
        ("phone", json!(ANNA)),
        ("kind", json!("text")),
        ("refersTo", Value::Null),
        ("eventText", json!("A message came in")),
        ("tone", json!("idle")),
    ] {
        assert_eq!(told.data[field], wanted, "{field}: {told:?}");
    }
    assert!(!told.data.to_string().contains("nobody else"), "{told:?}");
    let message = api.get(&format!("/api/messages/{}", told.data["messageId"])).await.is(200).json();
    for (field, wanted) in [
        ("accountId", json!(id)),
        ("direction", json!("in")),
        ("chatPhone", json!(ANNA)),
        ("chat", told.data["chat"].clone()),
        ("sender", told.data["sender"].clone()),
        ("content", json!({"type": "text", "text": {"body": "what nobody else may read"}})),
        ("text", json!("what nobody else may read")),
    ] {
        assert_eq!(message[field], wanted, "{field}: {message}");
    }
    assert!(message["senderName"].is_string() && message["chatName"] == message["senderName"], "{message}");

    stage.phones.set_shared_group(GROUP, "choir", &[NUMBER, ANNA]).await;
    stage.phones.send(ANNA, Writing::text(GROUP, "la la la")).await;
    let path = format!("/api/accounts/{id}/messages?chat={GROUP}");
    let sung = until("a message of the group", || async {
        Some(api.get(&path).await.is(200).json()["messages"][0].clone()).filter(Value::is_object)
    })
    .await;
    assert_eq!((&sung["senderName"], &sung["chat"]), (&message["senderName"], &json!(GROUP)));
    let synced = stage.web.seq(id).await;
    api.does(&id.to_string(), "groups.sync", json!({})).await;
    stage.web.event(id, "groups.synced", synced).await;
    assert_eq!(api.get(&path).await.is(200).json()["messages"][0]["chatName"], "choir");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_a_group_shows_how_far_it_got_with_each() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let desk = stage.web.account("desk").await;
    let sent = "INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, is_new_chat)
                SELECT $1, 'out', chat, 'me', n::text, 'text', 'sent', false
                FROM unnest(ARRAY[$2, $3]) WITH ORDINALITY AS u (chat, n) RETURNING id";
    let rows = stage.web.sql.query(sent, &[&desk, &GROUP, &CHAT]).await.unwrap();
    let [to_group, to_person]: [i64; 2] = [rows[0].get(0), rows[1].get(0)];
    let show = async |id: i64| api.get(&format!("/api/messages/{id}")).await.is(200).json()["receipts"].clone();
    assert_eq!((show(to_group).await, show(to_person).await), (json!([]), Value::Null));

    let contact = "INSERT INTO contacts (account_id, jid, phone, name) VALUES ($1, $2, $3, 'Anna')";
    stage.web.sql.execute(contact, &[&desk, &CHAT, &ANNA]).await.unwrap();
    let receipts = "INSERT INTO message_receipts (message_id, participant, delivered_at, read_at)
                    VALUES ($1, '200@lid', '2026-01-01T00:00:01Z', NULL),
                           ($1, $2, '2026-01-01T00:00:02Z', '2026-01-01T00:00:03Z')";
    stage.web.sql.execute(receipts, &[&to_group, &CHAT]).await.unwrap();
    assert_eq!(
        show(to_group).await,
        json!([
            {"member": CHAT, "phone": ANNA, "name": "Anna",
             "deliveredAt": "2026-01-01T00:00:02Z", "readAt": "2026-01-01T00:00:03Z"},
            {"member": "200@lid", "phone": null, "name": null, "deliveredAt": "2026-01-01T00:00:01Z", "readAt": null},
        ])
    );
    let listed = api.get(&format!("/api/accounts/{desk}/messages")).await.is(200).json();
    assert_eq!(listed["messages"][0]["receipts"], Value::Null);
    stage.finish([daemon]).await;
}
