//! `paird link`: links by which whoever has the phone pairs an account.

use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, SecondsFormat};
use clap::Args;
use paird_actors::domain::Phone;
use paird_sql::queries::cli::ListedAccount;
use paird_sql::queries::pairing_links::{
    ListedPairingLink, create_pairing_link, list_pairing_links, revoke_pairing_link,
};
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::AccountArg;
use super::database::{Database, explained};
use super::exit::{Exit, failure};
use super::out::{self, Format};
use crate::config::Config;
use crate::console::{NOWHERE, url_of};

/// Stands for the end of the attempt that is running.
const ATTEMPT: &str = "attempt";

#[derive(Args, Debug)]
pub(super) struct LinkArgs {
    #[command(flatten)]
    account: AccountArg,
    /// How long it can be opened, such as 2h or 7d; or `attempt`: as long as the pair attempt that is running.
    #[arg(long, value_name = "DURATION|attempt", default_value = "1d", value_parser = expiry)]
    expires: Expiry,
    /// It can be used once, which is the default: until a phone was linked.
    #[arg(long, conflicts_with = "uses")]
    once: bool,
    /// It can be used again after the account was unlinked: until a phone was linked so many times.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=100))]
    uses: i32,
    /// The only number that may be linked through it.
    #[arg(long, value_name = "PHONE")]
    expect: Option<String>,
    /// Lists the account's links, without what opens them.
    #[arg(long, conflicts_with_all = ["revoke", "expires", "once", "uses", "expect"])]
    list: bool,
    /// Revokes the link with this id. An attempt that was begun through it ends.
    #[arg(long, value_name = "ID", conflicts_with_all = ["expires", "once", "uses", "expect"])]
    revoke: Option<Uuid>,
}

/// When a link expires; `None`: with the attempt that is running.
#[derive(Clone, Copy, Debug)]
struct Expiry(Option<Duration>);

fn expiry(text: &str) -> Result<Expiry, String> {
    if text == ATTEMPT {
        return Ok(Expiry(None));
    }
    let wrong = |_| format!("not a duration such as 2h or 7d, and not `{ATTEMPT}`");
    humantime::parse_duration(text).map(|duration| Expiry(Some(duration))).map_err(wrong)
}

pub(super) async fn run(config: &Config, format: Format, args: LinkArgs) -> anyhow::Result<ExitCode> {
    let database = Database::connect(config, format).await?;
    let account = database.account(&args.account.account).await?;
    if args.list {
        return list(&database, format, &account).await;
    }
    match args.revoke {
        Some(link) => revoke(&database, format, &account, link).await,
        None => create(config, &database, format, &account, &args).await,
    }
}

async fn create(
    config: &Config,
    database: &Database,
    format: Format,
    account: &ListedAccount,
    args: &LinkArgs,
) -> anyhow::Result<ExitCode> {
    let base = config.link_url.as_deref().ok_or_else(|| failure(Exit::Usage, NOWHERE))?;
    let expect = args.expect.as_deref().map(Phone::parse).transpose();
    let expect = expect.map_err(|wrong| failure(Exit::Usage, format!("--expect: {wrong}")))?;
    let (seconds, expect) = (args.expires.0.map(|time| time.as_secs_f64()), expect.as_ref().map(Phone::digits));
    let uses = if args.once { 1 } else { args.uses };
    let made = create_pairing_link().bind(&database.client, &account.id, &seconds, &uses, &expect, &"cli").one().await;
    let made = made.map_err(refused)?;
    let url = url_of(base, &made.token);
    let until = time(&made.expires_at);
    let document = json!({
        "id": made.id, "accountId": account.id, "label": account.label, "url": url, "expiresAt": made.expires_at,
        "uses": uses,
    });
    format.tell(&url, &document);
    if format == Format::Text {
        let often = if uses == 1 { "until a phone is linked".to_owned() } else { format!("for {uses} links") };
        out::remark(format_args!(
            "{}: whoever has this link can pair the account, {often}, at the latest {until}; it is not shown again. \
             Revoke it with: paird link {} --revoke {}",
            account.label, account.id, made.id
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(database: &Database, format: Format, account: &ListedAccount) -> anyhow::Result<ExitCode> {
    let links = list_pairing_links().bind(&database.client, &account.id).all().await.map_err(explained)?;
    match format {
        Format::Json => out::json(&links.iter().map(as_json).collect()),
        Format::Text if links.is_empty() => out::line(format_args!("{}: no pairing links", account.label)),
        Format::Text => {
            let rows: Vec<Vec<String>> = links.iter().map(row).collect();
            out::raw(&out::table(&["STATE", "USES LEFT", "EXPIRES", "OPENED", "BY", "ID"], &rows));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(database: &Database, format: Format, account: &ListedAccount, link: Uuid) -> anyhow::Result<ExitCode> {
    let revoked = revoke_pairing_link().bind(&database.client, &"cli", &link, &account.id).opt().await;
    match revoked.map_err(explained)? {
        Some(true) => {
            let document = json!({ "id": link, "accountId": account.id, "label": account.label, "revoked": true });
            format.tell(format_args!("{}: link {link} opens nothing any more", account.label), &document);
            Ok(ExitCode::SUCCESS)
        }
        Some(false) => Err(failure(Exit::Failed, format!("link {link} was used up, revoked or has expired already"))),
        None => Err(failure(Exit::Failed, format!("{:?} has no link {link}: paird link --list", account.label))),
    }
}

fn refused(error: tokio_postgres::Error) -> anyhow::Error {
    match error.as_db_error() {
        Some(refused) if *refused.code() == SqlState::INVALID_PARAMETER_VALUE => {
            failure(Exit::Usage, refused.message().replace("expires_in", "--expires"))
        }
        Some(refused) if *refused.code() == SqlState::CONFIGURATION_LIMIT_EXCEEDED => {
            failure(Exit::Failed, refused.message())
        }
        Some(_) | None => explained(error),
    }
}

fn time(at: &DateTime<FixedOffset>) -> String {
    at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn as_json(link: &ListedPairingLink) -> Value {
    json!({
        "id": link.id,
        "state": link.state,
        "source": link.source,
        "createdAt": link.created_at,
        "expiresAt": link.expires_at,
        "usesLeft": link.uses_left,
        "expectPhone": link.expect_phone,
        "firstOpenedAt": link.first_opened_at,
        "lastUsedAt": link.last_used_at,
        "revokedAt": link.revoked_at,
    })
}

fn row(link: &ListedPairingLink) -> Vec<String> {
    vec![
        link.state.clone(),
        link.uses_left.to_string(),
        time(&link.expires_at),
        link.first_opened_at.as_ref().map_or_else(|| "never".to_owned(), time),
        link.source.clone(),
        link.id.to_string(),
    ]
}
