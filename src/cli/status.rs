//! `paird status`: one account in full, or all in a table.

use std::process::ExitCode;

use chrono::{DateTime, FixedOffset, SecondsFormat};
use clap::Args;
use paird_actors::domain::{Status, StatusReason};
use paird_sql::queries::cli::{ListedAccount, get_database_time};

use super::database::{Database, explained};
use super::fleet_filter::{FleetFilter, SortOrder};
use super::out::{self, Format};
use super::{accounts, watch};
use crate::config::Config;

#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    /// Label or id; all accounts if absent.
    #[arg(value_name = "LABEL|ID", conflicts_with_all = ["status", "operator", "reason", "search"])]
    account: Option<String>,
    #[command(flatten)]
    filter: FleetFilter,
    /// Shows it live, as `paird watch` does.
    #[arg(long)]
    watch: bool,
}

pub(super) async fn run(config: &Config, format: Format, args: StatusArgs) -> anyhow::Result<ExitCode> {
    let database = Database::connect(config, format).await?;
    let account = match &args.account {
        Some(wanted) => Some(database.account(wanted).await?),
        None => None,
    };
    match (account, args.watch) {
        (None, false) => return list(&database, format, &args.filter).await,
        (None, true) => return watch::run(config, format, args.filter).await,
        (Some(account), true) => return watch::run(config, format, FleetFilter::only(account.id)).await,
        (Some(account), false) if format == Format::Json => out::json(&accounts::as_json(&account)),
        (Some(account), false) => {
            for (name, value) in lines(&account) {
                out::line(format_args!("{name:<12} {value}"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The accounts that the filter lets through, in its order.
async fn list(database: &Database, format: Format, filter: &FleetFilter) -> anyhow::Result<ExitCode> {
    let (accounts, others) = filter.split(database.accounts().await?);
    print(database, format, &accounts, &others, filter.sort).await
}

/// Those that were looked for, in this order, and the others, which are not shown.
pub(super) async fn print(
    database: &Database,
    format: Format,
    accounts: &[ListedAccount],
    others: &[ListedAccount],
    sort: SortOrder,
) -> anyhow::Result<ExitCode> {
    match format {
        Format::Json => out::json(&accounts.iter().map(accounts::as_json).collect()),
        Format::Text if accounts.is_empty() && others.is_empty() => {
            out::line("no accounts yet: paird accounts add LABEL");
        }
        Format::Text if accounts.is_empty() => {
            out::line(format_args!("none of {} accounts is like that", others.len()))
        }
        Format::Text => {
            let now = get_database_time().bind(&database.client).one().await.map_err(explained)?;
            // Of all accounts: the columns do not depend on what is looked for.
            let is_shared = accounts::has_several(accounts.iter().chain(others).map(|account| account.operator_id));
            let has_tags = accounts.iter().chain(others).any(|account| !account.tags.is_empty());
            out::raw(&table(accounts, now, Extra { is_shared, has_tags }, sort));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Columns that are shown if there is a reason to.
#[derive(Clone, Copy)]
struct Extra {
    is_shared: bool,
    has_tags: bool,
}

fn table(accounts: &[ListedAccount], now: DateTime<FixedOffset>, extra: Extra, sort: SortOrder) -> String {
    let Extra { is_shared, has_tags } = extra;
    let mut header = vec!["LABEL", "STATUS", "REASON", "PHONE", "SINCE", "ID"];
    // What it is sorted by is shown.
    let retries = sort == SortOrder::Retry;
    header.extend(retries.then_some("NEXT TRY"));
    header.extend(has_tags.then_some("TAGS"));
    // A number is linked once per operator, so rows of several are not to be confused.
    header.extend(is_shared.then_some("OPERATOR"));
    // A person wants to know how long; a program when.
    let is_clipped = out::columns().is_some();
    let since = |at: DateTime<FixedOffset>| if is_clipped { out::age(now - at) } else { time(&at) };
    let until = |at: DateTime<FixedOffset>| if is_clipped { format!("in {}", out::age(at - now)) } else { time(&at) };
    let rows: Vec<Vec<String>> = accounts
        .iter()
        .map(|account| {
            let mut row = vec![
                account.label.clone(),
                account.status.clone(),
                account.status_reason.clone(),
                account.phone_number.as_ref().map(phone).unwrap_or_default(),
                since(account.status_since),
                account.id.to_string(),
            ];
            row.extend(retries.then(|| account.next_retry_at.map(until).unwrap_or_default()));
            row.extend(has_tags.then(|| account.tags.join(", ")));
            row.extend(is_shared.then(|| account.operator_id.to_string()));
            row
        })
        .collect();
    out::table(&header, &rows)
}

fn time(at: &DateTime<FixedOffset>) -> String {
    at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn phone(digits: &String) -> String {
    format!("+{digits}")
}

fn lines(account: &ListedAccount) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("label", account.label.clone()),
        ("id", account.id.to_string()),
        ("operator", account.operator_id.to_string()),
        ("status", format!("{} ({}) since {}", account.status, account.status_reason, time(&account.status_since))),
        ("meaning", accounts::text(account)),
        ("wanted", account.desired.clone()),
        ("keys", keys(account).to_owned()),
    ];
    let optional = [
        ("phone", account.phone_number.as_ref().map(phone)),
        ("only phone", account.desired_phone.as_ref().map(phone)),
        ("tags", (!account.tags.is_empty()).then(|| account.tags.join(", "))),
        ("last phone", account.last_phone_number.as_ref().map(phone)),
        ("next retry", account.next_retry_at.as_ref().map(time)),
        ("to do", StatusReason::parse(&account.status_reason).advice().map(str::to_owned)),
        ("pair until", account.pair_deadline.as_ref().map(time)),
    ];
    lines.extend(optional.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))));
    lines.push(("created", time(&account.created_at)));
    lines
}

/// Of a link: in use, kept for `paird resume`, or none.
fn keys(account: &ListedAccount) -> &'static str {
    match (account.has_keys, Status::parse(&account.status)) {
        (false, _) => "none",
        (true, Some(Status::Connected | Status::Reconnecting | Status::Held)) => "held",
        (true, _) => "parked: paird resume connects it again",
    }
}
