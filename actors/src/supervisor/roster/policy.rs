use std::time::Duration;

use crate::domain::Backoff;

/// Every duration and limit of a roster. Values, so a test can choose them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RosterPolicy {
    /// Before a crashed actor is started again.
    pub restart: Backoff,
    /// An actor that ran this long has earned a fresh start.
    pub stable_after: Duration,
    /// Between two looks at the database when the last one failed.
    pub poll_retry: Duration,
    /// Before a write that the database did not answer is repeated.
    pub write_retry: Backoff,
    /// A write that failed is due so soon once the database is known to answer again.
    pub write_retry_when_back: Duration,
    /// Between two rounds of claims or of giving up.
    pub round: Duration,
    /// The most accounts that are claimed, or given up, in one round.
    pub per_round: u32,
    /// So many accounts more than the daemon that has fewest are never a reason to move one.
    pub tolerated: u32,
}

impl Default for RosterPolicy {
    fn default() -> Self {
        Self {
            restart: Backoff::new(Duration::from_secs(1), Duration::from_secs(300)),
            stable_after: Duration::from_secs(120),
            poll_retry: Duration::from_secs(1),
            write_retry: Backoff::new(Duration::from_secs(1), Duration::from_secs(60)),
            write_retry_when_back: Duration::from_secs(1),
            round: Duration::from_secs(1),
            per_round: 50,
            tolerated: 8,
        }
    }
}
