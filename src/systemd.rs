//! Notifies systemd, or another service manager that speaks sd_notify(3), that the daemon is
//! up, alive or stopping. Does nothing without one.
//!
//! The crate reads NOTIFY_SOCKET and WATCHDOG_USEC itself: they are words between systemd
//! and its library, not settings of ours.

use std::convert::Infallible;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::MissedTickBehavior;
use tracing::warn;

/// How often the status line is looked after where no watchdog wants to hear sooner.
const BEAT: Duration = Duration::from_secs(15);

/// The daemon takes commands.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The daemon was asked to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping: disconnecting every account")]);
}

/// A line for `systemctl status`.
pub fn status(line: &str) {
    tell(&[NotifyState::Status(line)]);
}

/// Pings the watchdog while the supervisor answers `headcount`, the number of running
/// accounts. Run it in the daemon's main loop, so that a hanging loop stops the pings, too.
pub async fn beat(headcount: impl AsyncFnMut() -> Option<usize>) -> Infallible {
    // Twice in the time, as sd_watchdog_enabled(3) advises.
    let every = sd_notify::watchdog_enabled().map_or(BEAT, |within| within / 2);
    beat_every(every.max(Duration::from_millis(1)), headcount, tell).await
}

async fn beat_every(
    every: Duration,
    mut headcount: impl AsyncFnMut() -> Option<usize>,
    mut say: impl FnMut(&[NotifyState<'_>]),
) -> Infallible {
    let mut told = None;
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let running = headcount().await;
        if running.is_some() {
            say(&[NotifyState::Watchdog]);
        }
        if running != told {
            told = running;
            say(&[NotifyState::Status(&line(running))]);
        }
    }
}

fn line(running: Option<usize>) -> String {
    match running {
        Some(1) => "1 account runs here".to_owned(),
        Some(running) => format!("{running} accounts run here"),
        None => "the supervisor is gone".to_owned(),
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(why) = sd_notify::notify(states) {
        warn!(%why, "failed to notify systemd");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(within: Duration, headcount: impl AsyncFnMut() -> Option<usize>) -> Vec<String> {
        let mut said = Vec::new();
        let say = |states: &[NotifyState<'_>]| said.extend(states.iter().map(ToString::to_string));
        let beating = beat_every(Duration::from_secs(1), headcount, say);
        assert!(tokio::time::timeout(within, beating).await.is_err());
        said
    }

    #[tokio::test(start_paused = true)]
    async fn every_answer_feeds_the_watchdog_only_news_change_the_status() {
        let mut running = [1, 1, 2].into_iter().cycle();
        let said = said(Duration::from_millis(2_500), async || running.next()).await;
        let beat = "WATCHDOG=1";
        assert_eq!(said, [beat, "STATUS=1 account runs here", beat, beat, "STATUS=2 accounts run here"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hung_or_gone_supervisor_stops_the_watchdog_pings() {
        let hangs = said(Duration::from_secs(600), async || std::future::pending().await).await;
        assert_eq!(hangs, Vec::<String>::new());
        let gone = said(Duration::from_secs(600), async || None).await;
        assert!(!gone.iter().any(|state| state.starts_with("WATCHDOG")), "{gone:?}");
    }
}
