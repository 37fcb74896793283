//! The daemons of the database, and what dead ones still hold.

use paird_sql::{client::GenericClient, queries::doctor as sql};

use super::Finding;

/// What to do about a drained daemon.
pub(super) const AFTER_DRAINING: &str = "paird drain --undo when the maintenance is over, or start another daemon";

pub(crate) async fn look<C: GenericClient>(database: &C) -> Result<Vec<Finding>, tokio_postgres::Error> {
    let all = sql::list_daemons().bind(database).all().await?;
    let (alive, dead): (Vec<_>, Vec<_>) = all.into_iter().partition(|daemon| daemon.alive);
    let mut findings = Vec::new();
    let described: Vec<String> = alive
        .iter()
        .map(|one| {
            let draining = if one.draining { ", draining" } else { "" };
            format!("{} on {} (process {}, {} accounts{draining})", one.version, one.host, one.pid, one.accounts)
        })
        .collect();
    findings.push(match alive.iter().find(|one| one.version != env!("CARGO_PKG_VERSION")) {
        _ if alive.is_empty() => Finding::fail("daemons", "none runs on this database", "start paird serve"),
        Some(other) => Finding::warn(
            "daemons",
            described.join(", "),
            format!("this paird is {}, that daemon {}: upgrade the older", env!("CARGO_PKG_VERSION"), other.version),
        ),
        None if alive.iter().all(|one| one.draining) => Finding::warn(
            "daemons",
            format!("{}: they take no accounts and no commands", described.join(", ")),
            AFTER_DRAINING,
        ),
        None => Finding::ok("daemons", described.join(", ")),
    });
    let holding: Vec<_> = dead.iter().filter(|one| one.accounts > 0).collect();
    if !holding.is_empty() {
        let list: Vec<_> = holding
            .iter()
            .map(|one| {
                format!("{} on {} ({} accounts, silent for {:.0} s)", one.pid, one.host, one.accounts, one.silent_secs)
            })
            .collect();
        let advice = match alive.is_empty() {
            true => "start paird serve: it takes their accounts over",
            false => "nothing if they are taken over within seconds; if not, look at the daemon's log",
        };
        findings.push(Finding::warn("leases", format!("run out: process {}", list.join(", ")), advice));
    } else {
        findings.push(Finding::ok("leases", "no dead daemon holds an account"));
    }
    Ok(findings)
}
