//! sql/README.md, "Pairing": how attempts end, one way each, and nothing of one reaches the next.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use paird_sandbox::Fault;
use paird_testkit::{Stage, until};
use serde_json::json;

const NUMBER: &str = "436604000001";
const ROUNDS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_pairings_in_a_row_leave_nothing_of_the_old_attempts() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    // WhatsApp keeps old sockets open, and sends on them, while newer attempts run.
    stage.phones.fault(Fault::LateClose { linger_ms: 700, times: None }).await;
    let account = web.account("shop").await;
    let mut payloads = BTreeSet::new();
    for _ in 0..ROUNDS {
        let told = web.seq(account).await;
        web.does("account.pair", account, json!({})).await;
        web.event(account, "session.qr", told).await;
        payloads.insert(web.qr(account).await);
    }
    assert_eq!(payloads.len(), ROUNDS, "each attempt has a QR of its own");
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    until("every other connection is gone", || async {
        (stage.phones.report().await.connections_now == 1).then_some(())
    })
    .await;

    let mut expected: Vec<_> = ["session.qr", "session.cancelled"].repeat(ROUNDS - 1);
    expected.extend(["session.qr", "session.connected"]);
    let kinds: Vec<_> = web.kinds(account).await.into_iter().filter(|kind| kind != "groups.synced").collect();
    assert_eq!(kinds, expected);
    let mut ends = vec!["session.cancelled superseded"; ROUNDS - 1];
    ends.push("session.connected");
    assert_eq!(web.ends(account).await, ends);
    stage.phones.devices_are(NUMBER, 1).await;
    assert_eq!(web.keyrings(account).await, 1, "no keys of the old attempts are left");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pair_commands_faster_than_any_qr_each_end_once() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    stage.phones.fault(Fault::LateClose { linger_ms: 300, times: None }).await;
    let account = web.account("shop").await;
    let mut last = 0;
    for _ in 0..ROUNDS {
        last = web.send("account.pair", account, json!({})).await;
    }
    assert_eq!(web.outcome(last).await.0, "done");
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    let mut ends = vec!["session.cancelled superseded"; ROUNDS - 1];
    ends.push("session.connected");
    assert_eq!(web.ends(account).await, ends);
    assert_eq!(web.keyrings(account).await, 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_an_attempt_once_and_allows_another() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_PAIR_TIMEOUT", "3s")]).await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("shop").await;
    web.does("account.pair", account, json!({})).await;
    let deadline: DateTime<Utc> = web.column(account, "pair_deadline").await;
    web.qr(account).await;

    let timeout = web.event(account, "session.timeout", 0).await;
    assert_eq!(timeout.payload, json!({"reason": "timeout"}));
    let early = "SELECT count(*) FROM events WHERE account_id = $1 AND seq = $2 AND created_at < $3";
    assert_eq!(web.count(early, &[&account, &timeout.seq, &deadline]).await, 0, "not before the deadline");
    web.assert_unpaired(account, "timeout").await;
    assert_eq!(web.keyrings(account).await, 0);

    web.pair_with(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    assert_eq!(web.ends(account).await, ["session.timeout timeout", "session.connected"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_with_whatsapp_unreachable_is_a_timeout_too() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_PAIR_TIMEOUT", "2s")]).await;
    let web = &stage.web;
    stage.phones.fault(Fault::RefuseConnections { times: None }).await;
    let account = web.account("shop").await;
    web.does("account.pair", account, json!({})).await;
    let timeout = web.event(account, "session.timeout", 0).await;
    let reason = timeout.payload["reason"].as_str().unwrap();
    assert!(reason.starts_with("timeout: unreachable: "), "nobody could scan: {reason}");
    web.assert_unpaired(account, reason).await;
    assert_eq!(web.kinds(account).await, ["session.timeout"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_ends_the_attempt_and_without_one_is_a_no_op() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.account("shop").await;
    assert_eq!(web.does("account.cancel", account, json!({})).await, "no pair attempt is running");
    assert_eq!(web.kinds(account).await, Vec::<String>::new());

    web.does("account.pair", account, json!({})).await;
    web.qr(account).await;
    web.does("account.cancel", account, json!({})).await;
    web.assert_unpaired(account, "cancelled").await;
    assert_eq!(web.event(account, "session.cancelled", 0).await.payload, json!({"reason": "operator"}));
    assert_eq!(web.ends(account).await, ["session.cancelled operator"]);
    assert_eq!(web.keyrings(account).await, 0);
    until("the connection is gone", || async { (stage.phones.report().await.connections_now == 0).then_some(()) })
        .await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unpair_and_delete_end_a_running_attempt() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    for (kind, told, reason) in
        [("account.unpair", "account.unpaired", "operator"), ("account.delete", "account.deleted", "deleted")]
    {
        let account = web.account(kind).await;
        web.does("account.pair", account, json!({})).await;
        web.qr(account).await;
        web.does(kind, account, json!({})).await;
        assert_eq!(web.event(account, told, 0).await.payload, json!({"unlinked": "none"}));
        assert_eq!(web.kinds(account).await, ["session.qr", "session.cancelled", told]);
        assert_eq!(web.ends(account).await, ["session.cancelled operator"]);
        assert_eq!(web.status(account).await, "unpaired");
        assert_eq!(web.column::<String>(account, "status_reason").await, reason);
        web.assert_no_attempt_is_on_the_row(account).await;
        assert_eq!(web.keyrings(account).await, 0);
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pairing_a_connected_account_repeats_connected_and_dials_not() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("shop", NUMBER, &stage.phones).await;
    let before = stage.phones.report().await.accepted;
    let told = web.seq(account).await;
    assert_eq!(web.does("account.pair", account, json!({})).await, "already connected");
    assert_eq!(web.event(account, "session.connected", told).await.payload, json!({"phoneNumber": NUMBER}));
    assert_eq!(web.status(account).await, "connected");
    assert_eq!(stage.phones.report().await.accepted, before);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_phone_is_refused_and_numbers_compare_by_digits() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let stranger = "436604999999";
    stage.phones.add(NUMBER).await;
    stage.phones.add(stranger).await;
    let account = web.account("shop").await;
    let expect = json!({"expectPhone": " +43 (660) 400-00.01 "});

    web.does("account.pair", account, expect.clone()).await;
    web.scan(account, stranger, &stage.phones).await;
    let wrong = web.event(account, "session.wrong_phone", 0).await;
    assert_eq!(wrong.payload, json!({"phoneNumber": stranger, "expectedPhone": NUMBER}));
    web.assert_unpaired(account, "wrong_phone").await;
    assert_eq!(web.keyrings(account).await, 0);
    assert_eq!(stage.phones.devices(stranger).await, []);
    assert_eq!(stage.phones.report().await.links_made, 0);

    web.does("account.pair", account, expect).await;
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    assert_eq!(web.ends(account).await, ["session.wrong_phone", "session.connected"]);
    stage.finish([daemon]).await;
}
