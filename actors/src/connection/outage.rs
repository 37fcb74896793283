//! WhatsApp refuses this client version for every account. While that lasts, a few accounts
//! probe on behalf of the others instead of all of them retrying. Pure; one per daemon.

use std::time::Duration;

use crate::domain::{Backoff, Instant};

/// Every duration and limit of an outage. Values, so a test can choose them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutagePolicy {
    /// How many may try again in each round.
    pub canaries: u32,
    /// Between two rounds.
    pub rounds: Backoff,
}

impl Default for OutagePolicy {
    fn default() -> Self {
        Self { canaries: 3, rounds: Backoff::new(Duration::from_secs(30), Duration::from_secs(900)) }
    }
}

/// The answer to an account that wants to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// There is no outage.
    Free,
    /// Try for all; each such answer is one try of its round.
    Canary,
    /// Ask again then, or when the outage is over.
    Wait { until: Instant },
}

/// Begins with a refusal, and ends with the first login that WhatsApp takes.
#[derive(Clone, Debug)]
pub struct Outage {
    policy: OutagePolicy,
    round: Option<Round>,
    seed: u128,
}

#[derive(Clone, Debug)]
struct Round {
    number: u32,
    /// The next one begins then.
    until: Instant,
    left: u32,
}

impl Outage {
    /// The seed spreads the rounds of several daemons.
    pub fn new(policy: OutagePolicy, seed: u128) -> Self {
        Self { policy, round: None, seed }
    }

    /// WhatsApp refused a login because of the client. Those that were under way all say so.
    pub fn on_refused(&mut self, now: Instant) {
        if self.round.is_none() {
            self.round = Some(self.nth(0, now));
        }
    }

    /// WhatsApp accepted a login, so all waiting accounts may try.
    pub fn on_accepted(&mut self) {
        self.round = None;
    }

    /// Whether one more account may log in.
    pub fn ask(&mut self, now: Instant) -> Leave {
        let Some(mut round) = self.round.take() else { return Leave::Free };
        if round.until <= now {
            round = self.nth(round.number.saturating_add(1), now);
        }
        let leave = if round.left > 0 { Leave::Canary } else { Leave::Wait { until: round.until } };
        round.left = round.left.saturating_sub(1);
        self.round = Some(round);
        leave
    }

    pub fn is_over(&self) -> bool {
        self.round.is_none()
    }

    fn nth(&self, number: u32, now: Instant) -> Round {
        let OutagePolicy { canaries, rounds } = self.policy;
        Round { number, until: now.after(rounds.wait(number, self.seed)), left: canaries }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: OutagePolicy =
        OutagePolicy { canaries: 3, rounds: Backoff::new(Duration::from_secs(30), Duration::from_secs(900)) };

    fn at(seconds: u64) -> Instant {
        Instant(0).after(Duration::from_secs(seconds))
    }

    proptest! {
        #[test]
        fn tries_per_round_are_limited_and_rounds_back_off(
            seed in any::<u128>(),
            asked in proptest::collection::vec(0u64..20_000, 0..600),
        ) {
            let mut outage = Outage::new(POLICY, seed);
            outage.on_refused(at(0));
            let mut asked = asked;
            asked.sort_unstable();
            let tried: Vec<u64> = asked.into_iter().filter(|second| outage.ask(at(*second)) == Leave::Canary).collect();
            // Three at once, then none for three quarters of 30 s at least, which doubles.
            for window in tried.windows(POLICY.canaries as usize + 1) {
                prop_assert!(window[POLICY.canaries as usize] > window[0], "{tried:?}");
            }
            let rounds = 7 + 20_000 / (900 * 3 / 4);
            prop_assert!(tried.len() as u64 <= u64::from(POLICY.canaries) * rounds, "{} tries", tried.len());
            prop_assert!(!outage.is_over());
        }

        #[test]
        fn a_persistent_account_eventually_gets_a_try(seed in any::<u128>(), refused in 0u64..10) {
            let mut outage = Outage::new(POLICY, seed);
            for nth in 0..=refused {
                outage.on_refused(at(nth));
            }
            let first = (0..2_000).find(|second| *second > 0 && outage.ask(at(*second)) == Leave::Canary);
            prop_assert!(first.is_some());
        }

        #[test]
        fn one_accepted_login_ends_the_outage_for_all_accounts(seed in any::<u128>(), tries in 0u64..50) {
            let mut outage = Outage::new(POLICY, seed);
            outage.on_refused(at(0));
            for nth in 0..tries {
                outage.ask(at(nth * 40));
            }
            outage.on_accepted();
            prop_assert!((0..1_000).all(|_| outage.ask(at(tries * 40)) == Leave::Free));
        }
    }
}
