//! `paird accounts add`, `paird accounts list`.

use std::process::ExitCode;

use chrono::SecondsFormat;
use clap::Subcommand;
use paird_sql::queries::cli::{self, ListedAccount};
use serde_json::{Value, json};
use uuid::Uuid;

use super::database::{Database, explained};
use super::{DEFAULT_OPERATOR, out};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum AccountsCommand {
    /// Adds an account, unpaired.
    Add {
        /// What people call it; need not be unique, but the command line is easier if it is.
        label: String,
        /// Whose it is: a number is linked at most once among an operator's accounts.
        #[arg(long, value_name = "UUID", default_value_t = DEFAULT_OPERATOR)]
        operator: Uuid,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
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
        AccountsCommand::Add { label, operator, json } => {
            let label = label.trim();
            anyhow::ensure!(!label.is_empty(), "the label is empty");
            let added = cli::insert_account().bind(&database.client, &operator, &label).one().await;
            let id = added.map_err(explained)?;
            if json {
                out::json(&json!({ "id": id, "operator_id": operator, "label": label }));
            } else {
                out::line(format_args!("added {label:?}, {id}; link it with: paird pair {id}"));
            }
        }
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
