use std::time::Duration;

use super::Instant;

/// The exponential backoff of all retries: waits double from `base` up to `cap`, and each is
/// jittered to 75 % to 125 %. The caller counts its failures and provides a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub base: Duration,
    pub cap: Duration,
}

impl Backoff {
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// The wait after a failure that `before` others in a row came before.
    pub fn wait(self, before: u32, seed: u128) -> Duration {
        let doubled = self.base.saturating_mul(2u32.saturating_pow(before.min(30)));
        jitter(doubled.min(self.cap), seed, u64::from(before) + 1)
    }
}

/// Counts consecutive failures, where no row in the database does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures(u32);

impl Failures {
    /// One more, and the wait after it.
    pub fn next(&mut self, backoff: Backoff, seed: u128) -> Duration {
        let before = self.0;
        self.0 = before.saturating_add(1);
        backoff.wait(before, seed)
    }

    /// Whether there were several.
    pub fn are_many(self) -> bool {
        self.0 > 1
    }

    pub fn reset(&mut self) {
        self.0 = 0;
    }
}

/// A write that is repeated until its outcome is known: it is under way, or failed and due again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    failures: Failures,
    failed: Option<Failed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failed {
    at: Instant,
    due: Instant,
}

impl Retry {
    /// Its outcome is not known. Whether that is so for the first time.
    pub fn on_failed(&mut self, backoff: Backoff, seed: u128, now: Instant) -> bool {
        let is_first = self.failures == Failures::default();
        self.failed = Some(Failed { at: now, due: now.after(self.failures.next(backoff, seed)) });
        is_first
    }

    /// When it is to be repeated; `None` while it is under way.
    pub fn due(&self) -> Option<Instant> {
        self.failed.map(|failed| failed.due)
    }

    /// Whether it is to be repeated now: it is under way from then on.
    pub fn begin_if_due(&mut self, now: Instant) -> bool {
        self.failed.take_if(|failed| failed.due <= now).is_some()
    }

    /// The cause of the failure may be gone: retry no later than `pause` after the failure.
    pub fn hurry(&mut self, pause: Duration, now: Instant) {
        if let Some(failed) = &mut self.failed {
            // If the clock was stepped back since, `at` may be in the future.
            failed.due = failed.due.min(failed.at.after(pause)).min(now.after(pause));
        }
    }
}

/// `wait`, 75 % to 125 % of it: which, is a function of the seed and `nth`.
pub fn jitter(wait: Duration, seed: u128, nth: u64) -> Duration {
    wait.saturating_mul(750 + share(seed, nth, 501)) / 1000
}

/// A number below `bound`, evenly spread over seeds and `nth`.
pub fn share(seed: u128, nth: u64, bound: u32) -> u32 {
    // The finaliser of splitmix64: neighbouring inputs land far apart.
    let mut z = (seed as u64) ^ ((seed >> 64) as u64) ^ nth.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    u32::try_from((z ^ (z >> 31)) % u64::from(bound)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(900));

    #[test]
    fn waits_double_up_to_the_cap_and_stay_within_a_quarter() {
        let mut failures = Failures::default();
        let mut expected = BACKOFF.base;
        for _ in 0..40 {
            let wait = failures.next(BACKOFF, 7);
            assert!(wait >= expected * 3 / 4 && wait <= expected * 5 / 4, "{wait:?} around {expected:?}");
            expected = (expected * 2).min(BACKOFF.cap);
        }
        failures.reset();
        assert!(failures.next(BACKOFF, 7) < BACKOFF.base * 2);
    }

    #[test]
    fn a_write_is_repeated_when_due_and_sooner_if_hurried() {
        let (mut retry, now) = (Retry::default(), Instant(1_000_000));
        assert!(retry.on_failed(BACKOFF, 7, now));
        assert!(!retry.begin_if_due(now));
        assert!(retry.begin_if_due(retry.due().unwrap()));
        assert_eq!(retry.due(), None, "it is under way");
        for _ in 0..9 {
            assert!(!retry.on_failed(BACKOFF, 7, now));
        }
        retry.hurry(Duration::from_secs(1), now);
        assert_eq!(retry.due(), Some(now.after(Duration::from_secs(1))));
        retry.hurry(Duration::from_secs(1), Instant(0));
        assert_eq!(retry.due(), Some(Instant(1_000)), "by a clock that was stepped back");
    }

    #[test]
    fn two_accounts_do_not_wait_alike() {
        let wait = |seed| BACKOFF.wait(0, seed);
        assert!((0..100).map(wait).collect::<std::collections::HashSet<_>>().len() > 50);
    }

    #[test]
    fn a_wait_overflows_at_no_number_of_failures() {
        let endless = Backoff::new(Duration::from_secs(1), Duration::MAX / 2);
        assert!(endless.wait(u32::MAX, 1) > Duration::from_secs(500_000_000));
    }
}
