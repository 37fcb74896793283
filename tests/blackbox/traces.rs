//! The log connects each step with the command that led to it.

use std::collections::BTreeSet;

use paird_testkit::{Daemon, Stage, until};
use serde_json::{Value, json};
use uuid::Uuid;

const DIRECTIVES: &str = "info,paird::trace=debug";

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_that_a_command_led_to_is_logged_under_it() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_LOG", DIRECTIVES), ("PAIRD_LOG_FORMAT", "json")]).await;
    let web = &stage.web;
    let mut pairs = Vec::new();
    for (label, number) in [("front desk", "436601000001"), ("depot", "436601000002")] {
        pairs.push((web.connect_account(label, number, &stage.phones).await, label, number));
    }
    for (account, label, number) in &pairs {
        let sql = "SELECT id FROM commands WHERE account_id = $1 AND kind = 'account.pair'";
        let id: i64 = web.sql.query_one(sql, &[account]).await.unwrap().get(0);
        let expected = ["gateway confirm_link", "gateway open", "gateway secure_keys", "store record"];
        // From the command to the login.
        until("the whole way", || async { steps_of(&daemon, id).iter().eq(&expected).then_some(()) }).await;
        for line in lines_of(&daemon, id) {
            let command = command_of(&line).unwrap();
            let said = (&command["account"], &command["label"], &command["kind"]);
            assert_eq!(said, (&json!(account), &json!(label), &json!("account.pair")), "{line}");
            assert!(!line.to_string().contains(number), "{line}");
        }
    }
    // The machine's line is in the command's span. A ticket has no command; its span names the account.
    let (account, label, number) = pairs[0];
    assert!(lines(&daemon).iter().any(|line| line["message"] == "Linking → Online" && command_of(line).is_some()));
    web.does("account.delete", account, json!({})).await;
    stage.phones.devices_are(number, 0).await;
    web.event(account, "account.unlinked", 0).await;
    // The line is written after the row.
    let recorded = || async { lines(&daemon).into_iter().find(|line| line["span"]["operation"] == "record_ticket") };
    let unlinked = until("the ticket's statement", recorded).await;
    let unlink = &unlinked["spans"][0];
    assert_eq!(
        (&unlink["name"], &unlink["account"], &unlink["label"]),
        (&json!("unlink"), &json!(account), &json!(label))
    );
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_usual_log_has_none_of_it() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_LOG", "info"), ("PAIRD_LOG_FORMAT", "json")]).await;
    let account: Uuid = stage.web.connect_account("desk", "436601000001", &stage.phones).await;
    let lines = lines(&daemon);
    assert!(lines.iter().any(|line| line["account"] == json!(account)));
    assert!(lines.iter().all(|line| line["target"] != "paird::trace" && command_of(line).is_none()));
    stage.finish([daemon]).await;
}

fn lines(daemon: &Daemon) -> Vec<Value> {
    daemon.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The span of the command that a line is under.
fn command_of(line: &Value) -> Option<&Value> {
    line["spans"].as_array()?.iter().find(|span| span["name"] == "command")
}

fn lines_of(daemon: &Daemon, command: i64) -> Vec<Value> {
    let id = json!(command.to_string());
    let is_of =
        |line: &Value| line["target"] == "paird::trace" && command_of(line).is_some_and(|span| span["id"] == id);
    lines(daemon).into_iter().filter(is_of).collect()
}

/// The calls that a command led to.
fn steps_of(daemon: &Daemon, command: i64) -> BTreeSet<String> {
    let step = |line: Value| {
        let word = |field: &str| line["span"][field].as_str().unwrap_or_default().to_owned();
        format!("{} {}", word("name"), word("operation"))
    };
    lines_of(daemon, command).into_iter().map(step).collect()
}
