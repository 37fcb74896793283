//! `paird health`: whether the daemon of this machine lives, for a container's check.

use std::process::ExitCode;

use serde_json::json;

use super::database::Database;
use super::out::Format;
use crate::config::Config;
use crate::postgres::host;

pub(super) async fn run(config: &Config, format: Format) -> anyhow::Result<ExitCode> {
    let host = host();
    let daemons = Database::connect(config, format).await?.live_daemons_on(&host).await?;
    let alive = daemons > 0;
    let said = if alive { "alive".to_owned() } else { format!("no daemon of {host} holds a live lease") };
    format.tell(said, &json!({"host": host, "daemons": daemons, "alive": alive}));
    Ok(if alive { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
