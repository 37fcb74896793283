//! Fair shares: who joins, who leaves, and restarts one after the other.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use paird_testkit::{Daemon, Stage, until};
use serde_json::json;
use uuid::Uuid;

use super::{EAGER, all_online, connect, moved_without_a_word_lost, number, owned_by, shares_are};

/// Enough for a third daemon to get its share: small differences cause no move.
const SHARED: usize = 30;

#[tokio::test]
async fn six_accounts_stay_where_they_are_when_a_daemon_joins() {
    let stage = Stage::empty().await;
    let first = stage.daemon(&[EAGER]).await;
    let accounts = connect(&stage, 6).await;
    let second = stage.daemon(&[EAGER]).await;
    // Commands that are done after a resync show that the resync has moved nothing.
    stage.web.sql.batch_execute("NOTIFY paird_command, 'resync'").await.unwrap();
    for nth in 0..4 {
        let newcomer = stage.web.account(&format!("newcomer {nth}")).await;
        stage.web.does("account.cancel", newcomer, json!({})).await;
    }
    let moved = "SELECT count(*) FROM whatsapp_accounts WHERE id = ANY ($1) AND fence > 1";
    assert_eq!(stage.web.count(moved, &[&accounts]).await, 0, "accounts were moved although the difference is small");
    for account in &accounts {
        assert!(!stage.web.kinds(*account).await.contains(&"session.disconnected".to_owned()));
    }
    stage.finish([first, second]).await;
}

#[tokio::test]
async fn joining_and_leaving_daemons_share_the_accounts_fairly() {
    let stage = Stage::empty().await;
    let first = stage.daemon(&[EAGER]).await;
    let accounts = connect(&stage, 20).await;
    let second = stage.daemon(&[EAGER]).await;
    shares_are(&stage, &[(&first, 10), (&second, 10)]).await;
    all_online(&stage, 20).await;
    for account in &accounts {
        let kinds = stage.web.kinds(*account).await;
        assert!(!kinds.contains(&"session.disconnected".to_owned()), "a quick move was told: {kinds:?}");
    }
    assert_eq!(stage.web.count("SELECT max(fence) FROM whatsapp_accounts", &[]).await, 2, "moved more than once");

    let asked = Instant::now();
    assert!(first.terminate().await.success());
    shares_are(&stage, &[(&second, 20)]).await;
    all_online(&stage, 20).await;
    assert!(asked.elapsed() < Duration::from_secs(8), "it took {:?}", asked.elapsed());
    moved_without_a_word_lost(&stage, &accounts).await;
    stage.finish([second]).await;
}

