//! Adding, renaming, groups, audit, events, passkeys.

use paird_testkit::Stage;
use serde_json::{Value, json};

use super::{document, paird, refused, screen::Screen, text};

const NUMBER: &str = "436607000002";

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_renamed_and_found_by_its_new_label_alone() {
    let stage = Stage::empty().await;
    let added = document(&stage, &["accounts", "add", "lobby"]).await;
    let renamed = text(&paird(&stage, &["accounts", "rename", "lobby", "front desk"]).await);
    assert_eq!(renamed.trim_end(), "lobby: called \"front desk\" from now on");
    assert_eq!(document(&stage, &["status", "front desk"]).await["id"], added["id"]);
    assert_eq!(refused(&stage, &["status", "lobby"]).await.0, 8);
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_audit_log_and_a_deleted_accounts_history_are_printed() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    let synced = document(&stage, &["groups", "desk", "--sync"]).await;
    let rows = stage.web.count("SELECT count(*) FROM whatsapp_groups WHERE account_id = $1", &[&account]).await;
    assert!(rows > 0);
    let groups = synced.as_array().unwrap();
    assert_eq!(groups.len() as i64, rows);
    assert!(groups.iter().all(|group| group["subject"].is_string() && group["isAdmin"].is_boolean()));

    let deleted = document(&stage, &["delete", "desk", "--yes"]).await;
    assert_eq!((&deleted["kind"], &deleted["accountId"]), (&json!("account.delete"), &json!(account)));
    stage.web.event(account, "account.unlinked", 0).await;
    let id = account.to_string();
    let audit = document(&stage, &["audit", &id]).await;
    let actions: Vec<_> = audit.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions[..2], ["account.added", "account.paired"], "{actions:?}");
    assert!(actions.contains(&"account.deleted"), "{actions:?}");
    let last = document(&stage, &["audit", &id, "--limit", "1"]).await;
    assert_eq!(last.as_array().unwrap()[..], audit.as_array().unwrap()[actions.len() - 1..]);
    let events = text(&paird(&stage, &["events", &id, "--json"]).await);
    let kinds: Vec<Value> =
        events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone()).collect();
    assert_eq!(kinds, stage.web.kinds(account).await);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_answer_from_a_file_is_refused_by_account_label() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = stage.web.account("desk").await;
    let (code, none) = refused(&stage, &["passkey", "desk"]).await;
    assert_eq!((code, none.as_str()), (1, "paird: desk: WhatsApp asks for no passkey now; it is unpaired"));
    let file = stage.dir.join("answer.json");
    std::fs::write(&file, "not JSON").unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(refused(&stage, &["passkey", "desk", "--response", path]).await.0, 2);
    std::fs::write(&file, r#"{"rawId":"AQID","response":{}}"#).unwrap();
    for args in [&["passkey", "desk", "--response", path][..], &["passkey", "desk", "--confirm"]] {
        let (code, words) = refused(&stage, args).await;
        assert_eq!((code, words.as_str()), (1, "paird: desk: WhatsApp did not ask for a passkey"));
    }
    let asked = "SELECT count(*) FROM commands WHERE account_id = $1 AND kind = 'account.passkey' AND state = 'failed'";
    assert_eq!(stage.web.count(asked, &[&account]).await, 2);
    let kept = "SELECT count(*) FROM commands WHERE account_id = $1 AND args->'response'->>'rawId' = 'AQID'";
    assert_eq!(stage.web.count(kept, &[&account]).await, 0, "the answer is still stored after its command has ended");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_is_shown_where_there_are_several() {
    let stage = Stage::empty().await;
    stage.web.account("desk").await;
    let table = text(&paird(&stage, &["status"]).await);
    assert!(!table.contains("OPERATOR"), "{table}");
    assert!(text(&paird(&stage, &["status", "desk"]).await).contains("keys         none"));
    assert_eq!(document(&stage, &["status", "desk"]).await["hasKeys"], json!(false));
    let other = uuid::Uuid::new_v4();
    stage.web.account_of(other, "lobby").await;
    for args in [&["status"][..], &["accounts", "list"]] {
        let table = text(&paird(&stage, args).await);
        let row = table.lines().find(|line| line.starts_with("lobby")).unwrap();
        assert!(table.contains("OPERATOR") && row.contains(&other.to_string()), "{table}");
    }
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_clipped_to_its_terminal_and_whole_in_a_pipe() {
    let stage = Stage::empty().await;
    let long = format!("{} end", "long ".repeat(39));
    stage.web.account(&long).await;
    stage.web.account("desk").await;
    for columns in [60, 100] {
        let mut screen = Screen::start(&stage, &["status"], columns, 12);
        assert_eq!(screen.end().await, 0);
        screen.shows("desk").await;
        let shown = screen.text();
        let rows: Vec<_> = shown.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(rows.len(), 3, "one line for each account: {shown}");
        assert!(rows[1].contains('…') && rows.iter().skip(1).all(|row| row.contains("unpaired")), "{shown}");
    }
    assert!(text(&paird(&stage, &["status"]).await).contains(&long));
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_events_are_printed_where_a_limit_is_given() {
    let stage = Stage::empty().await;
    let (desk, lobby) = (stage.web.account("desk").await, stage.web.account("lobby").await);
    for (account, count) in [(desk, 7_i64), (lobby, 2)] {
        let told = "INSERT INTO events (account_id, seq, kind, created_at)
                    SELECT $1, n, 'session.timeout', now() - (10 - n) * interval '1 minute' FROM generate_series(1, $2::bigint) n";
        stage.web.sql.execute(told, &[&account, &count]).await.unwrap();
        let counted = "UPDATE whatsapp_accounts SET event_seq = $2 WHERE id = $1";
        stage.web.sql.execute(counted, &[&account, &count]).await.unwrap();
    }
    let printed = |args: &'static [&'static str]| {
        let stage = &stage;
        async move {
            let events = text(&paird(stage, &[&["events", "--json"], args].concat()).await);
            let seqs = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_i64().unwrap());
            seqs.collect::<Vec<_>>()
        }
    };
    assert_eq!(printed(&[]).await.len(), 9);
    assert_eq!(printed(&["--limit", "3"]).await, [7, 1, 2], "in the order of commits");
    assert_eq!(printed(&["--limit", "3", "desk"]).await, [5, 6, 7]);
    assert_eq!(printed(&["--limit", "1", "lobby"]).await, [2]);
    assert_eq!(printed(&["--limit", "5", "--since", "5", "desk"]).await, [6, 7]);
    assert_eq!(refused(&stage, &["events", "--limit", "0"]).await.0, 2);
    stage.finish([]).await;
}
