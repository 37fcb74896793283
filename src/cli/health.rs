//! `paird health`: whether the daemon of this machine lives, for a container's check.

use std::process::ExitCode;

use super::database::Database;
use super::out;
use crate::config::Config;
use crate::postgres::host;

pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let host = host();
    if Database::connect(config).await?.live_daemons_on(&host).await? == 0 {
        out::line(format_args!("no daemon of {host} holds a live lease"));
        return Ok(ExitCode::FAILURE);
    }
    out::line("alive");
    Ok(ExitCode::SUCCESS)
}
