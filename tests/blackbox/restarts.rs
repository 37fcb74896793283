//! sql/README.md, "Statuses": the forced restart of the connection (515), in every order
//! and manner in which it may come.

use paird_sandbox::{Fault, RestartFault};
use paird_testkit::{Stage, until};
use serde_json::json;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_restart_leaves_one_connected_device() {
    let (stage, daemon) = Stage::with_daemon().await;
    let restarts = [RestartFault::AtOnce, RestartFault::Cut, RestartFault::AfterMs(1_500)];
    for (nth, how) in (1..).zip(restarts) {
        stage.phones.fault(Fault::Restart { how, times: Some(1) }).await;
        let number = format!("43660300000{nth}");
        let account = stage.web.connect_account(&format!("{how:?}"), &number, &stage.phones).await;
        connected_once(&stage, account, &number).await;
    }
    assert_eq!(stage.phones.report().await.links_made, 3);
    stage.finish([daemon]).await;
}

/// Takes the ten seconds that the daemon waits for a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_never_comes_is_made_by_the_daemon() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, number) = (&stage.web, "436603000009");
    stage.phones.fault(Fault::Restart { how: RestartFault::Never, times: Some(1) }).await;
    stage.phones.add(number).await;
    let account = web.account("never").await;
    web.pair_with(account, number, &stage.phones).await;
    web.status_is(account, "connected").await;
    connected_once(&stage, account, number).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_before_the_link_continues_with_a_fresh_qr() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, number) = (&stage.web, "436603000008");
    stage.phones.add(number).await;
    let account = web.account("before sign").await;
    stage.phones.fault(Fault::Restart { how: RestartFault::BeforeSign, times: Some(1) }).await;
    web.pair_with(account, number, &stage.phones).await;
    let first = web.event(account, "session.qr", 0).await;
    web.event(account, "session.qr", first.seq).await;
    assert_eq!(stage.phones.devices(number).await, []);
    assert_eq!(web.status(account).await, "pending");

    web.scan(account, number, &stage.phones).await;
    web.status_is(account, "connected").await;
    connected_once(&stage, account, number).await;
    stage.finish([daemon]).await;
}

/// Whether the signature or the restart is faster is a race; the operator scans
/// again where the restart won.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_racing_the_link_ends_in_one_device() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    for nth in 0..3 {
        let number = format!("43660310000{nth}");
        stage.phones.add(&number).await;
        let account = web.account(&format!("beside {nth}")).await;
        stage.phones.fault(Fault::Restart { how: RestartFault::WithPairSuccess, times: Some(1) }).await;
        web.does("account.pair", account, json!({})).await;
        until("connected", || async {
            if let Some(qr) = web.qr_now(account).await {
                // It fails if the QR is over.
                let _ = stage.phones.scan(&number, &qr).await;
            }
            (web.status(account).await == "connected").then_some(())
        })
        .await;
        connected_once(&stage, account, &number).await;
    }
    stage.finish([daemon]).await;
}

async fn connected_once(stage: &Stage, account: Uuid, number: &str) {
    let web = &stage.web;
    let name: String = web.column(account, "label").await;
    assert_eq!(web.ends(account).await, ["session.connected"], "{name}");
    web.assert_no_attempt_is_on_the_row(account).await;
    assert_eq!(web.keyrings(account).await, 1, "{name}");
    let devices = stage.phones.devices_are(number, 1).await;
    let jid: Option<String> = web.column(account, "device_jid").await;
    assert_eq!(jid.as_deref(), Some(devices[0].jid.as_str()), "{name}");
    assert!(devices[0].connected, "{name}");
}
