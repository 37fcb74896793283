//! The pace of an account: so many messages a second, and after a rest some at once.

use crate::domain::{Instant, Pace};

/// Counts messages as one number: the time at which the account will have rested fully. Every
/// message moves it on by the time between two.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pacing {
    pace: Option<Pace>,
    /// In microseconds, on the clock of the machine.
    rested_at: i64,
}

impl Pacing {
    /// What the database says. Only the first time it also says what former connections sent.
    pub(super) fn learn(&mut self, pace: Option<Pace>, recent: u32, is_first: bool, now: Instant) {
        let former = self.interval();
        self.pace = pace;
        if is_first {
            self.spend(recent, now);
        } else if former > 0 && former != self.interval() {
            // What was sent lately counts by the new pace.
            let owed =
                i128::from((self.rested_at - micros(now)).max(0)) * i128::from(self.interval()) / i128::from(former);
            self.rested_at = micros(now).saturating_add(i64::try_from(owed).unwrap_or(i64::MAX));
        }
    }

    /// So many messages were taken.
    pub(super) fn spend(&mut self, messages: u32, now: Instant) {
        let spent = self.interval().saturating_mul(i64::from(messages));
        self.rested_at = self.rested_at.max(micros(now)).saturating_add(spent);
    }

    /// How many messages may go now.
    pub(super) fn room(&self, now: Instant) -> u16 {
        let Some(pace) = self.pace else { return u16::MAX };
        let interval = self.interval().max(1);
        let owed = (self.rested_at - micros(now)).max(0);
        let free = interval.saturating_mul(i64::from(pace.burst.max(1))).saturating_sub(owed);
        u16::try_from(free.max(0) / interval).unwrap_or(u16::MAX)
    }

    /// When there is room for one, which may be in the past.
    pub(super) fn room_at(&self) -> Instant {
        let Some(pace) = self.pace else { return Instant(0) };
        let at = self.rested_at.saturating_sub(self.interval().saturating_mul(i64::from(pace.burst.max(1)) - 1));
        // Rounded up, since there is no room yet before it.
        Instant(at.div_euclid(1_000) + i64::from(at.rem_euclid(1_000) > 0))
    }

    fn interval(&self) -> i64 {
        let Some(pace) = self.pace else { return 0 };
        let seconds = 1.0 / f64::from(pace.rate).clamp(0.000_1, 1_000_000.0);
        i64::try_from(std::time::Duration::from_secs_f64(seconds).as_micros()).unwrap_or(i64::MAX)
    }
}

fn micros(now: Instant) -> i64 {
    now.0.saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Instant = Instant(1_700_000_000_000);

    fn pacing(rate: f32, burst: u32, recent: u32) -> Pacing {
        let mut pacing = Pacing::default();
        pacing.learn(Some(Pace { rate, burst }), recent, true, NOW);
        pacing
    }

    #[test]
    fn what_was_sent_lately_counts_by_the_new_pace() {
        let mut pacing = pacing(0.001, 5, 0);
        pacing.spend(5, NOW);
        pacing.learn(Some(Pace { rate: 1.0, burst: 5 }), 0, false, NOW);
        assert_eq!((pacing.room(NOW), pacing.room_at()), (0, NOW.after(Duration::from_secs(1))));
    }

    #[test]
    fn a_burst_goes_at_once_and_then_one_after_the_other() {
        let mut pacing = pacing(1.0, 5, 0);
        assert_eq!(pacing.room(NOW), 5);
        pacing.spend(5, NOW);
        let next = NOW.after(Duration::from_secs(1));
        assert_eq!((pacing.room(NOW), pacing.room_at()), (0, next));
        assert_eq!((pacing.room(Instant(next.0 - 1)), pacing.room(next)), (0, 1));
        pacing.spend(1, next);
        assert_eq!(pacing.room_at(), next.after(Duration::from_secs(1)));
        assert_eq!(pacing.room(next.after(Duration::from_mins(1))), 5);
    }

    #[test]
    fn what_a_former_connection_sent_counts() {
        let pacing = pacing(2.0, 5, 5);
        assert_eq!((pacing.room(NOW), pacing.room_at()), (0, NOW.after(Duration::from_millis(500))));
    }

    #[test]
    fn without_a_pace_everything_may_go() {
        let mut pacing = Pacing::default();
        pacing.spend(1_000, NOW);
        assert_eq!(pacing.room(NOW), u16::MAX);
        assert!(pacing.room_at() <= NOW);
    }

    #[test]
    fn there_is_room_exactly_when_it_is_said() {
        for rate in [0.01f32, 0.3, 1.0, 3.0, 7.0, 333.0, 3_000.0] {
            let mut pacing = pacing(rate, 3, 0);
            let mut now = NOW;
            for _ in 0..50 {
                if pacing.room(now) == 0 {
                    let next = pacing.room_at();
                    assert!(next > now, "{rate}: no progress");
                    assert_eq!(pacing.room(Instant(next.0 - 1)), 0, "{rate}: too late by a millisecond");
                    now = next;
                }
                assert!(pacing.room(now) > 0, "{rate}: too early");
                pacing.spend(1, now);
            }
        }
    }
}
