//! `paird status`: one account in full, or all in a table.

use std::process::ExitCode;

use chrono::{DateTime, FixedOffset, SecondsFormat};
use paird_actors::domain::{Status, StatusReason};
use paird_sql::queries::cli::ListedAccount;

use super::account_filter::FilterArgs;
use super::accounts;
use super::database::Database;
use super::out::{self, Format};
use crate::config::Config;

pub(super) async fn run(config: &Config, format: Format, wanted: Option<&str>) -> anyhow::Result<ExitCode> {
    let database = Database::connect(config, format).await?;
    let Some(wanted) = wanted else {
        return accounts::list(&database, format, &FilterArgs::default()).await;
    };
    let account = database.account(wanted).await?;
    match format {
        Format::Json => out::json(&accounts::as_json(&account)),
        Format::Text => {
            for (name, value) in lines(&account) {
                out::line(format_args!("{name:<12} {value}"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(account: &ListedAccount) -> Vec<(&'static str, String)> {
    let time = |at: &DateTime<FixedOffset>| at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true);
    let phone = |digits: &String| format!("+{digits}");
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
