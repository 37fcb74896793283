//! Messages that are sent over HTTP: queued once, refused with the field, cancelled or not.

use paird_testkit::{Answer, Api, Stage, until};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::command_line::command;

const ANNA: &str = "+43 660 7000 041";
const ANNAS_DIGITS: &str = "436607000041";

fn text(body: &str) -> Value {
    json!({"to": ANNA, "type": "text", "text": {"body": body}})
}

/// The path of an account's messages.
fn path(account: Uuid) -> String {
    format!("/api/accounts/{account}/messages")
}

async fn send(api: &Api, account: Uuid, key: Option<&str>, body: Value) -> Answer {
    let headers: Vec<(&str, &str)> = key.into_iter().map(|key| ("Idempotency-Key", key)).collect();
    api.ask("POST", &path(account), &headers, Some(body)).await
}

fn id_of(answer: Answer) -> i64 {
    answer.is(202).json()["id"].as_i64().unwrap()
}

/// Moves a message to a state that it comes to only when it is sent.
async fn force(stage: &Stage, id: i64, state: &str) {
    let sql = "UPDATE messages SET state = $2, reason = NULL WHERE id = $1";
    stage.web.sql.execute(sql, &[&id, &state]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_queued_once_for_its_key_and_shows_its_state() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (desk, other) = (stage.web.account("desk").await, stage.web.account("other").await);

    let answer = send(&api, desk, Some("order-17"), text("your order is ready")).await.is(202);
    let message = answer.json();
    let id = message["id"].as_i64().unwrap();
    assert_eq!(answer.header("location"), format!("/api/messages/{id}"));
    for (field, wanted) in [
        ("accountId", json!(desk)),
        ("direction", json!("out")),
        ("chat", json!(format!("{ANNAS_DIGITS}@s.whatsapp.net"))),
        ("chatPhone", json!(ANNAS_DIGITS)),
        ("kind", json!("text")),
        ("state", json!("queued")),
        ("stateText", json!("Queued")),
        ("key", json!("order-17")),
        ("source", json!("api")),
        ("sentAt", Value::Null),
        ("deliveredAt", Value::Null),
        ("readAt", Value::Null),
        ("notBefore", Value::Null),
        ("content", json!({"type": "text", "text": {"body": "your order is ready"}})),
        ("text", json!("your order is ready")),
    ] {
        assert_eq!(message[field], wanted, "{field}: {message}");
    }
    assert!(message["sentBy"].as_str().is_some_and(|login| stage.roles().console.contains(login)), "{message}");

    assert_eq!(id_of(send(&api, desk, Some("order-17"), text("your order is ready")).await), id);
    let taken = send(&api, desk, Some("order-17"), text("something else")).await.problem(422);
    assert!(taken["detail"].as_str().unwrap().starts_with("Idempotency-Key: another message"), "{taken}");
    let elsewhere = id_of(send(&api, other, Some("order-17"), text("something else")).await);
    assert_ne!(elsewhere, id, "a key is its account's");
    assert_ne!(id_of(send(&api, desk, None, text("your order is ready")).await), id);

    let mut later = text("happy new year");
    later["notBefore"] = json!("2035-01-01T00:00:00+01:00");
    later["expiresAt"] = json!("2035-01-02T00:00:00Z");
    let later = send(&api, desk, None, later).await.is(202).json();
    assert_eq!(later["notBefore"], "2034-12-31T23:00:00Z");
    assert_eq!(later["expiresAt"], "2035-01-02T00:00:00Z");
    let last = later["id"].as_i64().unwrap();

    // The longest text there may be, in characters of four bytes.
    let longest = text(&"🙂".repeat(65_536));
    id_of(send(&api, desk, None, longest).await);

    let listed = api.get(&format!("{}?limit=100", path(desk))).await.is(200).json();
    let listed: Vec<i64> =
        listed["messages"].as_array().unwrap().iter().map(|message| message["id"].as_i64().unwrap()).collect();
    assert_eq!(listed.len(), 4);
    assert!(listed.contains(&id) && listed.contains(&last));

    // What the row says of its way, the API says.
    let sql = "UPDATE messages SET state = 'failed', reason = 'refused', code = 479 WHERE id = $1";
    stage.web.sql.execute(sql, &[&id]).await.unwrap();
    let failed = api.get(&format!("/api/messages/{id}")).await.is(200).json();
    assert_eq!(
        (&failed["state"], &failed["reason"], &failed["code"], &failed["stateText"]),
        (&json!("failed"), &json!("refused"), &json!(479), &json!("Failed: WhatsApp refused it (479)"))
    );
    let sql = "UPDATE messages SET state = 'read', reason = NULL, code = NULL, sent_at = '2026-01-01T00:00:00Z',
                      delivered_at = '2026-01-01T00:00:01Z', read_at = '2026-01-01T00:00:02Z' WHERE id = $1";
    stage.web.sql.execute(sql, &[&id]).await.unwrap();
    let read = api.get(&format!("/api/messages/{id}")).await.is(200).json();
    assert_eq!(
        (&read["sentAt"], &read["deliveredAt"], &read["readAt"]),
        (&json!("2026-01-01T00:00:00Z"), &json!("2026-01-01T00:00:01Z"), &json!("2026-01-01T00:00:02Z"))
    );
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_message_is_refused_with_the_name_of_the_field() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let desk = stage.web.account("desk").await;
    let with = |field: &str, value: Value| {
        let mut body = text("hello");
        body[field] = value;
        body
    };
    for (body, field) in [
        (with("to", json!("call me")), "to"),
        (with("to", json!(7)), "to"),
        (with("type", json!("poll")), "type"),
        (with("text", json!({})), "text.body"),
        (with("text", json!({"body": ""})), "text.body"),
        (with("text", json!({"body": "x".repeat(65_537)})), "text.body"),
        (with("text", json!({"body": "x", "mentions": ["nobody"]})), "text.mentions"),
        (with("text", json!({"body": "x", "bold": true})), "text.bold"),
        (with("texts", json!({})), "texts"),
        (with("replyTo", json!(7)), "replyTo"),
        (with("replyTo", json!("7")), "replyTo"),
        (with("notBefore", json!("tomorrow")), "notBefore"),
        (with("notBefore", json!(1_800_000_000)), "notBefore"),
        (with("expiresAt", json!("2001-01-01T00:00:00Z")), "expiresAt"),
        (json!({"to": ANNA, "type": "location", "location": {"latitude": 91, "longitude": 0}}), "location.latitude"),
        (json!({"to": ANNA, "type": "reaction", "reaction": {"messageId": 7, "emoji": "👍"}}), "reaction.messageId"),
        (json!({"to": ANNA, "type": "edit", "edit": {"messageId": 7}}), "edit"),
        (json!({"to": ANNA, "type": "revoke", "revoke": {}}), "revoke.messageId"),
    ] {
        let problem = send(&api, desk, None, body).await.problem(422);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(field) && detail.contains(": "), "{field}: {detail}");
        assert!(!detail.contains("content") && !detail.contains("not_before"), "names of another face: {detail}");
    }
    let long = "k".repeat(201);
    assert!(send(&api, desk, Some(&long), text("hello")).await.problem(400)["detail"].to_string().contains("200"));
    let huge = text(&"x".repeat(1_100_000));
    send(&api, desk, None, huge).await.problem(413);
    stage.web.does("account.delete", desk, json!({})).await;
    send(&api, desk, None, text("hello")).await.problem(404);
    assert_eq!(stage.web.count("SELECT count(*) FROM messages", &[]).await, 0);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_429_and_says_when_to_come_back() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let desk = stage.web.account("desk").await;
    let one = id_of(send(&api, desk, None, text("the first")).await);
    let columns = "account_id, direction, chat, chat_phone, sender, kind, state, due_at";
    let fill = format!(
        "INSERT INTO messages ({columns}, wa_id)
         SELECT {columns}, 'filled' || n FROM messages, generate_series(2, 10000) n WHERE id = $1"
    );
    stage.web.sql.execute(&fill, &[&one]).await.unwrap();
    let full = send(&api, desk, None, text("one too many")).await;
    let problem = full.problem(429);
    assert!(problem["detail"].as_str().unwrap().contains("10000"), "{problem}");
    assert!(full.header("retry-after").parse::<u32>().is_ok());
    // A key that is there already is no new message.
    api.ask("DELETE", &format!("/api/messages/{one}"), &[], None).await.is(200);
    let keyed = id_of(send(&api, desk, Some("k"), text("fits again")).await);
    assert_eq!(id_of(send(&api, desk, Some("k"), text("fits again")).await), keyed);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_says_whether_it_came_in_time() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let desk = stage.web.account("desk").await;
    let cancel = async |id: i64| api.ask("DELETE", &format!("/api/messages/{id}"), &[], None).await;
    let queued = id_of(send(&api, desk, None, text("never mind")).await);
    for _ in 0..2 {
        let cancelled = cancel(queued).await.is(200).json();
        assert_eq!((&cancelled["id"], &cancelled["state"]), (&json!(queued), &json!("cancelled")));
    }
    let late = id_of(send(&api, desk, None, text("too late")).await);
    for state in ["sending", "sent", "read", "failed", "expired"] {
        force(&stage, late, state).await;
        let problem = cancel(late).await.problem(409);
        assert!(problem["detail"].as_str().unwrap().ends_with(&format!("is {state}")), "{problem}");
    }
    let came: i64 = stage
        .web
        .sql
        .query_one(
            "INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, sent_at)
             VALUES ($1, 'in', '1@lid', '1@lid', 'A', 'text', 'received', now()) RETURNING id",
            &[&desk],
        )
        .await
        .unwrap()
        .get(0);
    assert!(cancel(came).await.problem(409)["detail"].as_str().unwrap().ends_with("is received"));
    cancel(came + 1).await.problem(404);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_account_says_until_when_and_why() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let desk = stage.web.account("desk").await;
    assert_eq!(api.account(&desk.to_string()).await["sendingPausedUntil"], Value::Null);
    let mut live = api.follow(None);
    live.until("the accounts", |told| told.kind == "accounts").await;
    let pause = "UPDATE whatsapp_accounts SET sending_paused_until = now() + interval '1 day',
                        sending_paused_reason = 'reachout_timelocked' WHERE id = $1";
    stage.web.sql.execute(pause, &[&desk]).await.unwrap();
    let told = live.until("the pause", |told| told.data["sendingPausedUntil"].is_string()).await;
    assert_eq!(told.kind, "account");
    let text = "WhatsApp lets the account write to no new chats for the time being";
    assert_eq!(told.data["sendingPausedText"], text);
    until("the same when asked", || async {
        (api.account(&desk.to_string()).await["sendingPausedText"] == text).then_some(())
    })
    .await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pace_is_set_over_http_and_on_the_command_line() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let desk = stage.web.account("desk").await;
    let path = format!("/api/accounts/{desk}/pace");
    let first = json!({"sendRate": 1.0, "sendBurst": 5, "newChatsPerDay": 20});
    assert_eq!(api.get(&path).await.is(200).json(), first);
    let fast = json!({"sendRate": 2.5, "sendBurst": 10, "newChatsPerDay": null});
    for _ in 0..2 {
        assert_eq!(api.ask("PUT", &path, &[], Some(fast.clone())).await.is(200).json(), fast);
    }
    assert_eq!(api.get(&path).await.is(200).json(), fast);
    let audited = "SELECT count(*) FROM audit_log WHERE target_id = $1 AND action = 'account.pace_set' AND source = $2";
    assert_eq!(stage.web.count(audited, &[&desk, &"api"]).await, 1, "the same again is nothing");
    let pace = async |args: &[&str]| {
        let mut command = command(&stage);
        let output = command.args(["accounts", "pace", "desk", "--json"]).args(args).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let shown = pace(&[]).await;
    assert_eq!(
        (&shown["sendRate"], &shown["sendBurst"], &shown["newChatsPerDay"]),
        (&json!(2.5), &json!(10), &Value::Null)
    );
    let set = pace(&["--rate", "0.5", "--new-chats", "3"]).await;
    assert_eq!((&set["sendRate"], &set["sendBurst"], &set["newChatsPerDay"]), (&json!(0.5), &json!(10), &json!(3)));
    assert_eq!(api.get(&path).await.is(200).json(), json!({"sendRate": 0.5, "sendBurst": 10, "newChatsPerDay": 3}));
    assert_eq!(stage.web.count(audited, &[&desk, &"cli"]).await, 1);
    stage.finish([daemon]).await;
}
