//! `paird contact`: whether numbers are on WhatsApp.

use std::process::ExitCode;

use clap::Subcommand;
use paird_actors::domain::CommandKind;
use paird_sql::queries::cli::list_checked_contacts;
use serde_json::{Value, json};

use super::database::{Database, explained};
use super::out::{self, Format};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum ContactCommand {
    /// Finds out which of these numbers are on WhatsApp.
    ///
    /// An account may ask for 100 numbers a day: WhatsApp bans accounts that ask for many. Answers are kept.
    Check {
        /// Label or id of the account.
        #[arg(value_name = "LABEL|ID")]
        account: String,
        /// Phone numbers with their country codes, 50 at most.
        #[arg(value_name = "PHONE", required = true)]
        phones: Vec<String>,
    },
}

pub(super) async fn run(config: &Config, format: Format, command: ContactCommand) -> anyhow::Result<ExitCode> {
    let ContactCommand::Check { account, phones } = command;
    let database = Database::listening(config, format).await?;
    let account = database.account(&account).await?;
    let asked = database.ask(CommandKind::CheckContacts.as_str(), account.id, &json!({ "phones": phones })).await;
    let (command, _) = asked.map_err(|why| why.context(account.label.clone()))?;
    let checked = list_checked_contacts().bind(&database.client, &account.id, &command).all().await;
    let checked = checked.map_err(explained)?;
    match format {
        Format::Json => {
            let contacts = checked.iter().map(|contact| {
                json!({ "phone": contact.phone, "isOnWhatsapp": contact.is_on_whatsapp, "chat": contact.chat })
            });
            out::json(&Value::Array(contacts.collect()));
        }
        Format::Text => {
            let rows: Vec<Vec<String>> = checked
                .iter()
                .map(|contact| {
                    let is_there = if contact.is_on_whatsapp { "yes" } else { "no" };
                    vec![contact.phone.clone(), is_there.to_owned(), contact.chat.clone().unwrap_or_default()]
                })
                .collect();
            out::raw(&out::table(&["PHONE", "ON WHATSAPP", "JID"], &rows));
        }
    }
    Ok(ExitCode::SUCCESS)
}
