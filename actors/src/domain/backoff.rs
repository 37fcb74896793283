use std::time::Duration;

use super::Policy;

/// Exponential backoff with jitter. It counts the failures in a row; being up for
/// `stable_after` is what ends the row, a login alone is not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure: base × 2ⁿ, capped, then ±25 % by `seed`.
    pub fn next(&mut self, policy: &Policy, seed: u128) -> Duration {
        let doubled = policy.backoff_base.saturating_mul(2u32.saturating_pow(self.failures.min(30)));
        self.failures = self.failures.saturating_add(1);
        jitter(doubled.min(policy.backoff_cap), seed, u64::from(self.failures))
    }

    pub fn reset(&mut self) {
        self.failures = 0;
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

    #[test]
    fn waits_double_up_to_the_cap_and_stay_within_a_quarter() {
        let policy = Policy::default();
        let mut backoff = Backoff::default();
        let mut expected = policy.backoff_base;
        for _ in 0..40 {
            let wait = backoff.next(&policy, 7);
            assert!(wait >= expected * 3 / 4 && wait <= expected * 5 / 4, "{wait:?} around {expected:?}");
            expected = (expected * 2).min(policy.backoff_cap);
        }
        backoff.reset();
        assert!(backoff.next(&policy, 7) < policy.backoff_base * 2);
    }

    #[test]
    fn two_accounts_do_not_wait_alike() {
        let policy = Policy::default();
        let wait = |seed| Backoff::default().next(&policy, seed);
        assert!((0..100).map(wait).collect::<std::collections::HashSet<_>>().len() > 50);
    }
}
