//! The one clock of the shells.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::Utc;
use tokio::sync::watch;

use crate::domain::Instant;

/// Largest error of the clock that is left uncorrected.
const TOLERANCE: Duration = Duration::from_secs(2);

/// Now, by the database's clock: what [`correct`] said last, carried on by the monotonic
/// clock, so that a host's clock that is set neither fires nor delays a deadline. Until it
/// said something, the host's wall time at the first call.
pub fn now() -> Instant {
    clock().at(elapsed())
}

/// Sets the clock to the database's if it is off by more than two seconds beyond `unsure`,
/// the possible error of `database_now` itself. Returns how far it was stepped, in
/// milliseconds, if it was. Waits in [`reached`] are recomputed.
pub fn correct(database_now: Instant, unsure: Duration) -> Option<i64> {
    clock().correct(elapsed(), database_now, unsure)
}

/// Waits until the clock reaches `due`, also when it is stepped meanwhile. Returns up to a
/// millisecond late and never early, so that the caller finds its deadline passed.
pub async fn reached(due: Instant) {
    clock().reached(due, elapsed).await;
}

/// A wall time and a monotonic clock that carries it on.
struct Clock {
    /// When the monotonic clock was zero; corrected since, in milliseconds.
    start: AtomicI64,
    steps: watch::Sender<()>,
}

impl Clock {
    fn new(start: Instant) -> Self {
        Self { start: AtomicI64::new(start.0), steps: watch::Sender::new(()) }
    }

    fn at(&self, elapsed: Duration) -> Instant {
        Instant(self.start.load(Ordering::Acquire)).after(elapsed)
    }

    fn correct(&self, elapsed: Duration, database_now: Instant, unsure: Duration) -> Option<i64> {
        let by = database_now.0.saturating_sub(self.at(elapsed).0);
        if Duration::from_millis(by.unsigned_abs()) <= TOLERANCE.saturating_add(unsure) {
            return None;
        }
        self.start.fetch_add(by, Ordering::AcqRel);
        self.steps.send_replace(());
        Some(by)
    }

    async fn reached(&self, due: Instant, elapsed: impl Fn() -> Duration) {
        let mut steps = self.steps.subscribe();
        loop {
            let wait = self.at(elapsed()).until(due) + Duration::from_millis(1);
            if tokio::time::timeout(wait, steps.changed()).await.is_err() {
                return;
            }
        }
    }
}

fn clock() -> &'static Clock {
    &anchor().1
}

fn elapsed() -> Duration {
    anchor().0.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "the only place that reads a clock")]
fn anchor() -> &'static (std::time::Instant, Clock) {
    static ANCHOR: OnceLock<(std::time::Instant, Clock)> = OnceLock::new();
    ANCHOR.get_or_init(|| (std::time::Instant::now(), Clock::new(Instant::from(Utc::now()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_clock_that_is_hours_off_is_stepped_and_goes_on_from_there() {
        for by in [12 * HOUR, -12 * HOUR] {
            let clock = Clock::new(Instant(100 * HOUR));
            let mut steps = clock.steps.subscribe();
            assert_eq!(clock.correct(ms(500), Instant(100 * HOUR + 500 + by), ms(3)), Some(by));
            assert!(steps.has_changed().unwrap());
            steps.mark_unchanged();
            assert_eq!(clock.at(ms(1_500)), Instant(100 * HOUR + 1_500 + by));
            assert_eq!(clock.correct(ms(2_000), Instant(100 * HOUR + 2_000 + by), ms(3)), None);
            assert!(!steps.has_changed().unwrap());
        }
    }

    #[test]
    fn a_clock_is_not_set_from_a_slow_answer() {
        let clock = Clock::new(Instant(HOUR));
        assert_eq!(clock.correct(ms(0), Instant(HOUR + 2_000), ms(0)), None);
        assert_eq!(clock.correct(ms(0), Instant(HOUR + 3_000), ms(1_000)), None);
        assert_eq!(clock.correct(ms(0), Instant(HOUR - 3_000), ms(1_000)), None);
        assert_eq!(clock.correct(ms(0), Instant(HOUR + 3_001), ms(1_000)), Some(3_001));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stepped_clock_restarts_the_wait_for_a_deadline() {
        let clock = std::sync::Arc::new(Clock::new(Instant(0)));
        let began = tokio::time::Instant::now();
        let waiting = tokio::spawn({
            let clock = std::sync::Arc::clone(&clock);
            async move { clock.reached(Instant(12 * HOUR), || began.elapsed()).await }
        });
        tokio::task::yield_now().await;
        clock.correct(ms(0), Instant(12 * HOUR - 60_000), ms(0)).unwrap();
        waiting.await.unwrap();
        assert_eq!(began.elapsed(), ms(60_001));
    }
}
