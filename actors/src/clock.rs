//! The one clock of the shells.

use std::sync::OnceLock;

use chrono::Utc;

use crate::domain::Instant;

/// Now: the wall time at the first call, carried on by the monotonic clock, so
/// that a corrected wall clock neither fires nor delays a deadline.
#[expect(clippy::disallowed_methods, reason = "the only place that reads a clock")]
pub fn now() -> Instant {
    static ANCHOR: OnceLock<(std::time::Instant, Instant)> = OnceLock::new();
    let (started, wall) = ANCHOR.get_or_init(|| (std::time::Instant::now(), Instant::from(Utc::now())));
    wall.after(started.elapsed())
}
