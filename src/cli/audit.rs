//! `paird audit`: the audit log.

use std::process::ExitCode;

use chrono::SecondsFormat;
use clap::Args;
use paird_sql::queries::cli::{self, AuditRow};
use serde_json::{Value, json};

use super::database::{Database, explained};
use super::events::{DEFAULT_LIMIT, remark_on_the_rest};
use super::out::{self, Format};
use super::when::{Range, When};
use crate::config::Config;

#[derive(Args, Debug)]
pub(super) struct AuditArgs {
    /// Only of this account: a label, or an id, of a deleted one, too.
    #[arg(value_name = "LABEL|ID")]
    account: Option<String>,
    /// Only from this time on, such as 2h, 3d or 2026-11-30T10:00 (UTC).
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// Only before this time.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    until: Option<When>,
    /// Only the last ones of those; 100 where neither --since nor --until is given.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i64).range(1..))]
    limit: Option<i64>,
}

pub(super) async fn run(config: &Config, format: Format, args: AuditArgs) -> anyhow::Result<ExitCode> {
    let database = Database::connect(config, format).await?;
    let account = match &args.account {
        Some(wanted) => Some(database.account_ever(wanted).await?),
        None => None,
    };
    let Range { earliest, latest } = Range::of(&database, args.since, args.until).await?;
    let is_usual = args.limit.is_none() && earliest.is_none() && latest.is_none();
    let limit = if is_usual { DEFAULT_LIMIT } else { args.limit.unwrap_or(i64::MAX) };
    let found = cli::list_audit_entries().bind(&database.client, &account, &earliest, &latest, &limit).all().await;
    let entries = found.map_err(explained)?;
    match format {
        Format::Json => out::json(&entries.iter().map(as_json).collect()),
        Format::Text => {
            let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
            out::raw(&out::table(&["AT", "BY", "LOGIN", "ACTION", "ACCOUNT", ""], &rows));
        }
    }
    if is_usual {
        remark_on_the_rest(format, entries.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(entry: &AuditRow) -> Value {
    json!({
        "id": entry.id,
        "operatorId": entry.operator_id,
        "source": entry.source,
        "sentBy": entry.sent_by,
        "channel": entry.channel,
        "action": entry.action,
        "targetType": entry.target_type,
        "targetId": entry.target_id,
        "payload": entry.payload,
        "createdAt": entry.created_at,
    })
}

fn row(entry: &AuditRow) -> Vec<String> {
    let text = |name: &str| entry.payload.get(name).and_then(Value::as_str);
    let target = entry.target_id.map_or_else(String::new, |id| id.to_string());
    vec![
        entry.created_at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true),
        entry.source.clone(),
        entry.sent_by.clone().unwrap_or_default(),
        entry.action.clone(),
        text("label").map_or(target, str::to_owned),
        text("raw").unwrap_or_default().to_owned(),
    ]
}
