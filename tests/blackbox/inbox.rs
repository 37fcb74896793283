//! sql/README.md, "Commands": commands on both lanes, and every input that is wrong.

use chrono::{DateTime, Utc};
use paird_testkit::{Stage, Web, until};
use serde_json::{Value, json};
use uuid::Uuid;

const NUMBER: &str = "436606000001";

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_command_fails_with_its_reason_and_touches_nothing() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let connected = web.connect_account("connected", NUMBER, &stage.phones).await;
    web.event(connected, "groups.synced", 0).await;
    let unpaired = web.account("unpaired").await;
    let devices = stage.phones.devices(NUMBER).await;
    let accepted = stage.phones.report().await.accepted;

    for account in [unpaired, connected] {
        let before = row(web, account).await;
        for (kind, args, reason) in wrong_whatever_the_status() {
            refused(web, account, kind, args, reason).await;
        }
        assert_eq!(row(web, account).await, before);
    }
    let before = row(web, unpaired).await;
    for (kind, reason) in [
        ("account.resume", "there are no stored keys to connect with; pair the account"),
        ("groups.sync", "the account is not connected"),
    ] {
        refused(web, unpaired, kind, json!({}), reason).await;
    }
    refused(web, unpaired, "account.passkey", json!({"confirm": true}), "WhatsApp did not ask for a passkey").await;
    assert_eq!(row(web, unpaired).await, before);

    assert_eq!(stage.phones.devices(NUMBER).await, devices);
    assert_eq!(stage.phones.report().await.accepted, accepted);
    assert!(daemon.is_running());
    assert_eq!(web.does("account.cancel", unpaired, json!({})).await, "no pair attempt is running");
    stage.finish([daemon]).await;
}

