//! Counts statements, to detect a change that doubles one of these costs. `make bench`
//! measures time and memory.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use paird_testkit::{Api, Daemon, Stage, Wire, sample, until};
use uuid::Uuid;

/// Statements of the daemon from `account.pair` to the groups, with periodic ones in that time: 13
/// when this was written.
const OF_A_PAIRING: f64 = 18.0;
/// Tasks that an idle account keeps: the library's readers and timers are most of them.
const OF_AN_ACCOUNT: f64 = 12.0;

fn number(nth: usize) -> String {
    format!("43660{:07}", 3_000_000 + nth)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_takes_a_dozen_statements() {
    let (stage, wire, daemon) = counted().await;
    pair(&stage, 0).await;
    wire.count_anew();
    const PAIRINGS: usize = 5;
    for nth in 1..=PAIRINGS {
        pair(&stage, nth).await;
    }
    let carried = wire.carried();
    let each = carried.values().sum::<usize>() as f64 / PAIRINGS as f64;
    assert!(each <= OF_A_PAIRING, "{each} statements a pairing: {carried:#?}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_accounts_ask_the_database_for_nothing() {
    let (stage, wire, daemon) = counted().await;
    heartbeats(&wire, 3).await;
    let own = wire.carried();
    join_all((0..8).map(|nth| pair(&stage, nth))).await;
    // Wait until the work after the pairings is over, and only an idle daemon's statements are left.
    wire.count_anew();
    until("a rest of three heartbeats", || async {
        let carried = wire.carried();
        if carried.keys().any(|text| !own.contains_key(text)) {
            wire.count_anew();
            return None;
        }
        (beats(&carried) >= 3).then_some(())
    })
    .await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_account_keeps_a_dozen_tasks() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let api = Api::of(&stage, &mut daemon).await;
    let few = tasks(&api).await;
    const ACCOUNTS: usize = 10;
    join_all((0..ACCOUNTS).map(|nth| pair(&stage, nth))).await;
    // A pairing's own tasks end when they are done.
    until(&format!("at most {OF_AN_ACCOUNT} tasks an account"), || async {
        ((tasks(&api).await - few) / ACCOUNTS as f64 <= OF_AN_ACCOUNT).then_some(())
    })
    .await;
    stage.finish([daemon]).await;
}

/// A daemon whose statements go through a wire that counts them.
async fn counted() -> (Stage, Wire, Daemon) {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    (stage, wire, daemon)
}

/// Counts statements anew, for so many heartbeats.
async fn heartbeats(wire: &Wire, count: usize) {
    wire.count_anew();
    until(&format!("{count} heartbeats"), || async { (beats(&wire.carried()) >= count).then_some(()) }).await;
}

fn beats(carried: &BTreeMap<String, usize>) -> usize {
    carried.iter().find(|(text, _)| text.contains("UPDATE processes")).map_or(0, |(_, times)| *times)
}

async fn tasks(api: &Api) -> f64 {
    sample(&api.get("/metrics").await.is(200).text(), "paird_tasks").unwrap()
}

/// From the command to the groups.
async fn pair(stage: &Stage, nth: usize) -> Uuid {
    let account = stage.web.connect_account(&format!("desk {nth}"), &number(nth), &stage.phones).await;
    stage.web.event(account, "groups.synced", 0).await;
    account
}
