//! Commands that are sent and waited for: unpair, resume, cancel, delete, groups.

use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use paird_sql::queries::cli;
use serde_json::{Value, json};

use super::database::{Database, explained};
use super::out;
use crate::config::Config;

/// What is asked of one account.
pub(super) enum Ask {
    Unpair { logout: bool },
    Resume,
    Cancel,
}

impl Ask {
    fn command(&self) -> (&'static str, Value) {
        match self {
            Self::Unpair { logout } => ("account.unpair", json!({ "logout": logout })),
            Self::Resume => ("account.resume", json!({})),
            Self::Cancel => ("account.cancel", json!({})),
        }
    }
}

/// Sends it, waits, prints the result; an error if the daemon says that it failed.
pub(super) async fn ask(config: &Config, wanted: &str, what: Ask) -> anyhow::Result<ExitCode> {
    let (kind, args) = what.command();
    let database = listening(config).await?;
    let account = database.account(wanted).await?;
    let result = database.ask(kind, account.id, &args).await?;
    out::line(format_args!("{}: {result}", account.label));
    Ok(ExitCode::SUCCESS)
}

/// `paird delete`: asks first, since it cannot be undone.
pub(super) async fn delete(config: &Config, wanted: &str, yes: bool) -> anyhow::Result<ExitCode> {
    let database = listening(config).await?;
    let account = database.account(wanted).await?;
    if !yes && !confirmed(&account.label)? {
        out::line("not deleted");
        return Ok(ExitCode::FAILURE);
    }
    let result = database.ask("account.delete", account.id, &json!({})).await?;
    out::line(format_args!("{}: {result}", account.label));
    Ok(ExitCode::SUCCESS)
}

/// `paird groups`: what was last fetched, or with `--sync` what WhatsApp says now.
pub(super) async fn groups(config: &Config, wanted: &str, sync: bool, json: bool) -> anyhow::Result<ExitCode> {
    let database = listening(config).await?;
    let account = database.account(wanted).await?;
    if sync {
        database.ask("groups.sync", account.id, &json!({})).await?;
    }
    let groups = cli::list_groups_of_account().bind(&database.client, &account.id).all().await.map_err(explained)?;
    if json {
        let groups: Vec<Value> = groups
            .iter()
            .map(|group| {
                json!({
                    "jid": group.jid,
                    "subject": group.subject,
                    "participants": group.participants,
                    "is_admin": group.is_admin,
                    "synced_at": group.synced_at,
                })
            })
            .collect();
        out::json(&Value::from(groups));
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = groups
        .iter()
        .map(|group| {
            let admin = if group.is_admin { "admin" } else { "" };
            vec![group.subject.clone(), group.participants.to_string(), admin.to_owned(), group.jid.clone()]
        })
        .collect();
    out::raw(&out::table(&["SUBJECT", "PEOPLE", "", "JID"], &rows));
    Ok(ExitCode::SUCCESS)
}

async fn listening(config: &Config) -> anyhow::Result<Database> {
    let database = Database::connect(config).await?;
    database.listen(&config.event_channel).await?;
    Ok(database)
}

fn confirmed(label: &str) -> anyhow::Result<bool> {
    anyhow::ensure!(io::stdin().is_terminal(), "nobody to ask whether {label:?} may be deleted; give --yes");
    out::raw(&format!("delete {label:?} and unlink it from its phone? [y/N] "));
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
