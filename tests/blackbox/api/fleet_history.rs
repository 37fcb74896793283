//! Events, audit log and commands of all accounts.

use std::collections::BTreeSet;

use paird_testkit::{Answer, Api, Stage};
use serde_json::{Value, json};
use uuid::Uuid;

const JSON: (&str, &str) = ("Accept", "application/json");

async fn list(api: &Api, path: &str) -> Answer {
    api.ask("GET", path, &[JSON], None).await
}

/// What these rows have under this name, in their order.
fn told(page: &Value, rows: &str, name: &str) -> Vec<String> {
    let text = |row: &Value| row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned);
    page[rows].as_array().unwrap().iter().map(text).collect()
}

/// Two accounts, and a past of each: an hour ago and a day ago.
async fn past(stage: &Stage) -> (Uuid, Uuid) {
    let (desk, lobby) = (stage.web.account("desk").await, stage.web.account("lobby").await);
    for sql in [
        "INSERT INTO events (account_id, seq, kind, payload, notified, created_at)
         SELECT account, 1000 + n, kind, '{\"reason\": \"x\"}', true, now() - ago::interval
         FROM (VALUES ($1::uuid, 1, 'session.held', '1 day'), ($2, 1, 'session.timeout', '1 day'),
                      ($1, 2, 'session.failed', '1 hour'), ($2, 2, 'session.held', '1 hour')) AS p (account, n, kind, ago)",
        "INSERT INTO audit_log (source, action, target_type, target_id, created_at)
         SELECT 'test', action, 'whatsapp_account', account, now() - ago::interval
         FROM (VALUES ($1::uuid, 'account.paired', '1 day'), ($2, 'account.paired', '1 hour'),
                      ($1, 'account.unpaired', '1 hour')) AS p (account, action, ago)",
        "INSERT INTO commands (account_id, kind, state, result, created_at, done_at, source)
         SELECT account, kind, state, 'so', now() - ago::interval, now(), 'test'
         FROM (VALUES ($1::uuid, 'account.pair', 'done', '1 day'), ($2, 'account.pair', 'failed', '1 hour'),
                      ($1, 'account.fly', 'failed', '1 hour')) AS p (account, kind, state, ago)",
    ] {
        stage.web.sql.execute(sql, &[&desk, &lobby]).await.unwrap();
    }
    (desk, lobby)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_the_fleet_is_found_by_every_filter() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (desk, lobby) = past(&stage).await;
    let hours_ago = (chrono::Utc::now() - chrono::TimeDelta::hours(12)).format("%Y-%m-%dT%H:%M:%SZ").to_string();

    for (query, found) in [
        ("", "session.held session.failed session.timeout session.held"),
        ("kind=session.held", "session.held session.held"),
        ("kind=session.held,session.timeout", "session.held session.timeout session.held"),
        ("kind=session.held&kind=session.failed", "session.held session.failed session.held"),
        ("kind=message.read", ""),
        (&format!("account={desk}"), "session.failed session.held"),
        ("label=lobby", "session.held session.timeout"),
        ("label=lobby&kind=session.timeout", "session.timeout"),
        (&format!("since={hours_ago}"), "session.held session.failed"),
        (&format!("until={hours_ago}"), "session.timeout session.held"),
        (&format!("until={hours_ago}&label=lobby&limit=1"), "session.timeout"),
        (&format!("since={hours_ago}&until={hours_ago}"), ""),
    ] {
        let page = list(&api, &format!("/api/events?{query}")).await.is(200).json();
        assert_eq!(told(&page, "events", "type").join(" "), found, "{query}: {page}");
    }
    for (query, found) in [
        ("source", "account.unpaired account.paired account.paired"),
        ("action=account.paired", "account.paired account.paired"),
        ("action=account.paired,account.unpaired&label=desk", "account.unpaired account.paired"),
        (&format!("until={hours_ago}"), "account.paired"),
    ] {
        // Lines that the daemon and the accounts' making wrote are of other sources.
        let page = list(&api, &format!("/api/audit?{}", query.trim_start_matches("source"))).await.is(200).json();
        let records = page["records"].as_array().unwrap().iter().filter(|record| record["source"] == "test");
        let actions: Vec<&str> = records.map(|record| record["action"].as_str().unwrap()).collect();
        assert_eq!(actions.join(" "), found, "{query}: {page}");
    }
    let page = list(&api, &format!("/api/audit?account={lobby}&action=account.paired")).await.is(200).json();
    assert_eq!(page["records"][0]["targetId"], lobby.to_string());
    for (query, found) in [
        ("", "account.fly account.pair account.pair"),
        ("state=failed", "account.fly account.pair"),
        ("state=failed,done&kind=account.pair", "account.pair account.pair"),
        ("state=queued", ""),
        ("label=desk", "account.fly account.pair"),
        ("label=desk&state=done", "account.pair"),
        (&format!("since={hours_ago}&state=failed&kind=account.pair"), "account.pair"),
    ] {
        let page = list(&api, &format!("/api/commands?{query}")).await.is(200).json();
        assert_eq!(told(&page, "commands", "kind").join(" "), found, "{query}: {page}");
        assert!(!page.to_string().contains("args"), "arguments may be secret");
    }

    stage.web.account_of(Uuid::new_v4(), "desk").await;
    let stranger = Uuid::new_v4();
    for (path, status, code, field) in [
        ("/api/events?kind=session.hold".to_owned(), 400, "parameter-invalid", "kind"),
        ("/api/audit?kind=account.paired".to_owned(), 400, "parameter-unknown", "kind"),
        ("/api/audit?action=paired".to_owned(), 400, "parameter-invalid", "action"),
        ("/api/commands?state=over".to_owned(), 400, "parameter-invalid", "state"),
        ("/api/events?state=done".to_owned(), 400, "parameter-unknown", "state"),
        ("/api/events?since=yesterday".to_owned(), 400, "parameter-invalid", "since"),
        ("/api/commands?limit=501".to_owned(), 400, "parameter-invalid", "limit"),
        ("/api/commands?limit=1&limit=2".to_owned(), 400, "parameter-invalid", "limit"),
        ("/api/audit?cursor=7".to_owned(), 400, "parameter-invalid", "cursor"),
        ("/api/audit?label=desk".to_owned(), 400, "parameter-invalid", "label"),
        ("/api/audit?label=nobody".to_owned(), 404, "account-unknown", "label"),
        (format!("/api/audit?label=lobby&account={lobby}"), 400, "parameter-invalid", "label"),
    ] {
        let problem = list(&api, &path).await.problem(status);
        assert_eq!((&problem["code"], &problem["field"]), (&json!(code), &json!(field)), "{path}: {problem}");
    }
    assert_eq!(list(&api, &format!("/api/events?account={stranger}")).await.problem(404)["code"], "account-unknown");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_past_miss_nothing_while_more_comes() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (desk, _) = past(&stage).await;
    // Several of each moment and kind.
    let many = "INSERT INTO events (account_id, seq, kind, notified, created_at)
                SELECT $1, 2000 + n, CASE n % 3 WHEN 0 THEN 'session.held' ELSE 'session.timeout' END, true,
                       '2026-01-01'::timestamptz + n / 5 * interval '1 s' FROM generate_series(1, 23) n";
    let audited = "INSERT INTO audit_log (source, action, target_type, target_id, created_at)
                   SELECT 'test', CASE n % 3 WHEN 0 THEN 'account.paired' ELSE 'account.unpaired' END, 'whatsapp_account', $1,
                          '2026-01-01'::timestamptz + n / 5 * interval '1 s' FROM generate_series(1, 23) n";
    let asked = "INSERT INTO commands (account_id, kind, state, created_at)
                 SELECT $1, CASE n % 3 WHEN 0 THEN 'account.pair' ELSE 'account.fly' END, 'done',
                        '2026-01-01'::timestamptz + n / 5 * interval '1 s' FROM generate_series(1, 23) n";
    for sql in [many, audited, asked] {
        stage.web.sql.execute(sql, &[&desk]).await.unwrap();
    }
    let new = "WITH event AS (INSERT INTO events (account_id, seq, kind, notified)
                              SELECT $1, max(seq) + 1, 'session.held', true FROM events WHERE account_id = $1),
                    line AS (INSERT INTO audit_log (source, action, target_type, target_id)
                             VALUES ('test', 'account.paired', 'whatsapp_account', $1))
               INSERT INTO commands (account_id, kind, state) VALUES ($1, 'account.pair', 'done')";

    let label = "label=desk&";
    for (path, rows) in [("/api/events", "events"), ("/api/audit", "records"), ("/api/commands", "commands")] {
        for filter in ["", label] {
            let whole = list(&api, &format!("{path}?{filter}limit=500")).await.is(200).json();
            assert_eq!(whole["nextCursor"], Value::Null);
            let whole = told(&whole, rows, "id");
            assert!(whole.len() > 23);
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = list(&api, &format!("{path}?{filter}limit=4{cursor}")).await.is(200).json();
                let ids = told(&page, rows, "id");
                assert!(ids.len() <= 4);
                seen.extend(ids);
                stage.web.sql.execute(new, &[&desk]).await.unwrap();
                match page["nextCursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{path}?{filter}: none came twice");
            assert_eq!(seen, whole, "{path}?{filter}");
        }
        // It leads on in this list with these criteria, and in no other.
        let page = list(&api, &format!("{path}?limit=1")).await.is(200).json();
        let cursor = page["nextCursor"].as_str().unwrap();
        assert_eq!(list(&api, &format!("{path}?{label}cursor={cursor}")).await.problem(400)["field"], "cursor");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_a_stream_unless_json_is_asked_for() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    for (accept, kind) in [
        ("", "text/event-stream"),
        ("*/*", "text/event-stream"),
        ("text/event-stream, application/json", "text/event-stream"),
        ("application/json, text/event-stream", "application/json"),
        ("application/json", "application/json"),
    ] {
        // Of a stream alone the head can be awaited.
        let answer = api.ask("HEAD", "/api/events", &[("Accept", accept)], None).await.is(200);
        assert_eq!((answer.header("content-type"), answer.header("vary")), (kind, "Accept"), "{accept:?}");
    }
    stage.finish([daemon]).await;
}
