//! `paird` on the command line, as a user of the running daemon.

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};
use uuid::Uuid;

use crate::support::{Stage, read_qr};

const NUMBER: &str = "436607000001";

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_added_paired_from_the_terminal_unpaired_and_deleted() {
    let (stage, daemon) = Stage::with_daemon().await;
    stage.phones.add(NUMBER).await;
    let added = text(&paird(&stage, &["accounts", "add", "front desk"]).await);
    assert!(added.starts_with("added \"front desk\", "), "{added}");

    let pairing = Pairing::start(&stage, &["front desk", "--expect", "+43 660 700-0001"]);
    let (code, last) = pairing.scanned_by(&stage, NUMBER).await;
    assert_eq!((code, last.as_str()), (0, "front desk: connected as +436607000001"));

    let status: Value = serde_json::from_str(&text(&paird(&stage, &["status", "front desk", "--json"]).await)).unwrap();
    assert_eq!(status["status"], "connected");
    assert_eq!(status["phone_number"], NUMBER);
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
    assert_eq!(printed, stage.web.heard(account), "printed is what was sent");
    let gone = paird(&stage, &["status", "front desk"]).await;
    assert_eq!(gone.status.code(), Some(1));
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
async fn what_cannot_be_asked_is_told_without_asking_the_daemon() {
    let stage = Stage::empty().await;
    stage.web.account("twin").await;
    stage.web.account("twin").await;
    for (args, words) in [
        (&["pair", "nobody"][..], "nobody"),
        (&["pair", "twin"], "twin"),
        (&["pair", "twin", "--expect", "066"], "phone number starts with 0"),
        (&["delete", "nobody", "--yes"], "nobody"),
    ] {
        let output = paird(&stage, args).await;
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {complaint}");
        assert!(complaint.starts_with("paird: ") && complaint.contains(words), "{args:?}: {complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
    assert_eq!(stage.web.count("SELECT count(*) FROM commands", &[]).await, 0);
    stage.finish([]).await;
}

/// A running `paird pair`, which draws into a pipe.
struct Pairing {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Pairing {
    fn start(stage: &Stage, args: &[&str]) -> Self {
        let mut child = command(stage).arg("pair").args(args).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads the next QR off the drawing, as a phone would off the screen.
    async fn qr(&mut self) -> String {
        let mut drawn = Vec::new();
        loop {
            let line = self.lines.next_line().await.unwrap().expect("it ended before it drew a QR");
            match line.strip_prefix("\u{1b}[38;5;16;48;5;231m").and_then(|line| line.strip_suffix("\u{1b}[0m")) {
                Some(blocks) => drawn.push(blocks.to_owned()),
                None if drawn.is_empty() => {}
                None => return read_qr(&picture(&drawn)),
            }
        }
    }

    async fn scanned_by(mut self, stage: &Stage, number: &str) -> (i32, String) {
        let qr = self.qr().await;
        stage.phones.scan(number, &qr).await.unwrap();
        self.end().await
    }

    /// The exit code and the last line.
    async fn end(mut self) -> (i32, String) {
        let mut last = String::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            last = line;
        }
        (self.child.wait().await.unwrap().code().unwrap(), last)
    }
}

/// Half blocks as pixels, two modules a character.
fn picture(drawn: &[String]) -> image::GrayImage {
    const SCALE: u32 = 4;
    let rows: Vec<Vec<char>> = drawn.iter().map(|line| line.chars().collect()).collect();
    let side = u32::try_from(rows[0].len()).unwrap();
    image::GrayImage::from_fn(side * SCALE, side * SCALE, |x, y| {
        let (x, y) = ((x / SCALE) as usize, (y / SCALE) as usize);
        let block = rows.get(y / 2).map_or(' ', |row| row[x]);
        let dark = matches!((block, y % 2), ('█', _) | ('▀', 0) | ('▄', 1));
        image::Luma([if dark { 0 } else { 255 }])
    })
}

async fn paird(stage: &Stage, args: &[&str]) -> Output {
    command(stage).args(args).output().await.unwrap()
}

fn command(stage: &Stage) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paird"));
    command.env_clear().env("DATABASE_URL", &stage.dsn).env("HOME", &stage.dir).env("PAIRD_DATA_DIR", &stage.dir);
    command.current_dir(&stage.dir).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What it printed; it must have succeeded.
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}
