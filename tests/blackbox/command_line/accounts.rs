//! Adding, renaming, groups, audit, events, passkeys.

use paird_testkit::Stage;
use serde_json::{Value, json};

use super::{document, paird, refused, text};

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
