//! `paird send`: queues a text, and with `--wait` follows it until WhatsApp has it.

use std::io::{self, Read as _};
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, FixedOffset};
use clap::Args;
use paird_actors::domain::{MessageState, Status, describe_message_state};
use paird_sql::client::Params as _;
use paird_sql::queries::reading::get_message;
use paird_sql::queries::sending::{QueueMessageParams, get_sending_state, queue_message};
use serde_json::{Value, json};

use super::database::{Database, NoDaemonHint, explained};
use super::exit::{Exit, failure};
use super::out::{self, Format};
use crate::config::Config;
use crate::console::Message;
use crate::postgres::send_refusal::SendRefusal;

/// The text is read from stdin.
const STDIN: &str = "-";

#[derive(Args, Debug)]
pub(super) struct SendArgs {
    /// Label or id of the account.
    #[arg(value_name = "LABEL|ID")]
    account: String,
    /// A phone number with its country code, or the jid of a person or group.
    #[arg(value_name = "PHONE|JID")]
    to: String,
    /// What to say, or - for stdin.
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// A name of your own for the message: given again, it is the same message.
    #[arg(long)]
    key: Option<String>,
    /// The id of the message of this chat that it answers.
    #[arg(long, value_name = "ID")]
    reply_to: Option<i64>,
    /// Not sent before then, such as 2026-12-31T23:59:59Z.
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    not_before: Option<DateTime<FixedOffset>>,
    /// Given up then.
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    expires_at: Option<DateTime<FixedOffset>>,
    /// Waits until WhatsApp has it, or it has failed.
    #[arg(long)]
    wait: bool,
}

fn point_in_time(text: &str) -> Result<DateTime<FixedOffset>, String> {
    DateTime::parse_from_rfc3339(text).map_err(|_| "not a point in time, such as 2026-12-31T23:59:59Z".to_owned())
}

pub(super) async fn run(config: &Config, format: Format, args: SendArgs) -> anyhow::Result<ExitCode> {
    let content = args.content()?;
    let database = Database::listening(config, format).await?;
    let account = database.account(&args.account).await?;
    let SendArgs { key, not_before, expires_at, .. } = args;
    let key = key.as_deref();
    let row = QueueMessageParams { account: account.id, content: &content, key, not_before, expires_at, source: "cli" };
    let queued = queue_message().params(&database.client, &row).one().await;
    let id = queued.map_err(|error| SendRefusal::of(&error).map_or_else(|| explained(error), refused))?;
    if args.wait {
        until_sent(&database, format, id).await?;
    }
    let row = get_message().bind(&database.client, &id).opt().await.map_err(explained)?;
    let message = Message::from(row.ok_or_else(|| gone(id))?);
    let exit = exit_of(&message.state);
    match format {
        // Also of one that failed: its reason and code are in it.
        Format::Json => out::json(&serde_json::to_value(&message)?),
        Format::Text if exit == Exit::Done => {
            out::line(format_args!("{}: message {id}: {}", account.label, message.state_text));
        }
        Format::Text => {}
    }
    if exit == Exit::Done {
        return Ok(ExitCode::SUCCESS);
    }
    Err(failure(exit, format!("{}: message {id}: {}", account.label, message.state_text)))
}

impl SendArgs {
    fn content(&self) -> anyhow::Result<Value> {
        let body = if self.text == STDIN {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).context("stdin")?;
            // An editor and `echo` end the last line, too.
            text.strip_suffix('\n').map(str::to_owned).unwrap_or(text)
        } else {
            self.text.clone()
        };
        if body.contains('\0') {
            return Err(failure(Exit::Usage, "TEXT: has a null character"));
        }
        let mut content = json!({ "to": self.to, "type": "text", "text": { "body": body } });
        if let Some(reply_to) = self.reply_to {
            content["replyTo"] = reply_to.into();
        }
        Ok(content)
    }
}

/// Waits until the message has reached WhatsApp or its end, and says what holds it up.
async fn until_sent(database: &Database, format: Format, id: i64) -> anyhow::Result<()> {
    let mut hint = NoDaemonHint::of_message(id);
    let mut told = None;
    loop {
        let state = get_sending_state().bind(&database.client, &id).opt().await.map_err(explained)?;
        let state = state.ok_or_else(|| gone(id))?;
        if !MessageState::parse(&state.state).is_some_and(MessageState::is_open) {
            return Ok(());
        }
        let what = match (&state.reason, state.account_status == Status::Connected.as_str()) {
            (_, false) => {
                Some(format!("the account is {}; message {id} waits until it is connected", state.account_status))
            }
            (Some(_), true) => {
                let words = describe_message_state(&state.state, state.reason.as_deref(), state.code);
                Some(format!("message {id}: {words}"))
            }
            (None, true) => None,
        };
        if let Some(what) = what
            && told.as_ref() != Some(&what)
        {
            format.remark(&what);
            told = Some(what);
        }
        hint.check(database).await?;
        database.until_notified().await;
    }
}

/// What a script is told of a message in this state. One that is queued is as it should be.
fn exit_of(state: &str) -> Exit {
    match MessageState::parse(state) {
        Some(MessageState::Failed | MessageState::Expired) => Exit::Failed,
        Some(MessageState::Cancelled) => Exit::Cancelled,
        Some(_) | None => Exit::Done,
    }
}

fn refused(refusal: SendRefusal) -> anyhow::Error {
    match refusal {
        SendRefusal::Form { field, trouble } => {
            let name = match field.as_str() {
                "to" => "PHONE|JID",
                "text.body" => "TEXT",
                "key" => "--key",
                "replyTo" => "--reply-to",
                "not_before" => "--not-before",
                "expires_at" => "--expires-at",
                field => field,
            };
            failure(Exit::Usage, format!("{name}: {trouble}"))
        }
        SendRefusal::NoAccount => failure(Exit::NoAccount, "the account was deleted"),
        SendRefusal::KeyTaken => failure(Exit::Usage, "--key: another message of the account has this key already"),
        SendRefusal::QueueFull { words } => failure(Exit::Failed, words),
    }
}

fn gone(id: i64) -> anyhow::Error {
    failure(Exit::NoAccount, format!("the account was deleted, and message {id} with it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_told_how_a_message_ended() {
        for (state, exit) in [
            ("queued", Exit::Done),
            ("sent", Exit::Done),
            ("read", Exit::Done),
            ("failed", Exit::Failed),
            ("expired", Exit::Failed),
            ("cancelled", Exit::Cancelled),
        ] {
            assert_eq!(exit_of(state), exit, "{state}");
        }
    }
}
