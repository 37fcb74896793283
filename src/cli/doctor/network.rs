//! The daemon's console, and WhatsApp.

use super::Finding;
use super::server::skew;
use crate::cli::console::ConsoleClient;
use crate::cli::exit::Exit;
use crate::config::Config;
use crate::whatsapp::reachability::{self, Reached};

pub(super) async fn console(config: &Config) -> Finding {
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

/// Not to be reached from here does not say that the daemon cannot reach it.
pub(super) async fn whatsapp(config: &Config) -> Vec<Finding> {
    let asked = chrono::Utc::now();
    let reached = match reachability::whatsapp(config.whatsapp_url.clone()).await {
        Ok(reached) => reached,
        Err(why) => {
            let advice = if cfg!(feature = "sandbox") {
                "this build talks only to a sandbox: start paird sandbox, and set PAIRD_WHATSAPP_URL to the URL it prints"
            } else {
                "let this machine reach web.whatsapp.com by HTTPS, port 443: firewall, proxy, DNS"
            };
            return vec![Finding::warn("whatsapp", format!("not reachable from here: {why}"), advice)];
        }
    };
    let answered = chrono::Utc::now();
    let Reached { server, version, date } = reached;
    let mut findings = vec![Finding::ok("whatsapp", format!("{server} answers; web version {version}"))];
    findings.extend(date.map(|theirs| skew("whatsapp", "its", asked, theirs, answered)));
    findings
}
