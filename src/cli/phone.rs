//! `paird phone`: a hand on the sandbox's simulated phones.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use paird_sandbox::{Remote, RemoteError, ShownMessage, Writing};
use paird_sql::queries::cli;
use serde_json::json;

use super::{
    database::{Database, explained},
    out::{self, Format},
};
use crate::config::Config;

/// The number of a phone that was added without one.
const SOME_NUMBER: &str = "436600000001";
/// Of a phone's devices, the phone.
const PHONE_ITSELF: u16 = 0;

#[derive(Subcommand, Debug)]
pub(super) enum PhoneCommand {
    /// A phone scans the QR that an account shows now.
    Scan {
        /// Label or id of the account that is being paired.
        #[arg(value_name = "LABEL|ID")]
        account: String,
        /// The phone's number, digits only; the phone is made if there is none.
        #[arg(long, default_value = SOME_NUMBER)]
        number: String,
    },
    /// Lists a phone's linked devices.
    Devices { number: String },
    /// A phone removes a linked device.
    Unlink { number: String, jid: String },
    /// A phone's owner writes to an account.
    Write {
        /// The number of who writes, digits only; the phone is made if there is none.
        number: String,
        /// Label or id of the account that is written to.
        #[arg(long, value_name = "LABEL|ID")]
        to: String,
        text: String,
    },
    /// Prints a phone's conversations, oldest first.
    Chats { number: String },
}

/// The file in which a running sandbox writes its address.
pub(super) fn address_file(config: &Config) -> PathBuf {
    config.data_dir.join("sandbox.admin")
}

pub(super) async fn run(config: &Config, format: Format, command: PhoneCommand) -> anyhow::Result<ExitCode> {
    let file = address_file(config);
    let address = std::fs::read_to_string(&file).with_context(|| {
        format!("no sandbox runs for this data directory ({} is not there): start `paird demo --stay`", file.display())
    })?;
    let remote = Remote::new(address.trim());
    match command {
        PhoneCommand::Scan { account, number } => {
            let png = shown_qr(config, format, &account).await?;
            let phone = number.clone();
            call(remote, move |remote| remote.add_phone(&phone).and_then(|()| remote.scan_png(&phone, &png))).await?;
            format.tell(
                format_args!("phone +{number} scanned the QR of {account:?}"),
                &json!({ "phoneNumber": number, "scanned": account }),
            );
        }
        PhoneCommand::Devices { number } => {
            let phone = number.clone();
            let devices = call(remote, move |remote| remote.devices(&phone)).await?;
            if format == Format::Json {
                let shown =
                    devices.iter().map(|one| json!({ "jid": one.jid, "label": one.label, "connected": one.connected }));
                out::json(&shown.collect());
                return Ok(ExitCode::SUCCESS);
            }
            for device in devices {
                let state = if device.connected { "active now" } else { "not connected" };
                out::line(format_args!("{}  {}  {state}", device.jid, device.label));
            }
        }
        PhoneCommand::Unlink { number, jid } => {
            let document = json!({ "phoneNumber": number, "unlinked": jid });
            call(remote, move |remote| remote.unlink(&number, &jid)).await?;
            format.tell("removed from the phone", &document);
        }
        PhoneCommand::Write { number, to, text } => {
            let reached = linked_number(config, format, &to).await?;
            let writing = Writing::text(&reached, &text);
            let written =
                call(remote, move |remote| remote.add_phone(&number).and_then(|()| remote.send(&number, &writing)))
                    .await?;
            format.tell(
                format_args!("sent to {to:?} as {}", written.id),
                &json!({ "to": to, "waId": written.id, "devices": written.devices }),
            );
        }
        PhoneCommand::Chats { number } => {
            let shown = call(remote, move |remote| remote.messages(&number, PHONE_ITSELF)).await?;
            if format == Format::Json {
                out::json(&serde_json::to_value(shown)?);
                return Ok(ExitCode::SUCCESS);
            }
            let rows: Vec<Vec<String>> = shown.iter().map(chat_line).collect();
            out::raw(&out::table(&["CHAT", "FROM", "KIND", "TEXT", "TIMES"], &rows));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn chat_line(message: &ShownMessage) -> Vec<String> {
    let from = if message.from_me { "me" } else { message.from.as_str() };
    let text = message.text.clone().unwrap_or_default();
    vec![message.chat.clone(), from.to_owned(), message.kind.clone(), text, message.arrivals.to_string()]
}

/// The number that an account speaks for.
async fn linked_number(config: &Config, format: Format, account: &str) -> anyhow::Result<String> {
    let database = Database::connect(config, format).await?;
    let account = database.account(account).await?;
    account
        .phone_number
        .with_context(|| format!("{:?} has no number: pair it first, `paird pair {:?}`", account.label, account.label))
}

async fn shown_qr(config: &Config, format: Format, account: &str) -> anyhow::Result<String> {
    let database = Database::connect(config, format).await?;
    let account = database.account(account).await?;
    let row = cli::get_pairing().bind(&database.client, &account.id).one().await.map_err(explained)?;
    match row.last_qr_png {
        Some(png) => Ok(png),
        None => bail!("{:?} shows no QR; it is {}: start `paird pair {:?}`", account.label, row.status, account.label),
    }
}

/// The sandbox's API blocks.
async fn call<T: Send + 'static>(
    remote: Remote,
    ask: impl FnOnce(&Remote) -> Result<T, RemoteError> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(move || ask(&remote)).await?.context("sandbox")
}
