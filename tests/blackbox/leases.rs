//! Faults of the heartbeat's own connection, which must not cost the lease.

use chrono::{DateTime, Utc};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use paird_testkit::{Daemon, Stage, Wire, until};

const NUMBER: &str = "436601234567";
const SHORT: (&str, &str) = ("PAIRD_LEASE_TTL", "10s");

/// Waits until the lease was renewed after more than its duration, and checks that no account was
/// disconnected.
async fn goes_on_untouched(stage: &Stage, daemon: &Daemon, logins: u64) {
    let renewed = "SELECT count(*) FROM processes WHERE renewed_at > $1::timestamptz + interval '13 s'";
    let now: DateTime<Utc> = stage.web.sql.query_one("SELECT clock_timestamp()", &[]).await.unwrap().get(0);
    until("a lease that goes on", || async { (stage.web.count(renewed, &[&now]).await == 1).then_some(()) }).await;
    assert!(!daemon.log().contains("the lease was not renewed"), "{}", daemon.log());
    assert_eq!(stage.phones.report().await.logins, logins, "a connection was touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_frozen_server_process_does_not_cost_the_lease() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[SHORT]).await;
    stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    let logins = stage.phones.report().await.logins;
    // The last statement of a renewal.
    let sql = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%next_end_secs%' AND pid <> pg_backend_pid()";
    let pid = until("the heartbeat's connection", || async {
        Some(Pid::from_raw(stage.web.sql.query(sql, &[]).await.unwrap().first()?.get(0)))
    })
    .await;
    kill(pid, Signal::SIGSTOP).unwrap();
    goes_on_untouched(&stage, &daemon, logins).await;
    kill(pid, Signal::SIGCONT).unwrap();
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_renewal_that_hangs_does_not_cost_the_lease() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[SHORT, ("DATABASE_URL", &wire.dsn)]).await;
    stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    let logins = stage.phones.report().await.logins;
    wire.jam("UPDATE processes");
    until("a renewal that hangs", || async { (wire.stuck() == 1).then_some(()) }).await;
    wire.unjam();
    goes_on_untouched(&stage, &daemon, logins).await;

    // The stuck renewal arrives after later ones.
    let renewal = "SELECT renewal FROM processes";
    let before = stage.web.count(renewal, &[]).await;
    wire.let_go().await;
    assert!(stage.web.count(renewal, &[]).await >= before);
    goes_on_untouched(&stage, &daemon, logins).await;
    stage.finish([daemon]).await;
}
