//! sql/README.md, "Pairing": the states of an attempt on its way to `connected`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use paird_sandbox::{Fault, Pace, ScanOptions, Scope};
use paird_testkit::{Stage, Web, until};
use serde_json::{Value, json};
use uuid::Uuid;

const NUMBER: &str = "436601234567";

type Time = DateTime<Utc>;

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_connects_the_account_with_all_events() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("front desk").await;

    let result = web.does("account.pair", account, json!({})).await;
    assert!(result.starts_with("pairing started"), "{result}");
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;

    let connected = web.event(account, "session.connected", 0).await;
    assert_eq!(connected.payload, json!({"phoneNumber": NUMBER}));
    let synced = web.event(account, "groups.synced", 0).await;
    assert_eq!(synced.payload, json!({"count": 3}));
    let groups = web.count("SELECT count(*) FROM whatsapp_groups WHERE account_id = $1", &[&account]).await;
    assert_eq!(groups, 3);
    web.assert_no_attempt_is_on_the_row(account).await;
    assert_eq!(web.column::<Option<String>>(account, "phone_number").await.as_deref(), Some(NUMBER));
    assert_eq!(web.keyrings(account).await, 1);
    let audit = web
        .count(
            "SELECT count(*) FROM audit_log WHERE target_id = $1 AND action = 'account.paired' AND source = 'web'
             AND target_type = 'whatsapp_account' AND payload->>'label' = 'front desk'",
            &[&account],
        )
        .await;
    assert_eq!(audit, 1);
    let devices = stage.phones.devices(NUMBER).await;
    assert!(matches!(&devices[..], [device] if device.connected && device.label == "paird"), "{devices:?}");
    let jid = web.column::<Option<String>>(account, "device_jid").await;
    assert_eq!(jid.as_deref(), Some(devices[0].jid.as_str()));

    let heard = heard_all(web, account).await;
    let kinds: Vec<_> = heard.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(kinds, ["session.qr", "session.connected", "groups.synced"]);
    let own: Vec<_> = heard.iter().map(fields_of).collect();
    assert_eq!(own, [vec!["expiresAt", "ts"], vec!["phoneNumber"], vec!["count"]]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_command_sets_pending_and_a_five_minute_deadline() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.account("shop").await;
    web.does("account.pair", account, json!({})).await;

    assert_eq!(web.status(account).await, "pending");
    assert_eq!(web.column::<String>(account, "desired").await, "paired");
    let since: Time = web.column(account, "status_since").await;
    let deadline: Time = web.column(account, "pair_deadline").await;
    assert_eq!((deadline - since).num_milliseconds(), 300_000);
    web.qr(account).await;
    assert_eq!(web.column::<String>(account, "status_reason").await, "waiting_for_scan");
    assert_eq!(web.column::<Option<String>>(account, "phone_number").await, None);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_qr_is_reported_once_with_its_times() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("shop").await;
    web.does("account.pair", account, json!({})).await;

    let first = web.qr(account).await;
    let told = web.event(account, "session.qr", 0).await;
    let shown_at: Time = web.column(account, "last_qr_at").await;
    let expires_at: Time = web.column(account, "qr_expires_at").await;
    assert_eq!(told.payload["ts"], json!(shown_at.timestamp_millis()));
    let told_end: Time = told.payload["expiresAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(told_end, expires_at);
    let lasts = (expires_at - shown_at).num_seconds();
    assert!((55..=60).contains(&lasts), "the first QR lasts a minute, not {lasts} s");

    stage.phones.fault(Fault::QrBurst { times: 20 }).await;
    // The burst comes before the pair-success on the same socket.
    stage.phones.scan(NUMBER, &first).await.unwrap();
    web.status_is(account, "connected").await;
    let qrs = web.kinds(account).await.iter().filter(|kind| *kind == "session.qr").count();
    assert_eq!(qrs, 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_spans_sockets_and_any_of_them_can_be_scanned() {
    let stage = Stage::with_pace(Pace { unscanned_lifetime_ms: 400, ..Pace::default() }).await;
    let daemon = stage.daemon(&[]).await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("shop").await;
    web.does("account.pair", account, json!({})).await;
    let deadline: Time = web.column(account, "pair_deadline").await;

    let first = web.qr(account).await;
    let told = web.event(account, "session.qr", 0).await;
    stage.phones.set_pace(Pace::default()).await;
    let told_again = web.event(account, "session.qr", told.seq).await;
    assert!(told_again.payload["ts"].as_i64() > told.payload["ts"].as_i64());
    let second = until("another QR", || async { web.qr_now(account).await.filter(|qr| *qr != first) }).await;
    assert_eq!(web.column::<Time>(account, "pair_deadline").await, deadline);
    let over = stage.phones.scan(NUMBER, &first).await;
    assert!(over.is_err(), "the first socket's QR opens nothing any more");

    stage.phones.scan(NUMBER, &second).await.unwrap();
    web.status_is(account, "connected").await;
    assert_eq!(web.ends(account).await, ["session.connected"]);
    stage.phones.devices_are(NUMBER, 1).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_scan_shows_its_reason_and_the_next_scan_connects() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("shop").await;
    web.does("account.pair", account, json!({})).await;
    let deadline: Time = web.column(account, "pair_deadline").await;

    for flaw in [
        ScanOptions { bad_signature: true, ..ScanOptions::default() },
        ScanOptions { bad_hmac: true, ..ScanOptions::default() },
    ] {
        let qr = web.qr(account).await;
        stage.phones.scan_with(NUMBER, &qr, flaw).await.unwrap();
        reason_is(web, account, "scan_rejected: ").await;
        assert_eq!(web.status(account).await, "pending");
        assert_eq!(web.column::<Option<String>>(account, "phone_number").await, None);
        assert_eq!(stage.phones.devices(NUMBER).await, []);
    }
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    assert_eq!(web.ends(account).await, ["session.connected"]);
    let connected = web.event(account, "session.connected", 0).await;
    let in_time = "SELECT count(*) FROM events WHERE account_id = $1 AND seq = $2 AND created_at < $3";
    assert_eq!(web.count(in_time, &[&account, &connected.seq, &deadline]).await, 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_replaces_a_lost_connection_and_shows_the_reason() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("shop").await;
    stage.phones.fault(Fault::RefuseConnections { times: None }).await;
    web.does("account.pair", account, json!({})).await;
    let deadline: Time = web.column(account, "pair_deadline").await;
    reason_is(web, account, "unreachable").await;
    assert_eq!(web.status(account).await, "pending");
    stage.phones.clear_faults().await;

    web.qr(account).await;
    assert_eq!(web.column::<Option<Time>>(account, "next_retry_at").await, None);
    let told = web.seq(account).await;
    stage.phones.fault(Fault::Cut { scope: Scope::Unregistered }).await;
    web.event(account, "session.qr", told).await;
    assert_eq!(web.column::<Time>(account, "pair_deadline").await, deadline);
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    assert_eq!(web.ends(account).await, ["session.connected"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_leaves_the_row_while_its_connection_is_down() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.account("shop").await;
    web.does("account.pair", account, json!({})).await;
    web.qr(account).await;
    stage.phones.fault(Fault::RefuseConnections { times: None }).await;
    stage.phones.fault(Fault::Cut { scope: Scope::Unregistered }).await;
    until("no QR on the row", || async {
        web.column::<Option<String>>(account, "last_qr_png").await.is_none().then_some(())
    })
    .await;
    assert_eq!(web.status(account).await, "pending");
    stage.phones.clear_faults().await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permanent_failure_ends_the_attempt_and_leaves_no_device() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let failures = [(405, None, "client_outdated"), (403, None, "banned"), (402, Some(600), "temporary_ban")];
    for (nth, (reason, expire, word)) in (1..).zip(failures) {
        let number = format!("43660200000{nth}");
        stage.phones.add(&number).await;
        let account = web.account(word).await;
        let refused = Fault::LoginFailure { reason, code: None, expire, number: Some(number.clone()), times: Some(1) };
        stage.phones.fault(refused).await;
        web.pair_with(account, &number, &stage.phones).await;
        let failed = web.event(account, "session.failed", 0).await;
        let told = failed.payload["reason"].as_str().unwrap();
        assert!(told.starts_with(word), "{told}");
        assert_eq!(failed.payload.as_object().unwrap().len(), 1);
        web.assert_unpaired(account, told).await;
        assert_eq!(web.ends(account).await.len(), 1);
        // It was linked before WhatsApp refused it.
        stage.phones.devices_are(&number, 0).await;
        until("the keys are erased", || async { (web.keyrings(account).await == 0).then_some(()) }).await;
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_code_links_and_is_taken_off_the_row() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("shop").await;
    web.does("account.pair", account, json!({"method": "code", "phone": "+43 660 123-4567"})).await;

    let code = web.code(account).await;
    let told = web.event(account, "session.code", 0).await;
    let fields: Vec<_> = told.payload.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["expiresAt", "ts"]);
    assert!(told.payload["ts"].is_i64() && !told.payload.to_string().contains(&code));
    assert_eq!(web.status(account).await, "pending");

    stage.phones.type_code(NUMBER, &code).await.unwrap();
    web.status_is(account, "connected").await;
    web.assert_no_attempt_is_on_the_row(account).await;
    assert_eq!(web.ends(account).await, ["session.connected"]);
    stage.phones.devices_are(NUMBER, 1).await;
    stage.finish([daemon]).await;
}

async fn reason_is(web: &Web, account: Uuid, start: &str) {
    until(&format!("reason {start}"), || async {
        let reason: String = web.column(account, "status_reason").await;
        reason.starts_with(start).then_some(())
    })
    .await;
}

/// Waits until there are as many notifications as events.
async fn heard_all(web: &Web, account: Uuid) -> Vec<Value> {
    let written = usize::try_from(web.seq(account).await).unwrap();
    until("every event is received", || async { Some(web.heard(account)).filter(|heard| heard.len() == written) }).await
}

/// The fields that are the event's own, after checking those that every event has.
fn fields_of(event: &Value) -> Vec<&str> {
    let fields: BTreeSet<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
    let common = BTreeSet::from(["accountId", "id", "seq", "type"]);
    assert!(common.is_subset(&fields), "{event}");
    fields.difference(&common).copied().collect()
}