#[tokio::test]
async fn a_rolling_restart_ends_commands_and_attempts_exactly_once() {
    let stage = Stage::empty().await;
    let mut daemons = vec![stage.daemon(&[EAGER]).await];
    let accounts = connect(&stage, SHARED).await;
    daemons.push(stage.daemon(&[EAGER]).await);
    shares_are(&stage, &[(&daemons[0], 15), (&daemons[1], 15)]).await;
    daemons.push(stage.daemon(&[EAGER]).await);
    shares_are(&stage, &[(&daemons[0], 10), (&daemons[1], 10), (&daemons[2], 10)]).await;
    // This one is never scanned, and keeps its deadline through all restarts.
    let idle = stage.web.account("idle").await;
    stage.web.does("account.pair", idle, json!({})).await;
    let deadline: Option<DateTime<Utc>> = stage.web.column(idle, "pair_deadline").await;

    let is_over = AtomicBool::new(false);
    let rolling = async {
        for _ in 0..3 {
            let leaver = daemons.remove(0);
            assert!(leaver.terminate().await.success());
            daemons.push(stage.daemon(&[EAGER]).await);
            nobody_is_left_alone(&stage, &daemons).await;
        }
        is_over.store(true, Ordering::Release);
    };
    let lanes = join_all((1..=3).map(|lane| pair_until(&is_over, &stage, lane)));
    let ((), sent, lanes) = tokio::join!(rolling, send_until(&is_over, &stage, &accounts), lanes);
    let newcomers: Vec<_> = lanes.into_iter().flatten().collect();

    all_online(&stage, SHARED + newcomers.len()).await;
    every_command_ended_once(&stage, &sent).await;
    assert!(sent.len() >= accounts.len(), "only {} commands were on the way", sent.len());
    for (account, number) in &newcomers {
        // One for the attempt, and one for each later move to another daemon.
        let moves = stage.web.kinds(*account).await.iter().filter(|kind| *kind == "session.disconnected").count();
        assert_eq!(stage.web.ends(*account).await, vec!["session.connected"; 1 + moves], "the attempt of {number}");
        stage.web.agrees_with(&stage.phones, number).await;
    }
    assert!(newcomers.len() >= 3, "only {} attempts were on the way", newcomers.len());
    assert_eq!(stage.web.column::<Option<DateTime<Utc>>>(idle, "pair_deadline").await, deadline);
    stage.web.does("account.cancel", idle, json!({})).await;
    assert_eq!(stage.web.ends(idle).await, ["session.cancelled operator"]);
    moved_without_a_word_lost(&stage, &accounts).await;
    stage.finish(daemons).await;
}

/// Sends one command after the other to one account after the other.
async fn send_until(is_over: &AtomicBool, stage: &Stage, accounts: &[Uuid]) -> Vec<(i64, &'static str)> {
    let mut sent = Vec::new();
    while !is_over.load(Ordering::Acquire) {
        let account = accounts[sent.len() % accounts.len()];
        // An unknown kind fails, with one event.
        let kind = if sent.len().is_multiple_of(3) { "groups.sync" } else { "account.wave" };
        sent.push((stage.web.send(kind, account, json!({})).await, kind));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    sent
}

/// Pairs one account after the other, with phones that scan the shown QR.
async fn pair_until(is_over: &AtomicBool, stage: &Stage, lane: usize) -> Vec<(Uuid, String)> {
    let mut paired = Vec::new();
    while !is_over.load(Ordering::Acquire) {
        let number = number(lane * 1_000 + paired.len());
        stage.phones.add(&number).await;
        let account = stage.web.account(&format!("newcomer {lane}.{}", paired.len())).await;
        stage.web.send("account.pair", account, json!({})).await;
        until("a newcomer connected", || async {
            if let Some(qr) = stage.web.qr_now(account).await {
                // The attempt may be moving to another daemon: its QR is over.
                let _ = stage.phones.scan(&number, &qr).await;
            }
            (stage.web.status(account).await == "connected").then_some(())
        })
        .await;
        paired.push((account, number));
    }
    paired
}

async fn nobody_is_left_alone(stage: &Stage, daemons: &[Daemon]) {
    until("a living owner of everybody", || async {
        let owned = join_all(daemons.iter().map(|daemon| owned_by(stage, daemon))).await;
        let needing = stage.web.count("SELECT count(*) FROM whatsapp_accounts a WHERE needs_daemon(a)", &[]).await;
        (owned.iter().map(Vec::len).sum::<usize>() as i64 >= needing).then_some(())
    })
    .await;
}

async fn every_command_ended_once(stage: &Stage, sent: &[(i64, &str)]) {
    for (command, kind) in sent {
        let (state, result) = stage.web.outcome(*command).await;
        let told = "SELECT count(*) FROM events WHERE kind = 'command.failed' AND payload->>'commandId' = $1::text";
        let told = stage.web.count(told, &[&command.to_string()]).await;
        let failed = i64::from(state == "failed");
        assert_eq!(told, failed, "command {command}, {kind}, {state}: {result}");
        assert!(*kind == "groups.sync" || failed == 1, "{kind} was {state}: {result}");
    }
}
