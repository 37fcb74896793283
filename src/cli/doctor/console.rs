//! The daemon's console.

use super::Finding;
use crate::cli::console::ConsoleClient;
use crate::cli::exit::Exit;
use crate::config::Config;

pub(super) async fn look(config: &Config) -> Finding {
    let console = match ConsoleClient::of(config) {
        Ok(console) => console,
        Err(why) => return unreachable(&why),
    };
    match console.get("/api/inspections").await {
        Ok(_) => Finding::ok("console", format!("answers on {}", console.address())),
        Err(why) => unreachable(&why),
    }
}

fn unreachable(why: &anyhow::Error) -> Finding {
    if Exit::of(why) == Exit::NoDaemon {
        return Finding::warn(
            "console",
            format!("{why:#}"),
            "paird inspect, restart, resync and drain need it; the rest does not",
        );
    }
    Finding::fail("console", format!("{why:#}"), "fix that: paird inspect, restart, resync and drain need it")
}
