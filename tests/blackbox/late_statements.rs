//! Statements of a running daemon that get stuck on the way and arrive after it has gone on; outages
//! in the middle of something; changes that the database never accepts.

use std::time::Duration;

use futures_util::future::join_all;
use paird_sandbox::{Fault, PausePoint, Scope, UnlinkFault};
use paird_testkit::{Api, Daemon, Stage, Wire, until};
use serde_json::json;
use uuid::Uuid;

use crate::fleet::late_writes::{changes_nothing, lands_unseen};

const CHANGE: &str = "last_change IS NOT DISTINCT FROM";
const RETRY: &str = "UPDATE unlink_tickets";
const CLOSE: &str = "DELETE FROM unlink_tickets t USING mine";
const KEYS: &str = "AS gone (kind, name)";
const OPENING: &str = "SET epoch = k.epoch + 1";
const RENEWAL: &str = "SET renewed_at = clock_timestamp(), expires_at = clock_timestamp()";
const NOTICE: &str = "SET notified = true";
const CLAIM: &str = "SELECT id FROM claimed";
const RELEASE: &str = "SET owner = NULL WHERE id =";
const RETAKING: &str = "fence = a.fence + 1 WHERE a.id =";
const REQUEUE: &str = "AS left_undone (command, taking)";
const TAKING: &str = "SET state = 'running'";

const EAGER: (&str, &str) = ("PAIRD_CONNECT_RATE", "0");
const BRISK: (&str, &str) = ("PAIRD_LEASE_TTL", "6s");

fn number(nth: usize) -> String {
    format!("43660{:07}", 2_000_000 + nth)
}

async fn connect(stage: &Stage, count: usize) -> Vec<Uuid> {
    let connecting = (0..count).map(|nth| async move {
        let account = stage.web.connect_account(&format!("desk {nth}"), &number(nth), &stage.phones).await;
        stage.web.event(account, "groups.synced", 0).await;
        account
    });
    let accounts = join_all(connecting).await;
    stage.web.linked_long_ago().await;
    accounts
}

