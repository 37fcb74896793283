//! A daemon whose host's clock is wrong, is set, or stands still, with a database whose clock
//! is right: its rows must use the database's time.

use nix::sys::signal::Signal;
use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, libfaketime, until};
use serde_json::json;
use uuid::Uuid;

use crate::command_line::command;

const NUMBERS: [&str; 2] = ["436601234567", "436607654321"];
/// How long a pair attempt, and the first QR of a connection, last.
const ATTEMPT: f64 = 300.0;
const QR: f64 = 60.0;
/// Allowed error of a deadline, including the delays of a busy machine.
const SLACK: f64 = 8.0;

/// The wall clock of a daemon's host.
struct HostClock {
    library: String,
    file: std::path::PathBuf,
}

impl HostClock {
    /// `None` without libfaketime.
    fn beside(stage: &Stage, off_by: &str) -> Option<Self> {
        let clock = Self { library: libfaketime()?, file: stage.dir.join("host-clock") };
        clock.set(off_by);
        Some(clock)
    }

    fn set(&self, off_by: &str) {
        // Replaced atomically, since libfaketime reads it all the time.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{off_by}\n")).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }

    /// For a process that is to go by it.
    fn settings(&self) -> [(&str, &str); 5] {
        [
            ("LD_PRELOAD", &self.library),
            ("FAKETIME_TIMESTAMP_FILE", self.file.to_str().unwrap()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ]
    }
}

/// How many seconds ahead the column's time is, by the database's clock.
async fn seconds_until(stage: &Stage, account: Uuid, column: &str) -> Option<f64> {
    stage.web.column(account, &format!("extract(epoch FROM {column} - clock_timestamp())::float8")).await
}

/// Waits until the column has a time, which must be in the future and at most that far ahead.
async fn is_due(stage: &Stage, account: Uuid, column: &str, at_most: f64) {
    let left = until(&format!("a {column}"), || seconds_until(stage, account, column)).await;
    assert!((-SLACK..=at_most + SLACK).contains(&left), "{column} in {left} s, at most {at_most} s are right");
}

/// Checks the deadlines of a new attempt, and of a retry after a lost connection.
async fn deadlines_are_right(stage: &Stage, pairing: Uuid, linked: Uuid) {
    stage.web.does("account.pair", pairing, json!({})).await;
    stage.web.qr(pairing).await;
    is_due(stage, pairing, "pair_deadline", ATTEMPT).await;
    is_due(stage, pairing, "qr_expires_at", QR).await;
    let left = seconds_until(stage, pairing, "pair_deadline").await.unwrap();
    assert!(left > ATTEMPT - SLACK * 3.0, "{left} s of a new attempt are left");
    let left = seconds_until(stage, pairing, "qr_expires_at").await.unwrap();
    assert!(left > 0.0, "a QR is shown that ended {left} s ago");

    let before = stage.web.seq(linked).await;
    stage.phones.fault(Fault::RefuseConnections { times: None }).await;
    stage.phones.fault(Fault::Cut { scope: Scope::Number(NUMBERS[0].to_owned()) }).await;
    stage.web.event(linked, "session.disconnected", before).await;
    is_due(stage, linked, "next_retry_at", 60.0).await;
    stage.phones.clear_faults().await;
    stage.web.status_is(linked, "connected").await;
    let kinds = "SELECT count(*) FROM events WHERE abs(extract(epoch FROM created_at - clock_timestamp())) > 300";
    assert_eq!(stage.web.count(kinds, &[]).await, 0);
    is_due(stage, linked, "status_since", 0.0).await;
    stage.web.does("account.cancel", pairing, json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_clock_that_is_hours_wrong_moves_no_deadline() {
    for off_by in ["+12h", "-12h"] {
        let stage = Stage::empty().await;
        let Some(clock) = HostClock::beside(&stage, off_by) else { return stage.finish([]).await };
        let daemon = stage.daemon(&clock.settings()).await;
        let linked = stage.web.connect_account("linked", NUMBERS[0], &stage.phones).await;
        let pairing = stage.web.account("pairing").await;
        deadlines_are_right(&stage, pairing, linked).await;
        stage.finish([daemon]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_clock_that_is_set_moves_no_deadline() {
    let stage = Stage::empty().await;
    let Some(clock) = HostClock::beside(&stage, "+0") else { return stage.finish([]).await };
    let daemon = stage.daemon(&clock.settings()).await;
    let linked = stage.web.connect_account("linked", NUMBERS[0], &stage.phones).await;
    let pairing = stage.web.account("pairing").await;
    for off_by in ["+5h", "-7h"] {
        clock.set(off_by);
        deadlines_are_right(&stage, pairing, linked).await;
    }
    assert!(!daemon.log().contains("the lease was not renewed"), "the lease was lost by the host's clock");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_from_a_host_with_a_wrong_clock_parks_none() {
    let stage = Stage::empty().await;
    let Some(clock) = HostClock::beside(&stage, "+12h") else { return stage.finish([]).await };
    let account = stage.web.account("desk").await;
    let pending = "UPDATE whatsapp_accounts SET status = 'pending', status_since = clock_timestamp(),
                   pair_deadline = clock_timestamp() + interval '5 min' WHERE id = $1";
    stage.web.sql.execute(pending, &[&account]).await.unwrap();
    let swept = command(&stage).arg("sweep").envs(clock.settings()).output().await.unwrap();
    assert!(swept.status.success(), "{swept:?}");
    assert_eq!(stage.web.status(account).await, "pending");
    stage.finish([]).await;
}

/// Stopped for longer than its lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_stood_still_shows_right_deadlines() {
    let stage = Stage::empty().await;
    let mut daemon = stage.daemon(&[("PAIRD_LEASE_TTL", "6s")]).await;
    let linked = stage.web.connect_account("linked", NUMBERS[0], &stage.phones).await;
    let pairing = stage.web.account("pairing").await;
    stage.web.does("account.pair", pairing, json!({})).await;
    stage.web.qr(pairing).await;
    let deadline: chrono::DateTime<chrono::Utc> = stage.web.column(pairing, "pair_deadline").await;
    let (fences, sockets) = (fences(&stage).await, stage.phones.report().await.accepted);

    daemon.signal(Signal::SIGSTOP);
    let stood = "SELECT count(*) FROM processes WHERE renewed_at < clock_timestamp() - interval '15 s'";
    stage.web.count_becomes(stood, 1).await;
    daemon.signal(Signal::SIGCONT);

    daemon.says("the lease was not renewed in time").await;
    daemon.says("the lease is live again").await;
    until("other sockets", || async { (stage.phones.report().await.accepted >= sockets + 2).then_some(()) }).await;
    stage.web.status_is(linked, "connected").await;
    assert_eq!(stage.web.column::<chrono::DateTime<chrono::Utc>>(pairing, "pair_deadline").await, deadline);
    until("a fresh QR", || async {
        let left = seconds_until(&stage, pairing, "qr_expires_at").await?;
        (0.0..=QR + SLACK).contains(&left).then_some(())
    })
    .await;
    assert!(self::fences(&stage).await.iter().zip(fences).all(|(now, then)| *now > then), "the fences were not raised");
    assert_eq!(stage.phones.report().await.replaced, 0);
    stage.finish([daemon]).await;
}

/// The daemon's own clock does not show that a lease has expired if the machine was paused or the
/// database's clock was set.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_expired_in_the_database_is_reported_lost() {
    let stage = Stage::empty().await;
    let mut daemon = stage.daemon(&[]).await;
    let linked = stage.web.connect_account("linked", NUMBERS[0], &stage.phones).await;
    let (fences, logins) = (fences(&stage).await, stage.phones.report().await.logins);
    let over = "UPDATE processes SET expires_at = clock_timestamp() - interval '1 s'";
    stage.web.sql.execute(over, &[]).await.unwrap();
    daemon.says("the lease was not renewed in time").await;
    daemon.says("the lease is live again").await;
    until("another login", || async { (stage.phones.report().await.logins > logins).then_some(()) }).await;
    stage.web.status_is(linked, "connected").await;
    assert!(self::fences(&stage).await.iter().zip(fences).all(|(now, then)| *now > then), "the fences were not raised");
    assert_eq!(stage.phones.report().await.replaced, 0);
    stage.finish([daemon]).await;
}

/// A host that was suspended: nothing on it has moved, neither a clock nor a timer, and the
/// database is two hours ahead.
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_host_is_right_again_with_the_next_renewal() {
    let mut stage = Stage::empty().await;
    let ahead = "CREATE TABLE suspended AS SELECT interval '0' AS ahead;
                 CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
                 'SELECT pg_catalog.clock_timestamp() + ahead FROM public.suspended';
                 ALTER ROLE CURRENT_USER SET search_path = public, pg_catalog";
    stage.web.sql.batch_execute(ahead).await.unwrap();
    stage.web.reconnect().await;
    let mut daemon = stage.daemon(&[]).await;
    let linked = stage.web.connect_account("linked", NUMBERS[0], &stage.phones).await;
    let pairing = stage.web.account("pairing").await;
    stage.web.does("account.pair", pairing, json!({})).await;
    stage.web.qr(pairing).await;
    let logins = stage.phones.report().await.logins;

    stage.web.sql.batch_execute("UPDATE suspended SET ahead = '2 h'").await.unwrap();
    daemon.says("the lease was not renewed in time").await;
    daemon.says("the lease is live again").await;
    stage.web.event(pairing, "session.timeout", 0).await;
    until("another login", || async { (stage.phones.report().await.logins > logins).then_some(()) }).await;
    stage.web.status_is(linked, "connected").await;
    is_due(&stage, linked, "status_since", 0.0).await;
    stage.web.does("account.pair", pairing, json!({})).await;
    stage.web.qr(pairing).await;
    is_due(&stage, pairing, "pair_deadline", ATTEMPT).await;
    is_due(&stage, pairing, "qr_expires_at", QR).await;
    assert_eq!(stage.phones.report().await.replaced, 0);
    stage.finish([daemon]).await;
}

/// The fences of owned accounts.
async fn fences(stage: &Stage) -> Vec<i64> {
    let sql = "SELECT fence FROM whatsapp_accounts WHERE owner IS NOT NULL ORDER BY created_at, id";
    stage.web.sql.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}
