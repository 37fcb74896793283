//! `paird accounts`: adding them, listing them, and how their connections are made.

use std::process::ExitCode;

use anyhow::anyhow;
use chrono::SecondsFormat;
use clap::Subcommand;
use paird_sql::queries::cli::{self, ListedAccount};
use serde_json::{Value, json};
use uuid::Uuid;

use super::database::{Database, explained};
use super::{AccountArg, DEFAULT_OPERATOR, out, proxy};
use crate::config::{Config, device_name};

/// What is written for "no proxy" and "no name of its own".
pub(super) const NONE: &str = "none";

#[derive(Debug, Subcommand)]
pub(super) enum AccountsCommand {
    /// Adds an account, unpaired.
    Add {
        /// What people call it; need not be unique, but the command line is easier if it is.
        label: String,
        /// Whose it is: a number is linked at most once among an operator's accounts.
        #[arg(long, value_name = "UUID", default_value_t = DEFAULT_OPERATOR)]
        operator: Uuid,
        /// The name under "Linked devices" on the phone; without it PAIRD_DEVICE_NAME.
        #[arg(long, value_name = "NAME")]
        device_name: Option<String>,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Sets the name that the phone shows under "Linked devices", from the next pairing on.
    Name {
        #[command(flatten)]
        account: AccountArg,
        /// At most 40 characters; `none` for PAIRD_DEVICE_NAME.
        name: String,
    },
    /// Sets the proxy that all of an account's traffic goes through, or takes it away.
    ///
    /// A login is never an argument, where others on the machine could read it: with
    /// --user the password is asked for, or read from a file or from stdin. A connection
    /// that the account has is made anew at once.
    Proxy(proxy::ProxyArgs),
    /// Lists the accounts, oldest first.
    List {
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(config: &Config, command: AccountsCommand) -> anyhow::Result<ExitCode> {
    let database = Database::connect(config).await?;
    match command {
        AccountsCommand::Add { label, operator, device_name, json } => {
            let label = label.trim();
            anyhow::ensure!(!label.is_empty(), "the label is empty");
            let device_name = device_name.as_deref().map(checked_name).transpose()?;
            let added = cli::insert_account().bind(&database.client, &operator, &label, &device_name).one().await;
            let id = added.map_err(explained)?;
            if json {
                out::json(&json!({ "id": id, "operator_id": operator, "label": label }));
            } else {
                out::line(format_args!("added {label:?}, {id}; link it with: paird pair {id}"));
            }
        }
        AccountsCommand::Name { account, name } => {
            let account = database.account(&account.account).await?;
            let name = if name == NONE { None } else { Some(checked_name(&name)?) };
            cli::set_device_name().bind(&database.client, &name, &account.id).await.map_err(explained)?;
            let name = name.unwrap_or_else(|| format!("{} (PAIRD_DEVICE_NAME)", config.device_name));
            out::line(format_args!("{}: called {name:?} on the phone from the next pairing on", account.label));
        }
        AccountsCommand::Proxy(args) => proxy::run(config, &database, args).await?,
        AccountsCommand::List { json } => {
            let accounts = database.accounts().await?;
            if json {
                out::json(&accounts.iter().map(as_json).collect());
            } else {
                let rows: Vec<Vec<String>> = accounts.iter().map(row).collect();
                out::raw(&out::table(&["LABEL", "STATUS", "REASON", "PHONE", "SINCE", "ID"], &rows));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The database would refuse a wrong one, too, with more words.
fn checked_name(name: &str) -> anyhow::Result<String> {
    let name = name.trim();
    anyhow::ensure!(!name.is_empty(), "the device name is empty");
    device_name(name).map_err(|wrong| anyhow!("the device name {wrong}"))
}

/// The row in the contract's names.
pub(super) fn as_json(account: &ListedAccount) -> Value {
    json!({
        "id": account.id,
        "operator_id": account.operator_id,
        "label": account.label,
        "status": account.status,
        "status_reason": account.status_reason,
        "status_since": account.status_since,
        "desired": account.desired,
        "phone_number": account.phone_number,
        "last_phone_number": account.last_phone_number,
        "next_retry_at": account.next_retry_at,
        "pair_deadline": account.pair_deadline,
        "proxy": account.proxy,
        "device_name": account.device_name,
        "created_at": account.created_at,
    })
}

fn row(account: &ListedAccount) -> Vec<String> {
    vec![
        account.label.clone(),
        account.status.clone(),
        account.status_reason.clone(),
        account.phone_number.as_ref().map_or_else(String::new, |digits| format!("+{digits}")),
        account.status_since.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true),
        account.id.to_string(),
    ]
}
