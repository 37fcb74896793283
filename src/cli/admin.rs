//! Commands to the daemon itself, rather than to an account: inspect, sweep, resync, drain,
//! restart.

use std::process::ExitCode;

use clap::Subcommand;
use paird_actors::{clock, ports::FleetStore as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::console::ConsoleClient;
use super::database::{self, Database};
use super::exit::{Exit, failure};
use super::out::{self, Format};
use super::progress;
use crate::config::Config;
use crate::postgres::{lease, outbox::Waker, store::PgStore};

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Says what runs in the daemon's memory: one account's machine, or all of them.
    Inspect {
        /// Label or id of the account.
        #[arg(value_name = "LABEL|ID", required_unless_present = "all")]
        account: Option<String>,
        #[arg(long, conflicts_with = "account")]
        all: bool,
    },
    /// Parks pair attempts that were left behind, as each start of a daemon does.
    Sweep {
        /// Says which, and changes nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Makes the daemon compare everything with the database now.
    Resync,
    /// Makes the daemon disconnect every account, without logging out, and take no new ones.
    Drain {
        /// Takes a drain back: the daemon takes its share of the accounts again.
        #[arg(long)]
        undo: bool,
    },
    /// Closes an account's connection and starts it again from its row.
    Restart {
        /// Label or id of the account.
        #[arg(value_name = "LABEL|ID")]
        account: String,
    },
}

pub(super) async fn run(config: &Config, format: Format, command: AdminCommand) -> anyhow::Result<ExitCode> {
    match command {
        AdminCommand::Inspect { account: Some(account), .. } => inspect(config, format, &account).await,
        AdminCommand::Inspect { account: None, .. } => inspect_all(config, format).await,
        AdminCommand::Sweep { dry_run } => sweep(config, format, dry_run).await,
        AdminCommand::Resync => {
            ConsoleClient::of(config)?.post("/api/resync", json!({})).await?;
            format.tell("compared with the database from now on", &json!({ "resync": "asked" }));
            Ok(ExitCode::SUCCESS)
        }
        AdminCommand::Drain { undo: true } => {
            let answer = ConsoleClient::of(config)?.delete("/api/drain").await?;
            let was_draining = answer.get("wasDraining").and_then(Value::as_bool).unwrap_or_default();
            let words = if was_draining {
                "the drain is taken back: this daemon takes its share of the accounts again"
            } else {
                "this daemon was not drained: it takes its share of the accounts"
            };
            format.tell(words, &json!({ "wasDraining": was_draining }));
            Ok(ExitCode::SUCCESS)
        }
        AdminCommand::Drain { undo: false } => {
            let console = ConsoleClient::of(config)?;
            let spinner = progress::spinner("disconnecting every account");
            let drained = console.post("/api/drain", json!({})).await;
            spinner.finish_and_clear();
            let accounts = drained?.get("accounts").and_then(Value::as_u64).unwrap_or(0);
            let words = format!(
                "drained: {accounts} accounts given back, none logged out; this daemon takes none until paird drain --undo, or a start"
            );
            format.tell(words, &json!({ "accounts": accounts }));
            Ok(ExitCode::SUCCESS)
        }
        AdminCommand::Restart { account } => restart(config, format, &account).await,
    }
}

async fn inspect(config: &Config, format: Format, wanted: &str) -> anyhow::Result<ExitCode> {
    let account = Database::connect(config, format).await?.account(wanted).await?;
    let seen = ConsoleClient::of(config)?.get(&format!("/api/accounts/{}/inspection", account.id)).await;
    let seen = seen.map_err(|why| why.context(account.label))?;
    match format {
        Format::Json => out::json(&seen),
        Format::Text => {
            // Prints every field, since a newer daemon may send more.
            for (name, value) in seen.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
                out::line(format_args!("{:<14} {}", spaced(name), told(value)));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn inspect_all(config: &Config, format: Format) -> anyhow::Result<ExitCode> {
    let mut answer = ConsoleClient::of(config)?.get("/api/inspections").await?;
    let seen = answer.get_mut("inspections").map(Value::take).unwrap_or_default();
    match (format, seen.as_array()) {
        (Format::Json, _) => out::json(&seen),
        (Format::Text, all) if all.is_none_or(Vec::is_empty) => {
            out::line("this daemon runs no account: all are at rest, or another daemon's")
        }
        (Format::Text, all) => {
            let columns = ["label", "state", "deadline", "status", "statusReason", "hasKeys", "fence", "accountId"];
            let row = |one: &Value| columns.iter().map(|name| one.get(name).map(told).unwrap_or_default()).collect();
            let rows: Vec<Vec<String>> = all.into_iter().flatten().map(row).collect();
            out::raw(&out::table(&["LABEL", "STATE", "UNTIL", "STATUS", "REASON", "KEYS", "FENCE", "ID"], &rows));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn restart(config: &Config, format: Format, wanted: &str) -> anyhow::Result<ExitCode> {
    let account = Database::connect(config, format).await?.account(wanted).await?;
    let console = ConsoleClient::of(config)?;
    let restarted = console.post(&format!("/api/accounts/{}/restart", account.id), json!({})).await;
    restarted.map_err(|why| why.context(account.label.clone()))?;
    let document = json!({ "accountId": account.id, "label": account.label, "restarted": true });
    format.tell(format_args!("{}: restarted from its row", account.label), &document);
    Ok(ExitCode::SUCCESS)
}

/// Runs the daemon's sweep. Without a daemon nothing can be parked, so it lists what the next
/// one will park.
async fn sweep(config: &Config, format: Format, dry_run: bool) -> anyhow::Result<ExitCode> {
    let asked = match ConsoleClient::of(config) {
        Ok(console) => console.post("/api/sweep", json!({ "dryRun": dry_run })).await,
        Err(why) => Err(why),
    };
    let mut is_dry = dry_run;
    let swept = match asked {
        Ok(answer) => answer.get("swept").and_then(Value::as_array).cloned().unwrap_or_default(),
        Err(why) if Exit::of(&why) == Exit::NoDaemon => {
            let swept = look_here(config).await?;
            format.remark("no daemon was reached: these will be parked as soon as one runs");
            is_dry = true;
            swept
        }
        Err(why) => return Err(why),
    };
    let verb = if is_dry { "would park" } else { "parks" };
    match format {
        Format::Json => out::json(&json!({ "dryRun": is_dry, "swept": swept })),
        Format::Text if swept.is_empty() => out::line("nothing to sweep: no pair attempt was left behind"),
        Format::Text => {
            for one in &swept {
                let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or("?");
                out::line(format_args!("{}: {verb}, {}", text("label"), text("why")));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn look_here(config: &Config) -> anyhow::Result<Vec<Value>> {
    let pool = database::dsn(config)?.pool()?;
    lease::keep_the_databases_time(&pool).await.map_err(|why| failure(Exit::DatabaseAway, why.to_string()))?;
    let store = PgStore::new(pool, Uuid::now_v7(), Waker::default(), std::sync::Arc::default());
    let pending = store.list_pending().await.map_err(|why| failure(Exit::DatabaseAway, why.to_string()))?;
    let now = clock::now();
    let told = pending.into_iter().filter_map(|attempt| {
        let why = attempt.staleness(&config.policy(), now)?;
        Some(json!({ "accountId": attempt.account.0, "label": attempt.label, "why": why }))
    });
    Ok(told.collect())
}

fn told(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// `waitingUntil` as people write it.
fn spaced(name: &str) -> String {
    name.chars().fold(String::new(), |mut text, c| {
        if c.is_uppercase() {
            text.push(' ');
        }
        text.extend(c.to_lowercase());
        text
    })
}
