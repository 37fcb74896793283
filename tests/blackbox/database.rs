//! Failures of the database, which a daemon must survive without losses.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use paird::postgres::{migrate::migrate, pool::Dsn};
use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, Wire, until, until_within};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

const NUMBERS: [&str; 3] = ["436601111111", "436602222222", "436603333333"];

/// A web app that sends without a pause, and repeats every send without an answer.
struct Traffic {
    stop: Arc<AtomicBool>,
    sent: JoinHandle<usize>,
}

impl Traffic {
    fn start(dsn: &str, accounts: &[Uuid]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = tokio::spawn(send_until(Arc::clone(&stop), dsn.to_owned(), accounts.to_vec()));
        Self { stop, sent }
    }

    async fn end(self) -> usize {
        self.stop.store(true, Ordering::Release);
        self.sent.await.unwrap()
    }
}

async fn send_until(stop: Arc<AtomicBool>, dsn: String, accounts: Vec<Uuid>) -> usize {
    let mut client: Option<Client> = None;
    let mut sent = 0;
    loop {
        if client.as_ref().is_none_or(Client::is_closed) {
            client = connect(&dsn).await;
        }
        if let Some(client) = &client {
            let (account, key) = (accounts[sent % accounts.len()], format!("traffic {sent}"));
            // Connected already: done at once, with one event for each.
            let sql = "SELECT send_command('account.pair', $1, '{}', $2)";
            if client.query_one(sql, &[&account, &key]).await.is_ok() {
                sent += 1;
                // Checked only after a success, so that a send without an answer is repeated with its key.
                if stop.load(Ordering::Acquire) {
                    return sent;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn connect(dsn: &str) -> Option<Client> {
    let (client, connection) = tokio_postgres::connect(dsn, NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

/// Every command succeeded once, every event exists once, no account was disconnected.
async fn nothing_is_lost(stage: &Stage, accounts: &[Uuid], sent: usize) {
    let web = &stage.web;
    until("an end of every command", || async {
        let open = web.count("SELECT count(*) FROM commands WHERE state IN ('queued', 'running')", &[]).await;
        (open == 0).then_some(())
    })
    .await;
    let stored = web.count("SELECT count(*) FROM commands WHERE dedupe_key LIKE 'traffic %'", &[]).await;
    assert_eq!(stored, sent as i64);
    let done =
        web.count("SELECT count(*) FROM commands WHERE dedupe_key LIKE 'traffic %' AND state = 'done'", &[]).await;
    let failed = web.sql.query("SELECT result FROM commands WHERE state = 'failed'", &[]).await.unwrap();
    let failed: Vec<String> = failed.iter().map(|row| row.get(0)).collect();
    assert_eq!(done, stored, "{failed:?}");
    let mut answered = 0;
    for &account in accounts {
        let kinds = web.kinds(account).await;
        assert!(!kinds.contains(&"session.disconnected".to_owned()), "{kinds:?}");
        assert_eq!(web.status(account).await, "connected");
        // One for each command, and the one that ended the pairing.
        answered += kinds.iter().filter(|kind| *kind == "session.connected").count() - 1;
    }
    assert_eq!(answered, sent, "an event for each command, and none twice");
    let unsent = || async { web.count("SELECT count(*) FROM events WHERE NOT notified", &[]).await };
    until("every event sent", || async { (unsent().await == 0).then_some(()) }).await;
    let report = stage.phones.report().await;
    assert_eq!((report.logins, report.replaced), (accounts.len() as u64, 0), "no connection was touched");
}

async fn fleet(stage: &Stage) -> Vec<Uuid> {
    let mut accounts = Vec::new();
    for number in NUMBERS {
        let account = stage.web.connect_account(number.trim_start_matches("43660"), number, &stage.phones).await;
        stage.web.event(account, "groups.synced", 0).await;
        accounts.push(account);
    }
    accounts
}

/// Waits until so many more commands are done.
async fn traffic_flows(stage: &Stage, more: i64) {
    let done = || stage.web.count("SELECT count(*) FROM commands WHERE state = 'done'", &[]);
    let before = done().await;
    until("traffic", || async { (done().await >= before + more).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_restart_under_traffic_loses_and_doubles_nothing() {
    let (mut stage, mut daemon) = Stage::with_daemon().await;
    let accounts = fleet(&stage).await;
    let traffic = Traffic::start(&stage.dsn, &accounts);
    traffic_flows(&stage, 5).await;

    stage.database.take().unwrap().stop().await;
    daemon.log_until("that it noticed", |log| log.contains("cannot")).await;
    stage.start_database().await;
    stage.web.reconnect().await;
    traffic_flows(&stage, 5).await;

    // A crash: at its next start the server recovers from its log.
    for _ in 0..2 {
        let database = stage.database.as_ref().unwrap();
        let crashed = database.pid().unwrap();
        kill(Pid::from_raw(i32::try_from(crashed).unwrap()), Signal::SIGQUIT).unwrap();
        until("another server", || async { database.pid().filter(|pid| *pid != crashed) }).await;
        until("the server up", || connect(&stage.dsn)).await;
        stage.web.reconnect().await;
        traffic_flows(&stage, 5).await;
    }
    let sent = traffic.end().await;
    nothing_is_lost(&stage, &accounts, sent).await;
    assert!(daemon.is_running());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terminated_connections_lose_and_double_nothing() {
    let (mut stage, mut daemon) = Stage::with_daemon().await;
    let accounts = fleet(&stage).await;
    let traffic = Traffic::start(&stage.dsn, &accounts);
    for _ in 0..10 {
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        assert!(stage.web.count(sql, &[]).await > 0);
        traffic_flows(&stage, 3).await;
    }
    stage.web.reconnect().await;
    let sent = traffic.end().await;
    nothing_is_lost(&stage, &accounts, sent).await;
    assert!(daemon.is_running());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_process_blocks_only_its_own_connection() {
    let (stage, daemon) = Stage::with_daemon().await;
    let accounts = fleet(&stage).await;
    let traffic = Traffic::start(&stage.dsn, &accounts);
    traffic_flows(&stage, 5).await;
    let sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'paird' AND state = 'idle' ORDER BY pid";
    let pids: Vec<i32> = stage.web.sql.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert!(!pids.is_empty());
    for pid in &pids {
        kill(Pid::from_raw(*pid), Signal::SIGSTOP).unwrap();
    }
    // All idle connections of the daemon hang now, also the one that listens.
    traffic_flows(&stage, 30).await;
    for pid in &pids {
        // One that was given up may be gone already.
        let _ = kill(Pid::from_raw(*pid), Signal::SIGCONT);
    }
    let sent = traffic.end().await;
    nothing_is_lost(&stage, &accounts, sent).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_connection_to_spare_is_waited_for() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let accounts = fleet(&stage).await;
    let mut hogs = Vec::new();
    while let Some(hog) = connect(&stage.dsn).await {
        hogs.push(hog);
        assert!(hogs.len() < 1000, "the server never ran out of connections");
    }
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'paird'";
    assert!(stage.web.count(sql, &[]).await > 0);
    while let Some(hog) = connect(&stage.dsn).await {
        hogs.push(hog);
    }
    let command = stage.web.send("groups.sync", accounts[0], json!({})).await;
    daemon.log_until("that it waits", |log| log.contains("cannot")).await;
    assert!(daemon.is_running());
    drop(hogs);
    assert_eq!(stage.web.outcome(command).await.0, "done");
    assert_eq!(stage.phones.report().await.logins, accounts.len() as u64, "no connection was touched");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_whose_answers_are_lost_lose_and_double_nothing() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let mut daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let accounts = fleet(&stage).await;
    let traffic = Traffic::start(&stage.dsn, &accounts);
    for _ in 0..25 {
        wire.lose_an_answer().await;
        traffic_flows(&stage, 2).await;
    }
    let sent = traffic.end().await;
    nothing_is_lost(&stage, &accounts, sent).await;
    assert!(daemon.is_running());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_waiting_for_keys_block_neither_lease_nor_commands() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let settings = [("DATABASE_URL", wire.dsn.as_str()), ("PAIRD_LEASE_TTL", "6s"), ("PAIRD_CONNECT_RATE", "0")];
    let daemon = stage.daemon(&settings).await;
    // More accounts than the pool has connections.
    const ACCOUNTS: usize = 10;
    let mut accounts = Vec::new();
    for nth in 0..ACCOUNTS {
        let number = format!("4366012345{nth:02}");
        accounts.push(stage.web.connect_account(&format!("desk {nth}"), &number, &stage.phones).await);
    }
    wire.jam("SET epoch = k.epoch + 1");
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    until("as many statements stuck as can be", || async { (wire.stuck() == 8).then_some(()) }).await;

    let renewed = "SELECT count(*) FROM processes WHERE renewed_at > $1::timestamptz + interval '12 s'";
    let now: DateTime<Utc> = stage.web.sql.query_one("SELECT clock_timestamp()", &[]).await.unwrap().get(0);
    until("a lease that went on for twice its length", || async {
        (stage.web.count(renewed, &[&now]).await == 1).then_some(())
    })
    .await;
    assert!(!daemon.log().contains("the lease was not renewed"));
    let newcomer = stage.web.account("newcomer").await;
    stage.web.does("account.cancel", newcomer, json!({})).await;

    wire.let_go().await;
    for account in accounts {
        stage.web.status_is(account, "connected").await;
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_without_a_database_says_so_waits_and_then_comes_up() {
    let mut stage = Stage::empty().await;
    stage.database.take().unwrap().stop().await;
    let mut daemon = stage.daemon_starting(&[]);
    let line = daemon.says("waiting for the database").await;
    assert!(line.contains("WARN"), "{line}");
    // It survives more than the first failed try.
    daemon.log_until("a second try", |log| log.matches("waiting for the database").count() > 1).await;
    assert!(daemon.is_running());
    stage.start_database().await;
    daemon.up().await;
    stage.web.reconnect().await;
    stage.web.connect_account("desk", NUMBERS[0], &stage.phones).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_waits_for_its_database_stops_on_sigterm() {
    let mut stage = Stage::empty().await;
    stage.database.take().unwrap().stop().await;
    let mut daemon = stage.daemon_starting(&[]);
    daemon.says("waiting for the database").await;
    assert!(daemon.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_starting_at_once_on_an_empty_database_come_up() {
    let mut stage = Stage::empty().await;
    stage.dsn = stage.database.as_ref().unwrap().create_database("empty", None).await.unwrap();
    let mut daemons = [stage.daemon_starting(&[]), stage.daemon_starting(&[])];
    for daemon in &mut daemons {
        daemon.up().await;
    }
    stage.web = paird_testkit::Web::connect(&stage.dsn).await;
    for (label, number) in ["one", "two", "three"].into_iter().zip(NUMBERS) {
        stage.web.connect_account(label, number, &stage.phones).await;
    }
    assert_eq!(stage.web.count("SELECT count(*) FROM processes", &[]).await, 2);
    assert_eq!(stage.phones.report().await.replaced, 0);
    stage.finish(daemons).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_of_before_there_were_limits_is_harmless() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    web.lift_the_limit_of_labels().await;
    let odd = "'; DROP TABLE events; --\n2026-01-01T00:00:00Z  INFO forged line\r\t\u{1b}[31m«\"\\\u{202e}🦀\u{7}";
    let long = format!("{odd}{}", "ß".repeat(5_000));
    let account = web.connect_account(&long, NUMBERS[0], &stage.phones).await;
    let newcomer = web.account("newcomer").await;
    web.pair_with(newcomer, NUMBERS[0], &stage.phones).await;

    let duplicate = web.event(newcomer, "session.duplicate", 0).await;
    assert_eq!(duplicate.payload["existingLabel"], long, "the row has the whole payload");
    let heard = until("the notification", || async {
        web.heard(newcomer).into_iter().find(|heard| heard["type"] == "session.duplicate")
    })
    .await;
    assert_eq!(heard["truncated"], true, "the notification is marked as truncated");
    assert_eq!(heard["phoneNumber"], NUMBERS[0]);

    web.does("account.unpair", account, json!({})).await;
    web.does("account.resume", account, json!({})).await;
    web.status_is(account, "connected").await;
    let (state, _) = web.ask("account.resume", newcomer, json!({})).await;
    assert_eq!(state, "failed");
    assert_eq!(web.column::<String>(account, "label").await, long);
    let log = daemon.log();
    assert!(!log.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z")), "a label forged a line of the log");
    assert!(!log.contains('\u{1b}'), "a label coloured the log");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_notifications_all_is_done_within_half_a_minute() {
    const BOUND: Duration = Duration::from_secs(30);
    let stage = Stage::empty().await;
    let web = &stage.web;
    migrate(&Dsn::parse(&stage.dsn).unwrap()).await.unwrap();
    // As if the queue of notifications were full all the time, and events were lost on their way, too.
    let mute = "CREATE OR REPLACE FUNCTION ring(channel text, payload text) RETURNS boolean LANGUAGE plpgsql
                AS $$ BEGIN RETURN false; END $$;
                CREATE FUNCTION pg_notify(text, text) RETURNS void LANGUAGE sql AS '';
                ALTER DATABASE paird SET search_path = public, pg_catalog";
    web.sql.batch_execute(mute).await.unwrap();
    let daemon = stage.daemon(&[]).await;
    let mut follow = crate::command_line::command(&stage);
    follow.args(["events", "--follow", "--since", "0", "--json"]).stdout(std::process::Stdio::piped());
    let mut follower = follow.spawn().unwrap();
    let mut told = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(follower.stdout.take().unwrap()));

    let account = web.account("desk").await;
    stage.phones.add(NUMBERS[0]).await;
    web.send("account.pair", account, json!({})).await;
    until_within(BOUND, "a QR", || async { web.qr_now(account).await }).await;
    let seq = web.seq(account).await;
    web.scan(account, NUMBERS[0], &stage.phones).await;
    let event = async { while !told.next_line().await.unwrap().expect("an event").contains("session.connected") {} };
    tokio::time::timeout(BOUND, event).await.expect("the follower hears of it");
    web.event(account, "session.connected", seq).await;

    let next = stage.daemon(&[]).await;
    assert!(daemon.terminate().await.success());
    until_within(BOUND, "the account runs in the next daemon", || async {
        let sql = "SELECT count(*) FROM whatsapp_accounts WHERE owner IN (SELECT id FROM processes WHERE NOT draining)
                   AND status = 'connected'";
        (web.count(sql, &[]).await == 1).then_some(())
    })
    .await;
    let id = web.send("account.unpair", account, json!({})).await;
    until_within(BOUND, "the command is done", || async {
        let done = "SELECT count(*) FROM commands WHERE id = $1 AND state = 'done'";
        (web.count(done, &[&id]).await == 1).then_some(())
    })
    .await;
    stage.finish([next]).await;
}
