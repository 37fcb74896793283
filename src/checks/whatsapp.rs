//! WhatsApp, or the sandbox in its place.

use super::{Finding, server::skew};
use crate::config::Config;
use crate::whatsapp::reachability::{self, Reached};

/// Not to be reached from here does not say that the daemon cannot reach it.
pub(crate) async fn look(config: &Config) -> Vec<Finding> {
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