async fn told(stage: &Stage, account: Uuid, kind: &str) -> usize {
    stage.web.kinds(account).await.iter().filter(|told| *told == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_land_two_changes_late_change_nothing() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let mut daemon = stage.daemon(&[EAGER, ("DATABASE_URL", &wire.dsn)]).await;
    let (web, phones) = (&stage.web, &stage.phones);
    let accounts = connect(&stage, 4).await;
    let [retried, closed, keeper, opener] = accounts[..] else { panic!("four accounts") };
    let process: Uuid = web.sql.query_one("SELECT id FROM processes", &[]).await.unwrap().get(0);
    let attempt = web.account("attempt").await;
    web.does("account.pair", attempt, json!({})).await;
    web.qr(attempt).await;

    wire.jam_naming(CHANGE, "account.wave");
    let waved = web.send("account.wave", attempt, json!({})).await;
    wire.is_jammed(CHANGE, attempt).await;
    wire.unjam();
    wire.jam(RETRY);
    phones.fault(Fault::Unlink { how: UnlinkFault::Refused, times: Some(1) }).await;
    web.does("account.delete", retried, json!({})).await;
    wire.is_jammed(RETRY, retried).await;
    wire.unjam();
    wire.jam(CLOSE);
    web.does("account.delete", closed, json!({})).await;
    wire.is_jammed(CLOSE, closed).await;
    wire.unjam();
    for (text, account, nth) in [(KEYS, keeper, 2), (OPENING, opener, 3)] {
        wire.jam(text);
        phones.fault(Fault::Cut { scope: Scope::Number(number(nth)) }).await;
        wire.is_jammed(text, account).await;
        wire.unjam();
    }
    wire.jam(NOTICE);
    web.does("account.pair", web.account("noticed").await, json!({})).await;
    wire.is_jammed(NOTICE, process).await;
    wire.unjam();
    wire.jam(RENEWAL);
    wire.is_jammed(RENEWAL, process).await;
    wire.unjam();
    wire.jam(CLAIM);
    let stale = "INSERT INTO whatsapp_accounts (operator_id, label, status, desired, pair_deadline)
        VALUES (gen_random_uuid(), 'stale', 'pending', 'paired', clock_timestamp() - interval '1 min') RETURNING id";
    let stale: Uuid = web.sql.query_one(stale, &[]).await.unwrap().get(0);
    web.sql.batch_execute("NOTIFY paird_command, 'resync'").await.unwrap();
    wire.is_jammed(CLAIM, process).await;
    wire.unjam();
    wire.jam(TAKING);
    let cancelled = web.send("account.cancel", attempt, json!({})).await;
    wire.is_jammed(TAKING, process).await;
    wire.unjam();
    // An actor that is restarted puts its unfinished command back.
    wire.jam(REQUEUE);
    phones.fault(Fault::StallIqs { xmlns: Some("w:g2".to_owned()) }).await;
    let undone = web.send("groups.sync", keeper, json!({})).await;
    let running = "SELECT count(*) FROM commands WHERE id = $1 AND state = 'running'";
    until("a command under way", || async { (web.count(running, &[&undone]).await == 1).then_some(()) }).await;
    let api = Api::of(&stage, &mut daemon).await;
    api.post(&format!("/api/accounts/{keeper}/restart"), json!({})).await.is(202);
    wire.is_jammed(REQUEUE, process).await;
    wire.unjam();
    phones.clear_faults().await;

    // The stuck tries are given up and repeated with success; then two more changes follow each.
    daemon.says("failed to record state change").await;
    assert_eq!(web.outcome(waved).await.0, "failed");
    assert_eq!(web.outcome(cancelled).await.0, "done");
    assert_eq!(web.outcome(undone).await.0, "done");
    for account in [retried, closed] {
        web.event(account, "account.unlinked", 0).await;
        web.status_is(account, "unpaired").await;
    }
    web.status_is(stale, "unpaired").await;
    for account in [keeper, opener] {
        web.status_is(account, "connected").await;
        for _ in 0..2 {
            web.does("groups.sync", account, json!({})).await;
        }
    }
    let noticed: Uuid =
        web.sql.query_one("SELECT id FROM whatsapp_accounts WHERE label = 'noticed'", &[]).await.unwrap().get(0);
    web.does("account.cancel", noticed, json!({})).await;
    let fences: Vec<i64> = join_all(accounts.iter().map(|account| web.column(*account, "fence"))).await;

    assert!(wire.stuck() >= 10, "one of each kind");
    changes_nothing(&stage, &wire, &daemon).await;
    let later: Vec<i64> = join_all(accounts.iter().map(|account| web.column(*account, "fence"))).await;
    assert_eq!(later, fences, "the owner never changed");
    assert_eq!(told(&stage, attempt, "command.failed").await, 1);
    assert_eq!(web.ends(attempt).await, ["session.cancelled operator"]);
    for account in [retried, closed] {
        assert_eq!(
            (told(&stage, account, "account.deleted").await, told(&stage, account, "account.unlinked").await),
            (1, 1)
        );
    }
    let open = "SELECT count(*) FROM commands WHERE state NOT IN ('done', 'failed')";
    assert_eq!(web.count(open, &[]).await, 0);
    assert!(!daemon.log().contains("the lease was not renewed in time"), "{}", daemon.log());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_and_a_retaking_that_land_late_change_nothing() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let mut first = stage.daemon(&[EAGER, ("DATABASE_URL", &wire.dsn)]).await;
    let accounts = connect(&stage, 10).await;
    wire.jam(RELEASE);
    let second = stage.daemon(&[EAGER]).await;
    until("a release that is stuck", || async { (wire.stuck() > 0).then_some(()) }).await;
    let just_linked = "UPDATE keyrings SET created_at = clock_timestamp()";
    stage.web.sql.batch_execute(just_linked).await.unwrap();
    wire.unjam();
    wire.jam(RETAKING);
    first.says("failed to hand over an account").await;
    let releases = wire.stuck();
    until("a retaking that is stuck", || async { (wire.stuck() > releases).then_some(()) }).await;
    wire.unjam();
    // Just linked accounts are not handed over again: the same owner has it under a newer fence.
    all_run(&stage, &accounts).await;
    for account in &accounts {
        stage.web.does("groups.sync", *account, json!({})).await;
    }
    let stayed =
        "SELECT count(*) FROM whatsapp_accounts a JOIN processes p ON p.id = a.owner WHERE p.pid = $1 AND a.fence > 1";
    assert!(stage.web.count(stayed, &[&first.pid()]).await > 0, "no account was taken back");
    let answers = lands_unseen(&stage, &wire, &[&first, &second]).await;
    assert!(answers.len() >= 2, "{answers:?}");
    all_run(&stage, &accounts).await;
    stage.finish([first, second]).await;
}

/// The connection string of a login that [`sever`] cuts off.
async fn login(stage: &Stage) -> String {
    stage.web.sql.batch_execute("CREATE ROLE cut_off LOGIN SUPERUSER").await.unwrap();
    stage.dsn.replace("user=paird", "user=cut_off")
}

async fn sever(stage: &Stage) {
    let sever =
        "ALTER ROLE cut_off NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'cut_off'";
    stage.web.sql.batch_execute(sever).await.unwrap();
}

/// The database is away until the daemon says this, and then back.
async fn away_until(stage: &Stage, daemon: &mut Daemon, words: &str) {
    sever(stage).await;
    daemon.says(words).await;
    stage.web.sql.batch_execute("ALTER ROLE cut_off LOGIN").await.unwrap();
}

const SHORT: &str = "cannot renew the lease";
const LONG: &str = "the lease was not renewed in time";

async fn all_run(stage: &Stage, accounts: &[Uuid]) {
    until("everybody connected, with an owner that lives", || async {
        let sql = "SELECT count(*) FROM whatsapp_accounts a JOIN processes p ON p.id = a.owner
                   WHERE a.id = ANY ($1) AND a.status = 'connected' AND p.expires_at > clock_timestamp()";
        let rows = stage.web.count(sql, &[&accounts]).await;
        let seen = stage.phones.report().await.logged_in_now;
        (rows == accounts.len() as i64 && seen == accounts.len() as u64).then_some(())
    })
    .await;
    assert_eq!(stage.phones.report().await.replaced, 0, "two connections of one device");
}

async fn an_outage_amid_a_hand_over_and_a_deletion(settings: &[(&str, &str)], words: &str) {
    let stage = Stage::empty().await;
    let dsn = login(&stage).await;
    let mut first = stage.daemon(&[&[EAGER, ("DATABASE_URL", &dsn)], settings].concat()).await;
    let accounts = connect(&stage, 13).await;
    let (deleted, others) = accounts.split_first().unwrap();
    stage.phones.fault(Fault::Pause { at: PausePoint::BeforeUnlink, number: None }).await;
    stage.web.does("account.delete", *deleted, json!({})).await;
    let second = stage.daemon(&[&[EAGER], settings].concat()).await;
    until("a hand-over under way", || async {
        let moved = "SELECT count(*) FROM whatsapp_accounts WHERE fence > 1 OR owner IS NULL";
        (stage.web.count(moved, &[]).await > 0).then_some(())
    })
    .await;
    sever(&stage).await;
    // WhatsApp confirms the unlink while the database is away.
    stage.phones.clear_faults().await;
    away_until(&stage, &mut first, words).await;
    stage.web.event(*deleted, "account.unlinked", 0).await;
    stage.web.status_is(*deleted, "unpaired").await;
    all_run(&stage, others).await;
    for kind in ["account.deleted", "account.unlinked"] {
        assert_eq!(told(&stage, *deleted, kind).await, 1, "{kind}");
    }
    stage.finish([first, second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_outage_amid_a_hand_over_and_a_deletion_ends_well() {
    an_outage_amid_a_hand_over_and_a_deletion(&[], SHORT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_outage_amid_a_hand_over_and_a_deletion_ends_well() {
    an_outage_amid_a_hand_over_and_a_deletion(&[BRISK], LONG).await;
}

async fn an_outage_amid_a_drain(settings: &[(&str, &str)], words: &str) {
    let stage = Stage::empty().await;
    let dsn = login(&stage).await;
    let mut first = stage.daemon(&[&[EAGER, ("DATABASE_URL", &dsn)], settings].concat()).await;
    let accounts = connect(&stage, 3).await;
    let api = Api::of(&stage, &mut first).await;
    let second = stage.daemon(&[&[EAGER, ("PAIRD_CONSOLE_ADDR", "off")], settings].concat()).await;
    let outage = async {
        until("a drain under way", || async {
            (stage.web.count("SELECT count(*) FROM processes WHERE draining", &[]).await == 1).then_some(())
        })
        .await;
        away_until(&stage, &mut first, words).await;
    };
    let (drained, ()) = tokio::join!(api.post("/api/drain", json!({})), outage);
    assert!([200, 503, 504].contains(&drained.status), "{}: {}", drained.status, drained.text());
    all_run(&stage, &accounts).await;
    let again = tokio::time::timeout(Duration::from_secs(5), api.post("/api/drain", json!({}))).await;
    again.expect("a drain that is over answers at once").is(200);
    let left = "SELECT count(*) FROM whatsapp_accounts a JOIN processes p ON p.id = a.owner WHERE p.pid = $1";
    assert_eq!(stage.web.count(left, &[&first.pid()]).await, 0);
    stage.finish([first, second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_outage_amid_a_drain_ends_well() {
    an_outage_amid_a_drain(&[], SHORT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_outage_amid_a_drain_ends_well() {
    an_outage_amid_a_drain(&[BRISK], LONG).await;
}

/// From now on the database refuses these events of the account for good.
async fn refuse(stage: &Stage, account: Uuid, kinds: &str) {
    let sql = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no such words'; END $$;
         CREATE TRIGGER refused BEFORE INSERT ON events FOR EACH ROW
         WHEN (NEW.account_id = '{account}' AND NEW.kind IN ({kinds})) EXECUTE FUNCTION refuse()"
    );
    stage.web.sql.batch_execute(&sql).await.unwrap();
}

async fn refused_for_good(kinds: &str) {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let accounts = connect(&stage, 2).await;
    let [refused, neighbour] = accounts[..] else { panic!("two accounts") };
    let api = Api::of(&stage, &mut daemon).await;
    refuse(&stage, refused, kinds).await;
    let (state, result) = web.ask("groups.sync", refused, json!({})).await;
    assert!(state == "failed" && result.contains("no such words") && result.contains("P0001"), "{state}: {result}");
    web.does("groups.sync", neighbour, json!({})).await;
    web.status_is(refused, "held").await;
    let reason: String = web.column(refused, "status_reason").await;
    assert!(reason.contains("no such words"), "{reason}");
    assert_eq!(web.status(neighbour).await, "connected");

    web.sql.batch_execute("DROP TRIGGER refused ON events").await.unwrap();
    web.does("account.resume", refused, json!({})).await;
    web.status_is(refused, "connected").await;
    web.does("groups.sync", refused, json!({})).await;
    web.sql.batch_execute("DROP FUNCTION refuse").await.unwrap();

    refuse(&stage, refused, kinds).await;
    web.ask("groups.sync", refused, json!({})).await;
    api.post("/api/drain", json!({})).await.is(200);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_refused_for_good_holds_its_account_alone() {
    refused_for_good("'groups.synced'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_hold_is_refused_stops_no_other() {
    refused_for_good("'groups.synced', 'session.held'").await;
}
