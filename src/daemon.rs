//! The daemon: starts everything, waits for the end, stops everything.

use crate::config::Config;

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// What keeps it from starting, in one line.
#[expect(clippy::unused_async, reason = "the wiring follows")]
pub async fn serve(_config: Config) -> anyhow::Result<()> {
    anyhow::bail!("the daemon is not wired yet")
}
