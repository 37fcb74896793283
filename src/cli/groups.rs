//! `paird groups`: the groups as last fetched, or with `--sync` as WhatsApp lists them now.

use std::process::ExitCode;

use paird_sql::queries::cli;
use serde_json::{Value, json};

use super::database::{Database, explained};
use super::out::{self, Format};
use crate::config::Config;

pub(super) async fn run(config: &Config, format: Format, wanted: &str, sync: bool) -> anyhow::Result<ExitCode> {
    let database = Database::listening(config, format).await?;
    let account = database.account(wanted).await?;
    if sync {
        let synced = database.ask("groups.sync", account.id, &json!({})).await;
        synced.map_err(|why| why.context(account.label.clone()))?;
    }
    let groups = cli::list_groups_of_account().bind(&database.client, &account.id).all().await.map_err(explained)?;
    match format {
        Format::Json => {
            let groups: Vec<Value> = groups
                .iter()
                .map(|group| {
                    json!({
                        "jid": group.jid, "subject": group.subject, "participants": group.participants,
                        "isAdmin": group.is_admin, "syncedAt": group.synced_at,
                    })
                })
                .collect();
            out::json(&Value::from(groups));
        }
        Format::Text if groups.is_empty() => {
            let hint = if sync { "" } else { "; fetch them with --sync" };
            out::line(format_args!("{}: no groups{hint}", account.label));
        }
        Format::Text => {
            let rows: Vec<Vec<String>> = groups
                .iter()
                .map(|group| {
                    let admin = if group.is_admin { "admin" } else { "" };
                    vec![group.subject.clone(), group.participants.to_string(), admin.to_owned(), group.jid.clone()]
                })
                .collect();
            out::raw(&out::table(&["SUBJECT", "PEOPLE", "", "JID"], &rows));
        }
    }
    Ok(ExitCode::SUCCESS)
}
