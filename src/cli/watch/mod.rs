//! `paird watch` and `paird status --watch`: the fleet as it changes, drawn in a terminal or printed line by line.

mod fleet;
mod keyboard;
mod lines;
mod live;
mod screen;

use std::process::ExitCode;

use super::fleet_filter::FleetFilter;
use super::out::{self, Format};
use crate::config::Config;
use fleet::FleetPoller;

pub(super) async fn run(config: &Config, format: Format, filter: FleetFilter) -> anyhow::Result<ExitCode> {
    let poller = FleetPoller::open(config, format, filter).await?;
    if format == Format::Text && out::is_terminal() {
        live::run(poller).await?;
    } else {
        lines::run(poller, format).await?;
    }
    Ok(ExitCode::SUCCESS)
}
