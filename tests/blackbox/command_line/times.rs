//! `paird events` and `paird audit` within limits and times.

use paird_testkit::Stage;
use serde_json::Value;
use uuid::Uuid;

use super::{paird, refused, text};
use crate::command_line::events::Follower;

/// So many events of an account, the last one an hour ago and one an hour before that.
async fn told(stage: &Stage, account: Uuid, count: i64) {
    let sql = "INSERT INTO events (account_id, seq, kind, created_at)
               SELECT $1, n, 'session.timeout', now() - ($2 + 1 - n) * interval '1 hour'
               FROM generate_series(1, $2::bigint) n";
    stage.web.sql.execute(sql, &[&account, &count]).await.unwrap();
    let sql = "UPDATE whatsapp_accounts SET event_seq = $2 WHERE id = $1";
    stage.web.sql.execute(sql, &[&account, &count]).await.unwrap();
}

/// The events that are printed, and what is remarked.
async fn printed(stage: &Stage, args: &[&str]) -> (Vec<Value>, String) {
    let output = paird(stage, &[&["events", "--json"], args].concat()).await;
    let remarks = String::from_utf8(output.stderr.clone()).unwrap();
    (text(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect(), remarks)
}

async fn seqs(stage: &Stage, args: &[&str]) -> Vec<i64> {
    printed(stage, args).await.0.iter().map(|event| event["seq"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_printed_by_time_and_count_with_their_times() {
    let stage = Stage::empty().await;
    let (desk, lobby) = (stage.web.account("desk").await, stage.web.account("lobby").await);
    told(&stage, desk, 120).await;
    told(&stage, lobby, 2).await;
    let (usual, remark) = printed(&stage, &[]).await;
    assert_eq!(usual.len(), 100);
    assert!(remark.contains("the last 100") && remark.contains("--since"), "{remark}");
    assert_eq!(seqs(&stage, &["desk"]).await, (21..=120).collect::<Vec<_>>());
    let (all, remark) = printed(&stage, &["--since", "0"]).await;
    assert_eq!((all.len(), remark.as_str()), (122, ""));

    // Half an hour away from each of the events.
    assert_eq!(seqs(&stage, &["--since", "210m", "desk"]).await, [118, 119, 120]);
    assert_eq!(seqs(&stage, &["--since", "210m", "--until", "90m", "desk"]).await, [118, 119]);
    assert_eq!(seqs(&stage, &["--since", "60h", "--limit", "2", "desk"]).await, [119, 120]);
    assert_eq!(seqs(&stage, &["--until", "118h 30m", "desk"]).await, [1, 2]);
    let mut both = seqs(&stage, &["--since", "90m"]).await;
    both.sort_unstable();
    assert_eq!(both, [2, 120]);

    // As it is printed, and in the same order as it happened.
    let (of_desk, _) = printed(&stage, &["--limit", "5", "desk"]).await;
    let at = |event: &Value| event["createdAt"].as_str().unwrap().to_owned();
    assert!(of_desk.is_sorted_by_key(at), "{of_desk:?}");
    assert_eq!(seqs(&stage, &["--since", &at(&of_desk[3]), "desk"]).await, [119, 120]);
    assert_eq!(seqs(&stage, &["--until", &at(&of_desk[3]), "--limit", "1", "desk"]).await, [118]);
    let told = text(&paird(&stage, &["events", "--limit", "1", "desk"]).await);
    let minute = chrono::DateTime::parse_from_rfc3339(&at(&of_desk[4])).unwrap().to_utc().format("%Y-%m-%dT%H:%M");
    assert!(told.starts_with(&minute.to_string()), "{told}");
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_begins_behind_the_last_ones() {
    let stage = Stage::empty().await;
    let desk = stage.web.account("desk").await;
    told(&stage, desk, 5).await;
    for args in [&["--limit", "2"][..], &["--since", "150m"]] {
        let mut follower = Follower::start(&stage, args);
        let last = stage.web.seq(desk).await;
        let first = follower.next().await.1.as_i64().unwrap();
        assert_eq!(follower.next().await.1, first + 1);
        assert!(args[0] == "--since" || first + 1 == last, "{args:?}: {first} of {last}");
        crate::command_line::events::tell(&stage.web.sql, desk, last + 1).await;
        let mut next = follower.next().await.1;
        while next.as_i64().unwrap() < last + 1 {
            next = follower.next().await.1;
        }
        assert_eq!(next, last + 1);
    }
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_printed_by_time_and_count() {
    let stage = Stage::empty().await;
    let desk = stage.web.account("desk").await;
    let sql = "INSERT INTO audit_log (source, action, target_type, target_id, created_at)
               SELECT 'web', 'account.renamed', 'whatsapp_account', $1, now() - (121 - n) * interval '1 hour'
               FROM generate_series(1, 120) n";
    stage.web.sql.execute(sql, &[&desk]).await.unwrap();
    for (args, count) in [
        (&[][..], 100),
        (&["--limit", "7"], 7),
        (&["--since", "210m"], 3),
        (&["--since", "10d"], 120),
        (&["--since", "210m", "--until", "90m"], 2),
        (&["--since", "10d", "--limit", "4"], 4),
    ] {
        let output = paird(&stage, &[&["audit", "desk", "--json"], args].concat()).await;
        let entries: Value = serde_json::from_str(&text(&output)).unwrap();
        // Beside them is the one of the account that was added, just now.
        let entries = entries.as_array().unwrap().iter().filter(|entry| entry["action"] == "account.renamed");
        let entries: Vec<_> = entries.collect();
        assert_eq!(entries.len(), count, "{args:?}");
        assert!(entries.is_sorted_by_key(|entry| entry["createdAt"].as_str().unwrap().to_owned()), "{args:?}");
        let remark = String::from_utf8(output.stderr).unwrap();
        assert_eq!(remark.contains("the last 100"), args.is_empty(), "{args:?}: {remark}");
    }
    assert_eq!(refused(&stage, &["audit", "--limit", "0"]).await.0, 2);
    stage.finish([]).await;
}
