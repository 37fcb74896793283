//! kill -9, at every step that matters, and what the next start makes of it.

use std::path::Path;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use paird_sandbox::{Fault, PausePoint};
use paird_testkit::{Daemon, Stage, until};
use serde_json::json;
use uuid::Uuid;

const NUMBER: &str = "436601234567";

async fn deadline(stage: &Stage, account: Uuid) -> Option<DateTime<Utc>> {
    stage.web.column(account, "pair_deadline").await
}

/// Scans, and kills the daemon while WhatsApp stands still at this point.
async fn killed_at(stage: &Stage, daemon: Daemon, at: PausePoint) -> (Uuid, DateTime<Utc>) {
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("desk").await;
    stage.phones.fault(Fault::Pause { at, number: None }).await;
    web.pair_with(account, NUMBER, &stage.phones).await;
    until("the link's keys on the row", || async {
        let reason: String = web.column(account, "status_reason").await;
        (reason == "linking").then_some(())
    })
    .await;
    match at {
        PausePoint::BeforeRestart => drop(stage.phones.devices_are(NUMBER, 1).await),
        PausePoint::BeforeSuccess => {
            until("the first login under way", || async {
                let report = stage.phones.report().await;
                (report.handshakes_xx + report.handshakes_ik == 2).then_some(())
            })
            .await;
        }
        PausePoint::BeforeLink | PausePoint::BeforePairSuccess | PausePoint::BeforeUnlink => {}
    }
    let deadline = deadline(stage, account).await.unwrap();
    daemon.kill().await;
    until("the sockets closed", || async { (stage.phones.report().await.connections_now == 0).then_some(()) }).await;
    stage.phones.clear_faults().await;
    (account, deadline)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_the_scan_keeps_the_deadline_with_a_fresh_qr() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("desk").await;
    web.does("account.pair", account, json!({})).await;
    let shown = web.qr(account).await;
    let before = deadline(&stage, account).await.unwrap();
    daemon.kill().await;

    let daemon = stage.daemon(&[]).await;
    let fresh = until("another QR", || async { web.qr_now(account).await.filter(|qr| *qr != shown) }).await;
    assert_eq!(deadline(&stage, account).await, Some(before));
    assert_eq!(web.status(account).await, "pending");
    stage.phones.scan(NUMBER, &shown).await.unwrap_err();
    stage.phones.scan(NUMBER, &fresh).await.unwrap();
    web.status_is(account, "connected").await;
    assert_eq!(web.endings(account, 0).await, ["session.connected"]);
    web.agrees_with(&stage.phones, NUMBER).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_the_phone_links_starts_over_with_a_fresh_qr() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, before) = killed_at(&stage, daemon, PausePoint::BeforeLink).await;
    assert_eq!(stage.phones.devices(NUMBER).await, []);

    let daemon = stage.daemon(&[]).await;
    // WhatsApp does not know the stored keys, so they are erased and the attempt shows a QR again.
    web.scan(account, NUMBER, &stage.phones).await;
    assert_eq!(deadline(&stage, account).await, Some(before));
    web.status_is(account, "connected").await;
    assert_eq!(web.endings(account, 0).await, ["session.connected"]);
    assert_eq!(stage.phones.report().await.links_made, 1);
    web.agrees_with(&stage.phones, NUMBER).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_the_first_login_connects_without_another_scan() {
    for at in [PausePoint::BeforeRestart, PausePoint::BeforeSuccess] {
        let (stage, daemon) = Stage::with_daemon().await;
        let web = &stage.web;
        let (account, _) = killed_at(&stage, daemon, at).await;
        let (seq, qrs) = (web.seq(account).await, stage.phones.report().await.refs_issued);
        let daemon = stage.daemon(&[]).await;
        web.event(account, "session.connected", seq).await;
        assert_eq!(web.endings(account, 0).await, ["session.connected"]);
        assert_eq!(web.column::<Option<String>>(account, "phone_number").await.as_deref(), Some(NUMBER));
        let report = stage.phones.report().await;
        assert_eq!((report.links_made, report.refs_issued, report.replaced), (1, qrs, 0), "no second QR, {at:?}");
        web.agrees_with(&stage.phones, NUMBER).await;
        stage.finish([daemon]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_expired_without_a_daemon_is_unlinked() {
    let stage = Stage::empty().await;
    let web = &stage.web;
    let daemon = stage.daemon(&[("PAIRD_PAIR_TIMEOUT", "6s")]).await;
    let (account, before) = killed_at(&stage, daemon, PausePoint::BeforeRestart).await;
    until("the deadline passed", || async { (Utc::now() > before).then_some(()) }).await;

    let daemon = stage.daemon(&[]).await;
    assert_eq!(web.event(account, "session.timeout", 0).await.payload, json!({"reason": "timeout: no_login"}));
    web.event(account, "account.unlinked", 0).await;
    assert_eq!(web.status(account).await, "unpaired");
    assert_eq!(web.endings(account, 0).await, ["session.timeout"]);
    assert_eq!(stage.phones.devices(NUMBER).await, [], "nothing of the attempt stays on the phone");
    assert_eq!(web.keys(account).await, (0, 0));
    assert_eq!(deadline(&stage, account).await, None);
    daemon.log_until("the label of what was swept", |log| log.contains("swept") && log.contains("label=desk")).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_fleet_reconnects_without_pairing_or_replacing() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let numbers: Vec<String> = (0..10).map(|nth| format!("4366000000{nth:02}")).collect();
    let labels: Vec<String> = (0..10).map(|nth| format!("account {nth}")).collect();
    let connecting =
        labels.iter().zip(&numbers).map(|(label, number)| web.connect_account(label, number, &stage.phones));
    let accounts = join_all(connecting).await;
    let parked = accounts[9];
    web.does("account.unpair", parked, json!({})).await;
    let before = stage.phones.report().await;
    daemon.kill().await;

    let daemon = stage.daemon(&[]).await;
    for &account in &accounts[..9] {
        web.event(account, "session.disconnected", 0).await;
        let down = web.event(account, "session.disconnected", 0).await;
        assert_eq!(down.payload["reason"], "daemon_restarted");
        web.event(account, "session.connected", down.seq).await;
        assert_eq!(web.status(account).await, "connected");
    }
    assert_eq!(web.status(parked).await, "unpaired", "an unpaired account is not connected");
    let report = stage.phones.report().await;
    assert_eq!((report.links_made, report.refs_issued), (10, before.refs_issued), "nobody was paired again");
    assert_eq!(report.replaced, 0);
    assert_eq!(report.logins, before.logins + 9, "one login each");
    for number in &numbers {
        web.agrees_with(&stage.phones, number).await;
    }
    stage.finish([daemon]).await;
}

/// The pid in the cluster's own file.
fn postmaster(data: &Path) -> Option<u32> {
    std::fs::read_to_string(data.join("postgres/postmaster.pid")).ok()?.lines().next()?.parse().ok()
}

/// Whether the process runs. A zombie does not.
fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// An empty `DATABASE_URL` counts as not set, so the daemon runs its own Postgres.
const EMBEDDED: [(&str, &str); 1] = [("DATABASE_URL", "")];

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemons_postgres_ends_and_its_rows_survive() {
    let mut stage = Stage::empty().await;
    let data = stage.dir.join("daemon");
    let daemon = stage.daemon(&EMBEDDED).await;
    stage.use_database_of(&data).await;
    let account = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    let server = postmaster(&data).unwrap();
    assert!(runs(server));
    daemon.kill().await;
    until("the end of the killed daemon's Postgres", || async { (!runs(server)).then_some(()) }).await;

    let daemon = stage.daemon(&EMBEDDED).await;
    stage.use_database_of(&data).await;
    stage.web.status_is(account, "connected").await;
    let server = postmaster(&data).unwrap();
    assert!(daemon.terminate().await.success());
    until("the end of the stopped daemon's Postgres", || async { (!runs(server)).then_some(()) }).await;
    assert!(!data.join("postgres.dsn").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_during_the_first_initdb_does_not_block_the_next_start() {
    let stage = Stage::empty().await;
    let data = stage.dir.join("daemon");
    let daemon = stage.daemon_starting(&EMBEDDED);
    until("initdb at work", || async { data.join("postgres.new/base").exists().then_some(()) }).await;
    daemon.kill().await;
    assert!(!data.join("postgres").exists(), "half a cluster passes for a whole one");
    let daemon = stage.daemon(&EMBEDDED).await;
    assert!(!data.join("postgres.new").exists());
    stage.finish([daemon]).await;
}
