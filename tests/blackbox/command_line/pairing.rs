//! `paird pair`, and an account's life from the terminal.

use paird_testkit::{Stage, until};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Pairing, paird, text};

const NUMBER: &str = "436607000001";

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_whole_life_is_run_from_the_terminal() {
    let (stage, daemon) = Stage::with_daemon().await;
    stage.phones.add(NUMBER).await;
    let added = text(&paird(&stage, &["accounts", "add", "front desk"]).await);
    assert!(added.starts_with("added \"front desk\", "), "{added}");

    let pairing = Pairing::start(&stage, &["front desk", "--expect", "+43 660 700-0001"]);
    let (code, last) = pairing.scanned_by(&stage, NUMBER).await;
    assert_eq!((code, last.as_str()), (0, "front desk: connected as +436607000001"));

    let status: Value = serde_json::from_str(&text(&paird(&stage, &["status", "front desk", "--json"]).await)).unwrap();
    assert_eq!(status["status"], "connected");
    assert_eq!(status["phoneNumber"], NUMBER);
    let account: Uuid = status["id"].as_str().unwrap().parse().unwrap();
    let table = text(&paird(&stage, &["accounts", "list"]).await);
    assert!(table.contains("front desk") && table.contains("connected"), "{table}");

    let unpaired = text(&paird(&stage, &["unpair", "front desk"]).await);
    assert!(unpaired.starts_with("front desk: unpaired; the phone still lists the device"), "{unpaired}");
    let deleted = text(&paird(&stage, &["delete", "front desk", "--yes"]).await);
    assert_eq!(deleted.trim_end(), "front desk: deleted; the device is being removed from the phone");
    stage.phones.devices_are(NUMBER, 0).await;
    stage.web.event(account, "account.unlinked", 0).await;

    let events = text(&paird(&stage, &["events", "--json"]).await);
    let printed: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Rows in the table may not have been notified yet.
    let heard = until("as many events heard", || async {
        Some(stage.web.heard(account)).filter(|heard| heard.len() == printed.len())
    });
    assert_eq!(printed, heard.await, "the printed events are those that were notified");
    let gone = paird(&stage, &["status", "front desk"]).await;
    assert_eq!(gone.status.code(), Some(8));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_end_of_an_attempt_has_its_exit_code_and_a_sentence() {
    let (stage, daemon) = Stage::with_daemon().await;
    stage.web.connect_account("first", NUMBER, &stage.phones).await;
    let second = stage.web.account("second").await;
    let stranger = "436607999999";
    stage.phones.add(stranger).await;

    let (code, last) = Pairing::start(&stage, &["second"]).scanned_by(&stage, NUMBER).await;
    assert_eq!(code, 3);
    assert_eq!(last, "second: refused: +436607000001 is linked already, as \"first\"; the phone got no new device");

    let expect = Pairing::start(&stage, &["second", "--expect", NUMBER]);
    let (code, last) = expect.scanned_by(&stage, stranger).await;
    assert_eq!(code, 4);
    assert_eq!(last, "second: refused: +436607999999 scanned, but +436607000001 was expected");

    let mut cancelled = Pairing::start(&stage, &["second"]);
    cancelled.qr().await;
    stage.web.does("account.cancel", second, json!({})).await;
    assert_eq!(cancelled.end().await, (6, "second: cancelled".to_owned()));

    let mut superseded = Pairing::start(&stage, &["second"]);
    superseded.qr().await;
    stage.web.does("account.pair", second, json!({})).await;
    let taken = "second: cancelled: another pair command took its place".to_owned();
    assert_eq!(superseded.end().await, (6, taken));

    let (code, last) = Pairing::start(&stage, &["first"]).end().await;
    assert_eq!((code, last.as_str()), (0, "first: connected as +436607000001"));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_the_qr_and_the_end_as_lines_of_json() {
    let (stage, daemon) = Stage::with_daemon().await;
    stage.phones.add(NUMBER).await;
    let account = stage.web.account("till").await;
    let mut pairing = Pairing::start(&stage, &["till", "--json"]);
    let mut attempt = pairing.document().await;
    while attempt["qrPng"].is_null() {
        assert_eq!(attempt["type"], "attempt", "{attempt}");
        attempt = pairing.document().await;
    }
    assert_eq!((&attempt["accountId"], &attempt["label"]), (&json!(account), &json!("till")));
    stage.web.scan(account, NUMBER, &stage.phones).await;
    let mut end = pairing.document().await;
    while end["type"] != "end" {
        end = pairing.document().await;
    }
    assert_eq!((&end["outcome"], &end["exitCode"]), (&json!("connected"), &json!(0)));
    stage.finish([daemon]).await;
}
