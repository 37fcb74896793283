//! How long it takes, at the settings a daemon has by default. `make test` runs each
//! once and holds it to its promise; `make fleet ROUNDS=5` prints the worst and the median.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use paird_sandbox::{Fault, PausePoint, Scope, UnlinkFault};
use paird_testkit::{Stage, until};
use serde_json::json;
use uuid::Uuid;

use super::{all_online, connect, moved_without_a_word_lost, number, owned_by};

/// `PAIRD_LEASE_TTL` by default.
const TTL: Duration = Duration::from_secs(20);
/// From the end of the lease until all accounts are connected elsewhere.
const AFTER_THE_LEASE: Duration = Duration::from_secs(5);
/// .deploy/README.md, "Start, stop, upgrade".
const SHUTDOWN: Duration = Duration::from_secs(10);
const ACCOUNTS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemons_accounts_reconnect_elsewhere_within_25_s() {
    let stage = Stage::empty().await;
    let first = stage.daemon(&[]).await;
    let accounts = connect(&stage, ACCOUNTS).await;
    let (mut dying, mut heir) = (first, stage.daemon(&[]).await);
    let mut took = Vec::new();
    for _ in 0..rounds() {
        until("both have accounts", || async {
            let shares = (owned_by(&stage, &dying).await.len(), owned_by(&stage, &heir).await.len());
            (shares == (ACCOUNTS / 2, ACCOUNTS / 2)).then_some(())
        })
        .await;
        all_online(&stage, ACCOUNTS).await;
        let died = Instant::now();
        dying.kill().await;
        until("nobody of the dead connected", || async {
            (stage.phones.report().await.logged_in_now <= ACCOUNTS as u64 / 2).then_some(())
        })
        .await;
        all_online(&stage, ACCOUNTS).await;
        took.push(died.elapsed());
        assert!(died.elapsed() < TTL + AFTER_THE_LEASE, "it took {:?}", died.elapsed());
        dying = heir;
        heir = stage.daemon(&[]).await;
    }
    say("kill -9 until all are connected elsewhere", took);
    moved_without_a_word_lost(&stage, &accounts).await;
    stage.finish([dying, heir]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_closes_all_in_time_and_logs_out_none() {
    let stage = Stage::empty().await;
    let mut daemon = stage.daemon(&[]).await;
    let accounts = connect(&stage, ACCOUNTS).await;
    let (mut down, mut up) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        let load = Load::on(&stage, &accounts, round).await;
        let listed = lists(&stage).await;
        let asked = Instant::now();
        assert!(daemon.terminate().await.success());
        down.push(asked.elapsed());
        assert!(asked.elapsed() < SHUTDOWN, "it took {:?}", asked.elapsed());
        until("every socket closed", || async { (stage.phones.report().await.connections_now == 0).then_some(()) })
            .await;
        assert_eq!(lists(&stage).await, listed, "somebody was logged out, or linked");
        let left = "SELECT count(*) FROM processes, whatsapp_accounts a WHERE a.owner IS NOT NULL";
        assert_eq!(stage.web.count(left, &[]).await, 0, "a lease was not released");
        let running = "SELECT count(*) FROM commands WHERE state = 'running'";
        assert_eq!(stage.web.count(running, &[]).await, 0, "a command belongs to nobody");

        stage.phones.clear_faults().await;
        let started = Instant::now();
        daemon = stage.daemon(&[]).await;
        until("everybody connected again", || async {
            let connected = "SELECT count(*) FROM whatsapp_accounts WHERE status = 'connected' AND id = ANY ($1)";
            (stage.web.count(connected, &[&accounts]).await == accounts.len() as i64).then_some(())
        })
        .await;
        up.push(started.elapsed());
        load.ends_well(&stage).await;
    }
    say("SIGTERM under load until the process is gone", down);
    say("start until everybody is connected again", up);
    moved_without_a_word_lost(&stage, &accounts).await;
    stage.finish([daemon]).await;
}

/// Accounts in each phase of work that a stop can interrupt.
struct Load {
    scanned: (Uuid, String),
    shown: Uuid,
    deleted: Uuid,
    commands: Vec<i64>,
}

impl Load {
    async fn on(stage: &Stage, accounts: &[Uuid], round: usize) -> Self {
        let (web, phones) = (&stage.web, &stage.phones);
        let deleted = web.connect_account(&format!("deleted {round}"), &number(3_000 + round), phones).await;
        phones.fault(Fault::Unlink { how: UnlinkFault::Stalled, times: Some(1) }).await;
        web.does("account.delete", deleted, json!({})).await;
        phones.devices_are(&number(3_000 + round), 0).await;

        let scanned = (web.account(&format!("scanned {round}")).await, number(1_000 + round));
        phones.add(&scanned.1).await;
        phones.fault(Fault::Pause { at: PausePoint::BeforeRestart, number: Some(scanned.1.clone()) }).await;
        web.pair_with(scanned.0, &scanned.1, phones).await;
        phones.devices_are(&scanned.1, 1).await;
        let shown = web.account(&format!("shown {round}")).await;
        web.does("account.pair", shown, json!({})).await;
        web.qr(shown).await;

        phones.fault(Fault::StallIqs { xmlns: Some("w:g2".to_owned()) }).await;
        // Half of them are logging in again when the signal comes.
        phones.fault(Fault::Pause { at: PausePoint::BeforeSuccess, number: None }).await;
        for account in &accounts[..accounts.len() / 2] {
            phones.fault(Fault::Cut { scope: Scope::Device(web.column(*account, "device_jid").await) }).await;
        }
        until("logins under way", || async { (phones.report().await.logged_in_now < ACCOUNTS as u64).then_some(()) })
            .await;
        let kinds = ["account.wave", "groups.sync", "account.wave"];
        let sends = (0..200).map(|nth| web.send(kinds[nth % 3], accounts[nth % accounts.len()], json!({})));
        let commands = join_all(sends).await;
        until("commands under way", || async {
            let ended = "SELECT count(*) FROM commands WHERE id = ANY ($1) AND state = 'failed'";
            (web.count(ended, &[&commands]).await > 10).then_some(())
        })
        .await;
        Self { scanned, shown, deleted, commands }
    }

    async fn ends_well(self, stage: &Stage) {
        let web = &stage.web;
        web.status_is(self.scanned.0, "connected").await;
        web.agrees_with(&stage.phones, &self.scanned.1).await;
        assert_eq!(web.ends(self.scanned.0).await, ["session.connected"]);
        web.does("account.cancel", self.shown, json!({})).await;
        assert_eq!(web.ends(self.shown).await, ["session.cancelled operator"]);
        web.event(self.deleted, "account.unlinked", 0).await;
        for command in self.commands {
            web.outcome(command).await;
            let told = "SELECT count(*) FROM events WHERE payload->>'commandId' = $1::text";
            assert!(web.count(told, &[&command.to_string()]).await <= 1, "command {command} ended twice");
        }
        // So that the next round can scan with the same phone.
        web.does("account.unpair", self.scanned.0, json!({"logout": true})).await;
        web.event(self.scanned.0, "account.unlinked", 0).await;
    }
}

/// The list of linked devices of every phone.
async fn lists(stage: &Stage) -> BTreeMap<String, Vec<String>> {
    let mut lists = BTreeMap::new();
    for number in stage.web.numbers().await {
        let devices = stage.phones.devices(&number).await;
        lists.insert(number, devices.into_iter().map(|device| device.jid).collect());
    }
    lists
}

fn say(what: &str, mut took: Vec<Duration>) {
    took.sort();
    if let (Some(worst), Some(median)) = (took.last(), took.get(took.len() / 2)) {
        eprintln!("{what}: worst {worst:.1?}, median {median:.1?} of {}", took.len());
    }
}

#[expect(clippy::disallowed_methods, reason = "the one knob of the measurements")]
fn rounds() -> usize {
    std::env::var("PAIRD_TEST_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}
