//! `paird pair`: asks for a link, shows how to make it, and waits for how it ends.

mod ending;
mod output;
mod png_file;
mod screen;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, FixedOffset};
use clap::Args;
use paird_actors::domain::{Phone, Shown, Status, StatusReason};
use paird_sql::queries::cli::{self, AccountEvent, ListedAccount};
use serde_json::{Map, Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::accounts::quoted;
use super::console::page;
use super::database::{Database, NoDaemonHint, explained};
use super::exit::{Exit, failure};
use super::out::{self, Format};
use crate::config::Config;
use ending::PairResult;
#[cfg(feature = "sandbox")]
pub(super) use ending::is_terminal;
use output::Output;
use png_file::PngFile;
use screen::{Elsewhere, Screen};

#[derive(Args, Debug)]
pub(super) struct PairArgs {
    /// Label or id of the account.
    #[arg(value_name = "LABEL|ID")]
    account: String,
    /// Links by a code that is typed on the phone with this number, instead of a QR.
    #[arg(long, value_name = "PHONE")]
    code: Option<String>,
    /// Links only the phone with this number.
    #[arg(long, value_name = "PHONE")]
    expect: Option<String>,
    /// Also writes the QR to this file as a PNG (mode 0600), again whenever it changes, and removes it at the end.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
}

/// One `account.pair` command and what has been seen of its attempt.
struct PairRun<'a> {
    database: &'a Database,
    account: &'a ListedAccount,
    command: i64,
    /// Events up to here were looked at.
    seq: i64,
}

pub(super) async fn run(config: &Config, format: Format, args: PairArgs) -> anyhow::Result<ExitCode> {
    let command_args = command_args(&args)?;
    let png = args.png.map(PngFile::new).transpose()?;
    let database = Database::listening(config, format).await?;
    let account = database.account(&args.account).await?;
    let mut stop = StopSignals::new()?;
    let mut output = Output::new(format, &account, png, page::here(config));
    // Not queued before: whoever is killed while waiting leaves no attempt behind that begins later.
    tokio::select! {
        taken = database.until_commands_are_taken() => taken?,
        () = stop.next() => {
            let ending = PairResult::not_begun();
            output.end(&ending);
            return Ok(ExitCode::from(ending.exit.code()));
        }
    }
    let seq = pairing(&database, &account).await?.event_seq;
    let command = database.send("account.pair", account.id, &command_args).await?;
    let mut attempt = PairRun { database: &database, account: &account, command, seq };

    let ending = tokio::select! {
        ending = attempt.watch(&mut output) => Some(ending?),
        () = stop.next() => None,
    };
    let ending = match ending {
        Some(ending) => ending,
        None => attempt.cancel(&mut output, &mut stop).await?,
    };
    output.end(&ending);
    Ok(ExitCode::from(ending.exit.code()))
}

/// Ctrl-C, SIGTERM and the end of the terminal: what was begun is cancelled.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl StopSignals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// What went wrong so far, and what to do about it.
fn setback(row: &cli::Pairing) -> Option<String> {
    let reason = StatusReason::parse(&row.status_reason);
    let status = Status::parse(&row.status)?;
    Shown { status, reason: &reason, has_keys: false, has_qr: false, has_code: false }.setback()
}

/// The numbers are checked here, too: a typing error should not wait for a daemon.
fn command_args(args: &PairArgs) -> anyhow::Result<Value> {
    let digits = |name: &str, text: &str| match Phone::parse(text) {
        Ok(phone) => Ok(phone.digits().to_owned()),
        Err(wrong) => Err(failure(Exit::Usage, format!("{name}: {wrong}"))),
    };
    let mut command = Map::new();
    if let Some(phone) = &args.code {
        command.insert("method".to_owned(), json!("code"));
        command.insert("phone".to_owned(), json!(digits("--code", phone)?));
    }
    if let Some(phone) = &args.expect {
        command.insert("expectPhone".to_owned(), json!(digits("--expect", phone)?));
    }
    Ok(Value::Object(command))
}

async fn pairing(database: &Database, account: &ListedAccount) -> anyhow::Result<cli::Pairing> {
    cli::get_pairing().bind(&database.client, &account.id).one().await.map_err(explained)
}

impl PairRun<'_> {
    /// Shows the attempt until it has ended.
    async fn watch(&mut self, output: &mut Output) -> anyhow::Result<PairResult> {
        let mut hint = NoDaemonHint::new(self.command);
        loop {
            let command = self.database.command(self.command).await?;
            if command.state == "failed" {
                return Ok(PairResult::failed(&command.result.unwrap_or_default()));
            }
            match command.started_at {
                Some(started_at) => {
                    if let Some(ending) = self.ending(started_at).await? {
                        return Ok(ending);
                    }
                    output.show(&pairing(self.database, self.account).await?)?;
                }
                None => hint.check(self.database).await?,
            }
            self.database.until_notified().await;
        }
    }

    /// Ends the attempt on the operator's word and waits until the daemon has.
    async fn cancel(&mut self, output: &mut Output, stop: &mut StopSignals) -> anyhow::Result<PairResult> {
        output.clear();
        output.format().remark("cancelling");
        self.database.send("account.cancel", self.account.id, &json!({})).await?;
        tokio::select! {
            ending = self.watch(output) => ending,
            () = stop.next() => Ok(PairResult::left()),
        }
    }

    /// The terminal event of this attempt, if there is one. Events from before this attempt's
    /// command began belong to a former attempt.
    async fn ending(&mut self, started_at: DateTime<FixedOffset>) -> anyhow::Result<Option<PairResult>> {
        let (account, seq) = (self.account.id, self.seq);
        let found = cli::list_events_of_account().bind(&self.database.client, &account, &seq).all().await;
        for event in found.map_err(explained)? {
            self.seq = event.seq;
            if event.created_at < started_at {
                continue;
            }
            let Some(ending) = PairResult::of(&event.kind, &event.payload) else { continue };
            if self.is_about_the_one_before(&event).await? {
                continue;
            }
            return Ok(Some(ending));
        }
        Ok(None)
    }

    /// A `superseded` with no later pair command is what this command did to the
    /// attempt before it.
    async fn is_about_the_one_before(&self, event: &AccountEvent) -> anyhow::Result<bool> {
        if !ending::is_superseded(&event.kind, &event.payload) {
            return Ok(false);
        }
        let (account, command) = (self.account.id, self.command);
        let superseded = cli::is_pair_superseded().bind(&self.database.client, &account, &command).one().await;
        Ok(!superseded.map_err(explained)?)
    }
}
