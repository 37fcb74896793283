//! `paird accounts`: adding them, listing them, and how their connections are made.

use std::collections::HashSet;
use std::process::ExitCode;

use clap::Subcommand;
use paird_actors::domain::{OperatorId, Status, StatusReason};
use paird_sql::queries::cli::{self, ListedAccount};
use paird_sql::queries::settings::{get_pace, set_device_name, set_pace};
use serde_json::{Value, json};
use uuid::Uuid;

use super::database::{Database, explained};
use super::exit::{Exit, failure};
use super::fleet_filter::SortOrder;
use super::out::Format;
use super::{AccountArg, account_filter::FilterArgs, accounts_file, proxy, status, tag};
use crate::account_filter::AccountFilter;
use crate::config::{Config, device_name};
use crate::label::checked_label;
use crate::proxy_address::ProxyAddress;

/// Stands for "no proxy" and "no name of its own" on the command line.
pub(super) const NONE: &str = "none";

#[derive(Debug, Subcommand)]
pub(super) enum AccountsCommand {
    /// Adds an account, unpaired.
    Add {
        /// Name for people; need not be unique, but the command line is easier to use if it is.
        label: String,
        /// Operator that the account belongs to; a number is linked at most once per operator.
        #[arg(long, value_name = "UUID", default_value_t = OperatorId::DEFAULT.0)]
        operator: Uuid,
        /// The name under "Linked devices" on the phone; without it PAIRD_DEVICE_NAME.
        #[arg(long, value_name = "NAME")]
        device_name: Option<String>,
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
    /// --user the password is asked for, or read from a file or from stdin. A connected account
    /// reconnects at once.
    Proxy(proxy::ProxyArgs),
    /// Shows how fast an account sends, or sets that: what is not given stays as it is.
    ///
    /// WhatsApp bans numbers that send in bulk: raise it at the number's risk. It goes into effect
    /// within a second.
    Pace {
        #[command(flatten)]
        account: AccountArg,
        /// Messages a second, 0.001 to 1000.
        #[arg(long, value_name = "N")]
        rate: Option<f32>,
        /// How many may go at once after a rest, 1 to 1000.
        #[arg(long, value_name = "N")]
        burst: Option<i32>,
        /// First messages to new chats within 24 hours; `none` for any number.
        #[arg(long, value_name = "N|none", value_parser = new_chats)]
        new_chats: Option<NewChats>,
    },
    /// Adds tags to an account and removes some, or prints them.
    Tag(tag::TagArgs),
    /// Sets the only number that may be linked from the next attempt on, unless pairing names another.
    Number {
        #[command(flatten)]
        account: AccountArg,
        /// With its country code; `none` for any number.
        #[arg(value_name = "PHONE|none")]
        number: String,
    },
    /// Lists the accounts, the oldest first, as `paird status` does.
    List(FilterArgs),
    /// Adds the accounts of a CSV file: all of them, or none if there is a mistake in it.
    Import(accounts_file::ImportArgs),
    /// Writes the accounts as CSV.
    Export(accounts_file::ExportArgs),
    /// Gives an account another label. Its link does not notice.
    Rename {
        /// Label or id of the account.
        #[arg(value_name = "LABEL|ID")]
        account: String,
        #[arg(value_name = "NEW LABEL")]
        label: String,
    },
}

/// A limit of first messages; `None` for any number.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewChats(Option<i32>);

fn new_chats(text: &str) -> Result<NewChats, String> {
    if text == NONE {
        return Ok(NewChats(None));
    }
    text.parse().map(|limit| NewChats(Some(limit))).map_err(|_| format!("not a number, and not `{NONE}`"))
}

pub(super) async fn run(config: &Config, format: Format, command: AccountsCommand) -> anyhow::Result<ExitCode> {
    let mut database = Database::connect(config, format).await?;
    match command {
        AccountsCommand::Add { label, operator, device_name } => {
            add(&database, format, &label, operator, device_name.as_deref()).await
        }
        AccountsCommand::Name { account, name } => {
            name_device(config, &database, format, &account.account, &name).await
        }
        AccountsCommand::Proxy(args) => proxy::run(config, &database, format, args).await,
        AccountsCommand::Pace { account, rate, burst, new_chats } => {
            pace(&database, format, &account.account, rate, burst, new_chats).await
        }
        AccountsCommand::Tag(args) => tag::run(&database, format, args).await,
        AccountsCommand::Number { account, number } => {
            tag::set_number(&database, format, &account.account, &number).await
        }
        AccountsCommand::List(filter) => list(&database, format, &filter).await,
        AccountsCommand::Import(args) => accounts_file::import(&mut database, format, args).await,
        AccountsCommand::Export(args) => accounts_file::export(&database, format, args).await,
        AccountsCommand::Rename { account, label } => rename(&database, format, &account, &label).await,
    }
}

async fn add(
    database: &Database,
    format: Format,
    label: &str,
    operator: Uuid,
    device_name: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let label = checked(label)?;
    let device_name = device_name.map(checked_name).transpose()?;
    let added = cli::insert_account().bind(&database.client, &operator, &label, &device_name).one().await;
    let id = added.map_err(explained)?;
    let is_twin = database.accounts().await?.iter().any(|account| account.label == label && account.id != id);
    let name = if is_twin { id.to_string() } else { quoted(label) };
    let document = json!({ "id": id, "operatorId": operator, "label": label });
    format.tell(format_args!("added {label:?}, {id}; link it with: paird pair {name}"), &document);
    if is_twin {
        format.remark(format_args!(
            "another account is called {label:?}: the command line needs the id to tell them apart"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(database: &Database, format: Format, filter: &FilterArgs) -> anyhow::Result<ExitCode> {
    let filter = filter.read()?;
    let (mut accounts, mut others) = (database.accounts().await?, Vec::new());
    if filter != AccountFilter::default() {
        let found = filter.find(&database.client, None, None).await.map_err(explained)?;
        let found: HashSet<Uuid> = found.into_iter().map(|account| account.id).collect();
        (accounts, others) = accounts.into_iter().partition(|account| found.contains(&account.id));
    }
    status::print(database, format, &accounts, &others, SortOrder::Created).await
}

async fn rename(database: &Database, format: Format, wanted: &str, label: &str) -> anyhow::Result<ExitCode> {
    let label = checked(label)?;
    let account = database.account(wanted).await?;
    let renamed = cli::rename_account().bind(&database.client, &label, &account.id).opt().await.map_err(explained)?;
    let former = &account.label;
    if renamed.is_none() {
        return Err(gone(former));
    }
    let document = json!({ "id": account.id, "label": label, "formerLabel": former });
    format.tell(format_args!("{former}: called {label:?} from now on"), &document);
    Ok(ExitCode::SUCCESS)
}

async fn name_device(
    config: &Config,
    database: &Database,
    format: Format,
    wanted: &str,
    name: &str,
) -> anyhow::Result<ExitCode> {
    let account = database.account(wanted).await?;
    let name = if name == NONE { None } else { Some(checked_name(name)?) };
    let named = set_device_name().bind(&database.client, &name, &"cli", &account.id).opt().await.map_err(explained)?;
    if named.is_none() {
        return Err(gone(&account.label));
    }
    let document = json!({ "id": account.id, "label": account.label, "deviceName": name });
    let name = name.unwrap_or_else(|| format!("{} (PAIRD_DEVICE_NAME)", config.device_name));
    format.tell(format_args!("{}: called {name:?} on the phone from the next pairing on", account.label), &document);
    Ok(ExitCode::SUCCESS)
}

async fn pace(
    database: &Database,
    format: Format,
    wanted: &str,
    rate: Option<f32>,
    burst: Option<i32>,
    new_chats: Option<NewChats>,
) -> anyhow::Result<ExitCode> {
    let account = database.account(wanted).await?;
    let client = &database.client;
    let present = get_pace().bind(client, &account.id).opt().await.map_err(explained)?;
    let present = present.ok_or_else(|| gone(&account.label))?;
    let rate_set = rate.unwrap_or(present.send_rate);
    let burst_set = burst.unwrap_or(present.send_burst);
    let chats_set = new_chats.map_or(present.new_chats_per_day, |NewChats(limit)| limit);
    let is_set = rate.is_some() || burst.is_some() || new_chats.is_some();
    if is_set {
        let set = set_pace().bind(client, &rate_set, &burst_set, &chats_set, &"cli", &account.id).opt().await;
        set.map_err(explained)?.ok_or_else(|| gone(&account.label))?;
    }
    let document = json!({
        "id": account.id, "label": account.label,
        "sendRate": rate_set, "sendBurst": burst_set, "newChatsPerDay": chats_set,
    });
    let chats = chats_set.map_or("any number of".to_owned(), |limit| format!("at most {limit}"));
    let words = format_args!(
        "{}: {rate_set} messages a second, {burst_set} at once after a rest, {chats} new chats a day",
        account.label
    );
    format.tell(words, &document);
    Ok(ExitCode::SUCCESS)
}

/// The database would refuse a wrong one, too, with more words.
fn checked_name(name: &str) -> anyhow::Result<String> {
    device_name(name.trim()).map_err(|wrong| failure(Exit::Usage, format!("the device name {wrong}")))
}

pub(super) fn gone(label: &str) -> anyhow::Error {
    failure(Exit::NoAccount, format!("{label:?} was deleted meanwhile"))
}

fn checked(label: &str) -> anyhow::Result<&str> {
    checked_label(label).map_err(|wrong| failure(Exit::Usage, format!("the label {wrong}")))
}

/// Whether the accounts belong to different operators.
pub(super) fn has_several(mut operators: impl Iterator<Item = Uuid>) -> bool {
    let first = operators.next();
    operators.any(|operator| Some(operator) != first)
}

/// As a shell takes it.
pub(super) fn quoted(label: &str) -> String {
    let is_plain = label.chars().all(|c| c.is_alphanumeric() || "-_.+@".contains(c)) && !label.starts_with('-');
    if is_plain { label.to_owned() } else { format!("'{}'", label.replace('\'', r"'\''")) }
}

/// Status and reason as a sentence.
pub(super) fn text(account: &ListedAccount) -> String {
    let status = Status::parse(&account.status).unwrap_or(Status::Held);
    StatusReason::parse(&account.status_reason).text(status)
}

/// The row, its fields spelt as in events.
pub(super) fn as_json(account: &ListedAccount) -> Value {
    json!({
        "id": account.id,
        "operatorId": account.operator_id,
        "label": account.label,
        "status": account.status,
        "statusReason": account.status_reason,
        "statusText": text(account),
        "statusSince": account.status_since,
        "desired": account.desired,
        "phoneNumber": account.phone_number,
        "lastPhoneNumber": account.last_phone_number,
        "nextRetryAt": account.next_retry_at,
        "pairDeadline": account.pair_deadline,
        "proxy": account.proxy.as_deref().map(ProxyAddress::shown),
        "deviceName": account.device_name,
        "tags": account.tags,
        "desiredPhone": account.desired_phone,
        "hasKeys": account.has_keys,
        "createdAt": account.created_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_offered_as_a_shell_takes_it() {
        assert_eq!(quoted("lobby"), "lobby");
        assert_eq!(quoted("front desk"), "'front desk'");
        assert_eq!(quoted("Anna's"), r"'Anna'\''s'");
        assert_eq!(quoted("--yes"), "'--yes'");
    }
}
