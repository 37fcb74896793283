//! `paird` on the command line, as a user of the running daemon.

mod accounts;
mod admin;
mod chats;
mod completing;
mod doctor;
mod events;
mod exits;
mod fleet_files;
mod hostile_text;
mod listing;
mod manual;
mod messages;
mod pairing;
mod phone;
mod screen;
mod sending;
mod times;
mod upkeep;
mod watch;
mod ways_out;

use std::process::{Output, Stdio};

use paird_testkit::{Stage, read_qr};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

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

    /// The next line, which must be JSON.
    async fn document(&mut self) -> Value {
        let line = self.lines.next_line().await.unwrap().expect("it ended before it said that");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"))
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

pub(crate) fn command(stage: &Stage) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paird"));
    command
        .env_clear()
        .env("DATABASE_URL", &stage.dsn)
        .env("HOME", &stage.dir)
        .env("PAIRD_DATA_DIR", stage.dir.join("daemon"));
    command.current_dir(&stage.dir).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// The one line of an error, and its exit code.
async fn refused(stage: &Stage, args: &[&str]) -> (i32, String) {
    let output = paird(stage, args).await;
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaint.lines().count(), 1, "{args:?}: {complaint}");
    (output.status.code().unwrap(), complaint.trim_end().to_owned())
}

/// The document that it printed; it must have succeeded.
async fn document(stage: &Stage, args: &[&str]) -> Value {
    let printed = text(&paird(stage, &[args, &["--json"]].concat()).await);
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{args:?} is not JSON: {printed}"))
}

/// The output of a command that must have succeeded.
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}
