//! `paird prune`: does at once what a daemon does every hour.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::database;
use super::exit::{Exit, failure};
use super::out::{self, Format};
use super::progress;
use crate::config::Config;
use crate::postgres::prune::{self, Pruned};

#[derive(Args, Debug)]
pub(super) struct PruneArgs {
    /// Counts what would go, and changes nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(config: &Config, format: Format, args: PruneArgs) -> anyhow::Result<ExitCode> {
    let PruneArgs { dry_run } = args;
    database::Database::connect_as_daemon(config, format).await?;
    let pool = database::dsn(config)?.pool()?;
    let spinner = progress::spinner("pruning");
    let pruned = prune::once(&pool, config.keep, dry_run).await;
    spinner.finish_and_clear();
    let pruned = pruned.map_err(|why| failure(Exit::Failed, why.to_string()))?;
    for consumer in &pruned.silent {
        let (name, last) = (&consumer.name, consumer.heard_at.to_utc().format("%Y-%m-%d"));
        format.remark(format_args!("consumer {name:?} was last heard of on {last}: nothing is kept for it any more"));
    }
    tell(format, dry_run, &pruned);
    Ok(ExitCode::SUCCESS)
}

fn tell(format: Format, dry_run: bool, pruned: &Pruned) {
    let labels: Vec<&str> = pruned.keyrings.iter().map(|keyring| keyring.label.as_str()).collect();
    if format == Format::Json {
        let keyrings: Vec<_> = pruned
            .keyrings
            .iter()
            .map(|keyring| json!({ "accountId": keyring.account, "label": keyring.label }))
            .collect();
        let silent: Vec<_> = pruned.silent.iter().map(|consumer| &consumer.name).collect();
        return out::json(&json!({
            "dryRun": dry_run, "events": pruned.events, "messages": pruned.messages, "bodies": pruned.bodies,
            "commands": pruned.commands, "accounts": pruned.accounts, "contactChecks": pruned.contact_checks,
            "pairingLinks": pruned.pairing_links, "auditEntries": pruned.audit,
            "keyrings": keyrings, "silentConsumers": silent,
        }));
    }
    let row = |kind: &str, count: String, note: String| vec![kind.to_owned(), count, note];
    let rows = [
        row("events", pruned.events.to_string(), String::new()),
        row("messages", pruned.messages.to_string(), String::new()),
        row("message bodies", pruned.bodies.to_string(), String::new()),
        row("commands", pruned.commands.to_string(), String::new()),
        row("deleted accounts", pruned.accounts.to_string(), String::new()),
        row("checked contacts", pruned.contact_checks.to_string(), String::new()),
        row("pairing links", pruned.pairing_links.to_string(), String::new()),
        row("audit entries", pruned.audit.to_string(), String::new()),
        row("keyrings", labels.len().to_string(), labels.join(", ")),
    ];
    out::raw(&out::table(&["KIND", if dry_run { "WOULD GO" } else { "PRUNED" }, ""], &rows));
}
