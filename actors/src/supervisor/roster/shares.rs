//! Distributes a fleet's accounts among its daemons. Each daemon computes its share from the
//! same counts, so no coordinator is needed.

use super::RosterPolicy;
use crate::domain::{Instant, Survey};

/// The accounts that a daemon claims or gives up now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Claim at most so many.
    pub(super) claim: u32,
    /// Give up so many.
    pub(super) give_up: u32,
}

/// A daemon's share, and the pace at which it gets there: a daemon that takes over a
/// thousand accounts spreads their logins and leaves some accounts to the others.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    policy: RosterPolicy,
    not_before: Instant,
    /// Once the shares are too uneven, all that is beyond the target goes.
    giving_up: bool,
    /// When to look again, because a round was not the last one.
    wake: Option<Instant>,
}

impl Shares {
    pub(super) fn new(policy: RosterPolicy) -> Self {
        Self { policy, not_before: Instant(0), giving_up: false, wake: None }
    }

    /// `mine` accounts run here and are to stay.
    pub(super) fn plan(&mut self, survey: &Survey, mine: u32, now: Instant) -> Plan {
        self.wake = None;
        if survey.daemons == 0 {
            // Not even this one is alive by the database's clock: nothing is ours to decide.
            return Plan::default();
        }
        let target = survey.needing.div_ceil(survey.daemons);
        // A move disconnects an account for a moment: not for a difference that is small, in
        // itself or for those who have so many.
        let beyond = mine.saturating_sub(survey.least);
        let is_uneven = beyond > self.policy.tolerated && u64::from(beyond) * 5 > u64::from(mine);
        self.giving_up = mine > target && (is_uneven || self.giving_up);
        let per_round = self.policy.per_round.max(1);
        let plan = Plan {
            claim: target.saturating_sub(mine).min(per_round),
            give_up: if self.giving_up { mine.saturating_sub(target).min(per_round) } else { 0 },
        };
        if plan == Plan::default() {
            return plan;
        }
        if now < self.not_before {
            self.wake = Some(self.not_before);
            return Plan::default();
        }
        self.not_before = now.after(self.policy.round);
        self.wake = (plan.give_up > 0).then_some(self.not_before);
        plan
    }

    /// A claim that got all it asked for may find more; otherwise nothing is free. One that
    /// got nothing does not count against the pace: an account that another daemon gives up
    /// is then claimed without a wait.
    pub(super) fn on_claimed(&mut self, asked: u32, got: u32) {
        if got >= asked {
            self.wake = Some(self.not_before);
        } else if got == 0 {
            self.not_before = Instant(0);
        }
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        self.wake
    }

    /// Whether it is time to look again; then the wake is used up.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        self.wake.take_if(|wake| *wake <= now).is_some()
    }
}