fn wrong_whatever_the_status() -> Vec<(&'static str, Value, &'static str)> {
    let pair = "account.pair";
    vec![
        ("account.fly", json!({}), "unknown command kind \"account.fly\""),
        ("", json!({}), "unknown command kind \"\""),
        (pair, json!([]), "args is not a JSON object"),
        (pair, json!("qr"), "args is not a JSON object"),
        (pair, json!(7), "args is not a JSON object"),
        (pair, json!({"expectFone": "436601234567"}), "unknown argument \"expectFone\""),
        (pair, json!({"method": "smoke"}), "method \"smoke\" is neither \"qr\" nor \"code\""),
        (pair, json!({"method": 1}), "method is not a string"),
        (pair, json!({"method": "code"}), "method \"code\" needs phone"),
        (pair, json!({"method": "code", "phone": null}), "method \"code\" needs phone"),
        (pair, json!({"method": "code", "phone": ""}), "phone: phone number is empty"),
        (pair, json!({"method": "code", "phone": "call me"}), "phone: phone number has characters other than"),
        (pair, json!({"method": "code", "phone": "4366"}), "phone: phone number has 4 digits"),
        (pair, json!({"phone": "436601234567"}), "phone goes with method \"code\""),
        (pair, json!({"expectPhone": 436_601_234_567_u64}), "expectPhone is not a string"),
        (pair, json!({"expectPhone": "0660 1234567"}), "expectPhone: phone number starts with 0"),
        (pair, json!({"expectPhone": "1234567890123456"}), "expectPhone: phone number has 16 digits"),
        ("account.unpair", json!({"logout": "yes"}), "logout is not true or false"),
        ("account.cancel", json!({"now": true}), "unknown argument \"now\""),
        ("account.delete", json!({"force": true}), "unknown argument \"force\""),
        ("account.passkey", json!({}), "give either response or confirm"),
        ("account.passkey", json!({"response": {}, "confirm": true}), "give either response or confirm"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_for_an_unknown_account_fails_without_an_event() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let stranger = Uuid::new_v4();
    let (state, result) = web.ask("account.pair", stranger, json!({})).await;
    assert_eq!((state.as_str(), result), ("failed", format!("no account with id {stranger}")));
    let id: i64 = web.sql.query_one("SELECT send_command('account.pair', NULL)", &[]).await.unwrap().get(0);
    assert_eq!(web.outcome(id).await, ("failed".to_owned(), "no account id given".to_owned()));
    assert_eq!(web.count("SELECT count(*) FROM events", &[]).await, 0);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_notification_fails_with_a_reason_not_its_content() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.account("shop").await;
    let before = row(web, account).await;
    let stranger = Uuid::new_v4();
    let wrong = [
        ("sesame".to_owned(), "the notification is not JSON"),
        (r#"{"type":"account.pair","#.to_owned(), "the notification is not JSON"),
        (r#"["sesame"]"#.to_owned(), "the notification is not a JSON object"),
        ("{}".to_owned(), "accountId is missing"),
        (r#"{"type":"account.pair"}"#.to_owned(), "accountId is missing"),
        (r#"{"type":"account.pair","accountId":"sesame"}"#.to_owned(), "accountId is not a uuid"),
        (r#"{"type":"account.pair","accountId":7}"#.to_owned(), "accountId is not a uuid"),
        (json!({"type": "account.pair", "accountId": stranger}).to_string(), "no account with id"),
        (json!({"accountId": account}).to_string(), "unknown command kind \"(none)\""),
        (json!({"type": 7, "accountId": account}).to_string(), "unknown command kind \"(none)\""),
        (json!({"type": "account.pair", "accountId": account, "expectPhone": "12"}).to_string(), "has 2 digits"),
        (json!({"type": "account.pair", "accountId": account, "sesame": 1}).to_string(), "unknown argument"),
    ];
    let earlier = web.count("SELECT count(*) FROM commands", &[]).await;
    for (nth, (payload, reason)) in (earlier..).zip(&wrong) {
        notify(web, "paird_command", payload).await;
        let id = until(&format!("a row of {payload}"), || async {
            let sql = "SELECT id FROM commands ORDER BY id OFFSET $1 LIMIT 1";
            let row = web.sql.query_opt(sql, &[&nth]).await.unwrap()?;
            Some(row.get::<_, i64>(0))
        })
        .await;
        let (state, result) = web.outcome(id).await;
        assert_eq!(state, "failed", "{payload}");
        assert!(result.contains(reason), "{payload}: {result}");
    }
    let told = web.events(account).await;
    assert_eq!(told.len(), 4, "where the account is known it is told: {told:?}");
    assert!(told.iter().all(|event| event.kind == "command.failed"));
    assert_eq!(row(web, account).await, before);
    assert!(daemon.is_running());
    assert!(!daemon.log().contains("sesame\""), "no payload in the log");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_alone_pairs_an_account() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("shop").await;
    let pair = json!({"type": "account.pair", "accountId": account, "expectPhone": "+43 660 6000001"});
    notify(web, "paird_command", &pair.to_string()).await;
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    let stored = "SELECT count(*) FROM commands WHERE account_id = $1 AND kind = 'account.pair'
                  AND source = 'notify' AND state = 'done' AND NOT args ? 'accountId'";
    assert_eq!(web.count(stored, &[&account]).await, 1);
    assert_eq!(web.count("SELECT count(*) FROM commands", &[]).await, 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_heard_by_two_daemons_is_stored_once() {
    let stage = Stage::empty().await;
    let daemons = [stage.daemon(&[]).await, stage.daemon(&[]).await];
    let web = &stage.web;
    let accounts = [web.account("a").await, web.account("b").await, web.account("c").await];
    for _ in 0..5 {
        for account in accounts {
            let cancel = json!({"type": "account.cancel", "accountId": account}).to_string();
            notify(web, "paird_command", &cancel).await;
        }
    }
    let ended = "SELECT count(*) FROM commands WHERE state = 'done' AND source = 'notify'";
    until("all have ended", || async { (web.count(ended, &[]).await >= 15).then_some(()) }).await;
    for mut daemon in daemons {
        assert!(daemon.is_running());
        // Notifications that it has received are stored before it ends.
        assert!(daemon.terminate().await.success());
    }
    assert_eq!(web.count("SELECT count(*) FROM commands", &[]).await, 15);
    for account in accounts {
        let of = web.count("SELECT count(*) FROM commands WHERE account_id = $1", &[&account]).await;
        assert_eq!(of, 5);
    }
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_waited_for_a_daemon_is_done_when_one_starts() {
    let stage = Stage::empty().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("shop").await;
    let pair = web.send("account.pair", account, json!({})).await;
    let stranger = web.send("account.pair", Uuid::new_v4(), json!({})).await;
    assert_eq!(web.count("SELECT count(*) FROM commands WHERE state = 'queued'", &[]).await, 2);

    let daemon = stage.daemon(&[]).await;
    assert_eq!(web.outcome(pair).await.0, "done");
    assert_eq!(web.outcome(stranger).await.0, "failed");
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_dedupe_key_twice_is_one_command_on_either_lane() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.account("shop").await;
    let send = "SELECT send_command('account.pair', $1, '{}', 'order 66')";
    let first: i64 = web.sql.query_one(send, &[&account]).await.unwrap().get(0);
    assert_eq!(web.outcome(first).await.0, "done");
    let second: i64 = web.sql.query_one(send, &[&account]).await.unwrap().get(0);
    assert_eq!(first, second);
    let again = json!({"type": "account.pair", "accountId": account, "dedupeKey": "order 66"});
    notify(web, "paird_command", &again.to_string()).await;
    // Notifications are handled in order: when this one's command has ended, the one before was handled.
    let last = json!({"type": "account.cancel", "accountId": account, "dedupeKey": "order 67"});
    notify(web, "paird_command", &last.to_string()).await;
    web.event(account, "session.cancelled", 0).await;

    assert_eq!(web.count("SELECT count(*) FROM commands", &[]).await, 2);
    assert_eq!(web.ends(account).await, ["session.cancelled operator"], "one attempt was made");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_one_account_run_in_their_order() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.account("shop").await;
    let kinds = ["account.pair", "account.cancel", "account.fly", "account.pair", "account.unpair", "account.cancel"];
    let mut ids = Vec::new();
    for kind in kinds {
        ids.push(web.send(kind, account, json!({})).await);
    }
    for id in &ids {
        web.outcome(*id).await;
    }
    let sql = "SELECT id, started_at, done_at FROM commands ORDER BY started_at";
    let rows = web.sql.query(sql, &[]).await.unwrap();
    let order: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(order, ids);
    for (one, next) in rows.iter().zip(&rows[1..]) {
        assert!(one.get::<_, DateTime<Utc>>(2) <= next.get::<_, DateTime<Utc>>(1), "one at a time");
    }
    let kinds: Vec<_> = web.kinds(account).await.into_iter().filter(|kind| kind != "session.qr").collect();
    assert_eq!(kinds, ["session.cancelled", "command.failed", "session.cancelled", "account.unpaired"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_of_ones_own_are_used_instead_of_the_usual() {
    let stage = Stage::empty().await;
    let daemon =
        stage.daemon(&[("PAIRD_COMMAND_CHANNEL", "house_commands"), ("PAIRD_EVENT_CHANNEL", "house_events")]).await;
    let web = &stage.web;
    let account = web.account("shop").await;
    // The web app listens on both channels, so an event on both would arrive twice.
    web.sql.batch_execute("LISTEN house_events").await.unwrap();
    let pair = json!({"type": "account.pair", "accountId": account}).to_string();
    notify(web, "house_commands", &pair).await;
    web.qr(account).await;
    web.does("account.cancel", account, json!({})).await;
    let heard = until("both events", || async { Some(web.heard(account)).filter(|heard| heard.len() >= 2) }).await;
    let kinds: Vec<_> = heard.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(kinds, ["session.qr", "session.cancelled"]);
    stage.finish([daemon]).await;
}

async fn notify(web: &Web, channel: &str, payload: &str) {
    web.sql.execute("SELECT pg_notify($1, $2)", &[&channel, &payload]).await.unwrap();
}

/// The whole row but for the counter of events, once it has an owner.
async fn row(web: &Web, account: Uuid) -> Value {
    web.does("account.cancel", account, json!({})).await;
    let sql = "SELECT to_jsonb(a) - 'event_seq' - 'last_change' FROM whatsapp_accounts a WHERE id = $1";
    web.sql.query_one(sql, &[&account]).await.unwrap().get(0)
}

async fn refused(web: &Web, account: Uuid, kind: &str, args: Value, reason: &str) {
    let seq = web.seq(account).await;
    let id = web.send(kind, account, args.clone()).await;
    let (state, result) = web.outcome(id).await;
    assert_eq!(state, "failed", "{kind} {args}");
    assert!(result.contains(reason), "{kind} {args}: {result}");
    let told = web.event(account, "command.failed", seq).await;
    assert_eq!(told.payload, json!({"commandId": id, "kind": kind, "reason": result}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_committed_after_its_client_gave_up_is_executed() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", "436601234567", &stage.phones).await;
    let seq = web.seq(account).await;
    // Taken in the transaction that sends them, as by a taking whose answer the daemon never got.
    let late = "WITH late AS (
            SELECT send_command(kind, $1) AS id FROM unnest(ARRAY['account.pair', 'groups.sync']) AS kind
        )
        SELECT array_agg(id) FROM late";
    let mut web_app = web.another_connection().await;
    for _ in 0..3 {
        let change = web_app.transaction().await.unwrap();
        let ids: Vec<i64> = change.query_one(late, &[&account]).await.unwrap().get(0);
        let taken = "UPDATE commands SET state = 'running', started_at = clock_timestamp(), taken = gen_random_uuid(),
            taken_by = (SELECT owner FROM whatsapp_accounts WHERE id = $2) WHERE id = ANY ($1)";
        assert_eq!(change.execute(taken, &[&ids, &account]).await.unwrap(), 2);
        change.commit().await.unwrap();
        let after = web.send("account.nonsense", account, json!({})).await;
        for id in ids {
            assert_eq!(web.outcome(id).await.0, "done");
        }
        assert_eq!(web.outcome(after).await.0, "failed");
    }
    let told = web.events(account).await.into_iter().filter(|event| event.seq > seq);
    let told = told.filter(|event| event.kind == "session.connected").count();
    assert_eq!(told, 3, "each was done once");
    stage.finish([daemon]).await;
}
