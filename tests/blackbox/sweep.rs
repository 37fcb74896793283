//! The startup sweep of rows that a crash left `pending`.

use chrono::{DateTime, Duration, Utc};
use paird_testkit::{Stage, Web, until};
use serde_json::json;
use uuid::Uuid;

const NUMBER: &str = "436601234567";

/// A row in the state in which a crashed daemon leaves it.
async fn left_pending(web: &Web, label: &str, since: DateTime<Utc>, deadline: Option<DateTime<Utc>>) -> Uuid {
    let account = web.account(label).await;
    let sql = "UPDATE whatsapp_accounts SET status = 'pending', status_reason = 'waiting_for_scan', desired = 'paired',
                   status_since = $2, pair_deadline = date_trunc('milliseconds', $3::timestamptz), last_qr_png = 'old', last_qr_at = $2, qr_expires_at = $2,
                   pair_code = 'ABCD1234', owner = gen_random_uuid(), fence = 7
               WHERE id = $1";
    assert_eq!(web.sql.execute(sql, &[&account, &since, &deadline]).await.unwrap(), 1);
    account
}

async fn is_parked(web: &Web, account: Uuid) {
    web.event(account, "session.timeout", 0).await;
    assert_eq!(web.kinds(account).await, ["session.timeout"], "the attempt ends once, and no other event is written");
    assert_eq!(web.status(account).await, "unpaired");
    for column in ["status_reason", "desired"] {
        let expected = if column == "desired" { "unpaired" } else { "timeout" };
        assert_eq!(web.column::<String>(account, column).await, expected);
    }
    for column in ["last_qr_png", "pair_code", "phone_number", "expect_phone"] {
        assert_eq!(web.column::<Option<String>>(account, column).await, None, "{column}");
    }
    assert_eq!(web.column::<Option<DateTime<Utc>>>(account, "pair_deadline").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_attempts_are_parked_and_fresh_ones_keep_their_deadline() {
    let stage = Stage::empty().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let now = Utc::now();
    let ahead = now + Duration::minutes(4);
    let late =
        left_pending(web, "past its deadline", now - Duration::minutes(6), Some(now - Duration::minutes(1))).await;
    let old = left_pending(web, "pending for long", now - Duration::minutes(20), Some(ahead)).await;
    let lost = left_pending(web, "without a deadline", now - Duration::minutes(1), None).await;
    let fresh = left_pending(web, "fresh", now - Duration::minutes(1), Some(ahead)).await;
    let kept: DateTime<Utc> = web.column(fresh, "pair_deadline").await;

    let mut daemon = stage.daemon(&[("PAIRD_PENDING_MAX_AGE", "10m")]).await;
    for account in [late, old, lost] {
        is_parked(web, account).await;
    }
    for (label, why) in
        [("past its deadline", "the attempt's deadline has passed"), ("pending for long", "pending for over 600 s")]
    {
        let line = daemon.says(&format!("label={label}")).await;
        assert!(line.contains("swept") && line.contains(why), "{line}");
    }
    assert!(!daemon.log().lines().any(|line| line.contains("swept") && line.contains("label=fresh")));

    web.event(fresh, "session.qr", 0).await;
    assert_eq!(web.status(fresh).await, "pending");
    assert_eq!(web.column::<DateTime<Utc>>(fresh, "pair_deadline").await, kept);
    assert_eq!(web.column::<Option<String>>(fresh, "pair_code").await, None, "the code of another connection is gone");
    web.scan(fresh, NUMBER, &stage.phones).await;
    web.status_is(fresh, "connected").await;
    assert_eq!(web.endings(fresh, 0).await, ["session.connected"]);
    // The parked account can pair again.
    web.does("account.pair", late, json!({})).await;
    web.qr(late).await;
    web.does("account.cancel", late, json!({})).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_attempt_keeps_its_deadline_across_a_crash() {
    let stage = Stage::empty().await;
    let web = &stage.web;
    let deadline = Utc::now() + Duration::seconds(4);
    let account = left_pending(web, "nearly over", Utc::now() - Duration::minutes(4), Some(deadline)).await;
    let daemon = stage.daemon(&[]).await;
    web.event(account, "session.qr", 0).await;
    web.event(account, "session.timeout", 0).await;
    let told = "SELECT created_at FROM events WHERE account_id = $1 AND kind = 'session.timeout'";
    let told: DateTime<Utc> = web.sql.query_one(told, &[&account]).await.unwrap().get(0);
    assert!(told >= deadline && told < deadline + Duration::seconds(2), "{told} for {deadline}");
    assert_eq!(web.endings(account, 0).await, ["session.timeout"]);
    assert_eq!(web.column::<Option<String>>(account, "last_qr_png").await, None);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_finds_nothing_stale_changes_nothing() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let connected = web.connect_account("desk", NUMBER, &stage.phones).await;
    web.event(connected, "groups.synced", 0).await;
    let plain = web.account("never paired").await;
    assert!(daemon.terminate().await.success());
    let row = |account: Uuid| async move {
        let sql = "SELECT (to_jsonb(a) - 'owner' - 'fence')::text FROM whatsapp_accounts a WHERE id = $1";
        web.sql.query_one(sql, &[&account]).await.unwrap().get::<_, String>(0)
    };
    let before = row(plain).await;
    let daemon = stage.daemon(&[]).await;
    web.status_is(connected, "connected").await;
    assert_eq!(row(plain).await, before);
    assert!(!daemon.log().contains("swept"));
    until("one owner", || async { (web.kinds(plain).await.is_empty()).then_some(()) }).await;
    stage.finish([daemon]).await;
}
