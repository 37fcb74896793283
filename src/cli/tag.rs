//! `paird accounts tag` and `paird accounts number`: an operator's words for an account, and the number
//! that it is for.

use std::process::ExitCode;

use clap::Args;
use paird_actors::domain::Phone;
use paird_sql::queries::settings::{change_tags, set_desired_phone};
use serde_json::json;

use super::accounts::{NONE, gone};
use super::database::{Database, explained};
use super::exit::{Exit, failure};
use super::out::Format;
use crate::tags::{TagError, checked_tag, checked_tags};

#[derive(Args, Debug)]
pub(super) struct TagArgs {
    /// Label or id of the account.
    #[arg(value_name = "LABEL|ID")]
    account: String,
    /// Tags to add; without any, and without --remove, those that the account has are printed.
    #[arg(value_name = "TAG")]
    add: Vec<String>,
    /// A tag to remove; may be given several times.
    #[arg(long, short, value_name = "TAG")]
    remove: Vec<String>,
}

pub(super) async fn run(database: &Database, format: Format, args: TagArgs) -> anyhow::Result<ExitCode> {
    let added = checked_tags(args.add.iter().map(String::as_str)).map_err(misused)?;
    let removed: Vec<&str> =
        args.remove.iter().map(|tag| checked_tag(tag)).collect::<Result<_, _>>().map_err(misused)?;
    let account = database.account(&args.account).await?;
    let tags = if added.is_empty() && removed.is_empty() {
        account.tags
    } else {
        let changed = change_tags().bind(&database.client, &added, &removed, &"cli", &account.id).opt().await;
        changed.map_err(explained)?.ok_or_else(|| gone(&account.label))?
    };
    let document = json!({ "id": account.id, "label": account.label, "tags": tags });
    let words = if tags.is_empty() { "no tags".to_owned() } else { tags.join(", ") };
    format.tell(format_args!("{}: {words}", account.label), &document);
    Ok(ExitCode::SUCCESS)
}

/// The number that may be linked from the next attempt on; `none` for any.
pub(super) async fn set_number(
    database: &Database,
    format: Format,
    wanted: &str,
    number: &str,
) -> anyhow::Result<ExitCode> {
    let phone = match number {
        NONE => None,
        number => Some(Phone::parse(number).map_err(|wrong| failure(Exit::Usage, wrong.to_string()))?),
    };
    let account = database.account(wanted).await?;
    let digits = phone.as_ref().map(Phone::digits);
    let set = set_desired_phone().bind(&database.client, &digits, &"cli", &account.id).opt().await;
    set.map_err(explained)?.ok_or_else(|| gone(&account.label))?;
    let document = json!({ "id": account.id, "label": account.label, "desiredPhone": digits });
    match digits {
        Some(digits) => format.tell(format_args!("{}: only +{digits} may be linked", account.label), &document),
        None => format.tell(format_args!("{}: any number may be linked", account.label), &document),
    }
    Ok(ExitCode::SUCCESS)
}

fn misused(wrong: TagError) -> anyhow::Error {
    failure(Exit::Usage, wrong.to_string())
}
