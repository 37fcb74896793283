//! `paird health`: whether the daemon of this machine lives, for a container's check.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::console::address;
use super::database::Database;
use super::out::Format;
use crate::config::Config;
use crate::postgres::host;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Without an option the database is asked, which a daemon outlives.
#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// Ask the daemon of this data directory itself whether it is stuck; for a liveness probe.
    #[arg(long)]
    live: bool,
    /// Ask it whether it takes work: database, lease, no drain; for a readiness probe.
    #[arg(long, conflicts_with = "live")]
    ready: bool,
}

pub(super) async fn run(config: &Config, format: Format, args: HealthArgs) -> anyhow::Result<ExitCode> {
    match (args.live, args.ready) {
        (true, _) => probe(config, format, "/healthz", "alive").await,
        (false, true) => probe(config, format, "/readyz", "ready").await,
        (false, false) => lease(config, format).await,
    }
}

/// Asks the daemon directly, ignoring any proxy in the environment.
async fn probe(config: &Config, format: Format, path: &str, good: &'static str) -> anyhow::Result<ExitCode> {
    let url = format!("http://{}{path}", whom_to_ask(config)?);
    let ask = move || {
        let agent = ureq::Agent::config_builder().proxy(None).timeout_global(Some(ANSWER_TIMEOUT)).build();
        ureq::Agent::from(agent).get(url).call().map(drop)
    };
    let answer = tokio::task::spawn_blocking(ask).await?;
    let said = match &answer {
        Ok(()) => good.to_owned(),
        Err(why) => format!("not {good}: {why}"),
    };
    format.tell(said, &json!({good: answer.is_ok()}));
    Ok(if answer.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The console, or where that is off the probe listener: both have the paths.
fn whom_to_ask(config: &Config) -> anyhow::Result<SocketAddr> {
    let console = address(config);
    if console.is_ok() {
        return console;
    }
    let told = std::fs::read_to_string(config.probe_addr_file()).ok().and_then(|text| text.trim().parse().ok());
    let Some(mut probes) = told.or(config.probe_addr) else { return console };
    if probes.ip().is_unspecified() {
        probes.set_ip(match probes.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(probes)
}

async fn lease(config: &Config, format: Format) -> anyhow::Result<ExitCode> {
    let host = host();
    let daemons = Database::connect_as_daemon(config, format).await?.live_daemons_on(&host).await?;
    let alive = daemons > 0;
    let said = if alive { "alive".to_owned() } else { format!("no daemon of {host} holds a live lease") };
    format.tell(said, &json!({"host": host, "daemons": daemons, "alive": alive}));
    Ok(if alive { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
