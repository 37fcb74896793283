//! `paird passkey`: shows WhatsApp's passkey challenge, and sends the operator's answer.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use paird_actors::domain::CommandKind;
use paird_sql::queries::cli;
use serde_json::{Value, json};

use super::database::{Database, explained};
use super::exit::{Exit, failure};
use super::out::Format;
use super::{account_commands, out};
use crate::config::Config;

#[derive(Args, Debug)]
pub(super) struct PasskeyArgs {
    /// Label or id of the account that is being paired.
    #[arg(value_name = "LABEL|ID")]
    account: String,
    /// File with the browser's answer as JSON, or - for stdin. Never an argument: others see those.
    #[arg(long, value_name = "FILE", conflicts_with = "confirm")]
    response: Option<PathBuf>,
    /// The codes on the phone and here are the same.
    #[arg(long)]
    confirm: bool,
}

pub(super) async fn run(config: &Config, format: Format, args: PasskeyArgs) -> anyhow::Result<ExitCode> {
    let answer = match (&args.response, args.confirm) {
        (Some(file), _) => Some(json!({ "response": response(file)? })),
        (None, true) => Some(json!({ "confirm": true })),
        (None, false) => None,
    };
    let database = Database::listening(config, format).await?;
    let account = database.account(&args.account).await?;
    if let Some(answer) = answer {
        return account_commands::send(&database, format, &account, CommandKind::Passkey, &answer).await;
    }
    let asked = cli::get_passkey_request().bind(&database.client, &account.id).opt().await.map_err(explained)?;
    match asked {
        Some(asked) => {
            out::json(&asked);
            Ok(ExitCode::SUCCESS)
        }
        None => anyhow::bail!("{}: WhatsApp asks for no passkey now; it is {}", account.label, account.status),
    }
}

/// Checked here as far as it can be: a wrong file should not cost the challenge.
fn response(file: &Path) -> anyhow::Result<Value> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        let read = io::stdin().read_to_string(&mut text);
        read.map_err(|error| failure(Exit::Usage, format!("--response -: {error}")))?;
        text
    } else {
        std::fs::read_to_string(file)
            .map_err(|error| failure(Exit::Usage, format!("--response {}: {error}", file.display())))?
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(answer)) => Ok(Value::Object(answer)),
        Ok(_) | Err(_) => Err(failure(
            Exit::Usage,
            format!("--response {}: is not the JSON object that a browser's passkey gives", file.display()),
        )),
    }
}
