//! `paird pair`, and an account's life from the terminal.

use std::{process::Stdio, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use paird_sandbox::Fault;
use paird_testkit::{Api, Stage, until};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use uuid::Uuid;

use super::{Pairing, command, document, paird, screen::Screen, text};

const NUMBER: &str = "436607000001";
const LINE_TIMEOUT: Duration = Duration::from_secs(30);

async fn in_time<T>(line: impl Future<Output = T>) -> T {
    tokio::time::timeout(LINE_TIMEOUT, line).await.expect("a line")
}

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
    let mut printed: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &mut printed {
        let at = event.as_object_mut().unwrap().remove("createdAt").unwrap();
        assert!(chrono::DateTime::parse_from_rfc3339(at.as_str().unwrap()).is_ok(), "{at}");
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_code_is_told_where_it_was_asked_for() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let api = Api::of(&stage, &mut daemon).await;
    stage.phones.add(NUMBER).await;
    let account = stage.web.account("desk").await;
    for json in [false, true] {
        stage.phones.fault(Fault::RefuseCode { code: 429, text: "rate-overlimit".to_owned(), times: Some(1) }).await;
        let mut args = vec!["desk", "--code", NUMBER];
        args.extend(json.then_some("--json"));
        let mut pairing = Pairing::start(&stage, &args);
        let told = "WhatsApp issued no code to type (whatsapp gives no code for this number now (429): too many";
        loop {
            let line = in_time(pairing.lines.next_line()).await.unwrap().expect("it ended before it told that");
            let setback = match json {
                false => line,
                true => {
                    serde_json::from_str::<Value>(&line).unwrap()["setback"].as_str().unwrap_or_default().to_owned()
                }
            };
            if setback.contains(told) && setback.contains("Scan the QR instead") {
                break;
            }
        }
        let shown = api.account(&account.to_string()).await;
        assert!(shown["setback"].as_str().is_some_and(|setback| setback.starts_with(told)), "{shown}");
        stage.web.does("account.cancel", account, json!({})).await;
        assert_eq!(pairing.end().await.0, 6);
        assert_eq!(api.account(&account.to_string()).await["setback"], Value::Null);
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_label_does_not_scroll_the_qr_away() {
    let (stage, daemon) = Stage::with_daemon().await;
    let label = "a branch with a very long name ".repeat(5);
    let account = stage.web.account(label.trim()).await;
    let screen = Screen::start(&stage, &["pair", &account.to_string()], 80, 44);
    screen.qr().await;
    let mut seen = std::collections::BTreeSet::new();
    until("ten seconds counted down", || {
        let text = screen.text();
        seen.extend(text.lines().filter(|line| line.contains(" left (")).map(str::to_owned));
        let done = seen.len() >= 10;
        async move { done.then_some(()) }
    })
    .await;
    assert_eq!(screen.text().lines().filter(|line| line.contains(" left (")).count(), 1, "{}", screen.text());
    assert_eq!(screen.qr().await, stage.web.qr(account).await);
    stage.web.does("account.cancel", account, json!({})).await;
    stage.finish([daemon]).await;
}

/// Killed while it waits, or ended by a signal once it runs: nothing is left that nobody asked for any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_drained_daemon_is_told_and_nothing_stays_queued() {
    let (stage, daemon) = Stage::with_daemon().await;
    stage.phones.add(NUMBER).await;
    let account = stage.web.account("desk").await;
    let linked = stage.web.connect_account("linked", "436607000009", &stage.phones).await;
    document(&stage, &["drain"]).await;
    stage.web.status_is(linked, "reconnecting").await;
    let waiting = || async {
        let mut command = command(&stage);
        let mut child = command.args(["pair", "desk"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut remarks = BufReader::new(child.stderr.take().unwrap()).lines();
        let remark = in_time(remarks.next_line()).await.unwrap().expect("it ended before it said why it waits");
        assert!(remark.contains("drained") && remark.contains("paird drain --undo"), "{remark}");
        child
    };
    waiting().await.kill().await.unwrap();
    assert_eq!(stage.web.count("SELECT count(*) FROM commands WHERE account_id = $1", &[&account]).await, 0);
    let told = document_of_failure(&stage, &["doctor"]).await;
    let findings = told["findings"].as_array().unwrap();
    let of = |check: &str| findings.iter().find(|one| one["check"] == check).unwrap();
    assert!(of("daemons")["advice"].as_str().unwrap().contains("paird drain --undo"), "{}", of("daemons"));
    assert_eq!(of("accounts")["level"], "warn", "{}", of("accounts"));
    assert!(of("accounts")["advice"].as_str().unwrap().contains("paird drain --undo"), "{}", of("accounts"));

    let mut patient = waiting().await;
    document(&stage, &["drain", "--undo"]).await;
    stage.web.qr(account).await;
    kill(Pid::from_raw(patient.id().unwrap().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(patient.wait().await.unwrap().code(), Some(6));
    stage.web.status_is(account, "unpaired").await;
    assert_eq!(stage.web.endings(account, 0).await, ["session.cancelled"]);
    stage.finish([daemon]).await;
}

async fn document_of_failure(stage: &Stage, args: &[&str]) -> Value {
    let output = paird(stage, &[args, &["--json"]].concat()).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}
