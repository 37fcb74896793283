//! A daemon's view of its own accounts and of the fleet's.

use super::{AccountId, Fence, Instant, Policy, TicketId};

/// One daemon's view of the fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Every account of ours that needs a daemon, and of those that were asked for every
    /// one that is ours, at rest or not.
    pub owned: Vec<Owned>,
    /// Accounts that need a daemon, in the whole fleet.
    pub needing: u32,
    /// Daemons that are alive and not draining, this one among them.
    pub daemons: u32,
    /// How many accounts that need a daemon the one of them has that has fewest.
    pub least: u32,
}

/// An account that this daemon owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    pub account: AccountId,
    pub fence: Fence,
    /// May be handed over: neither in the middle of a pair attempt, nor linked just now.
    pub movable: bool,
    /// Needs an actor now: wanted paired, or in an unfinished state.
    pub active: bool,
    /// Open unlink tickets.
    pub tickets: Vec<TicketId>,
}

impl Owned {
    /// Has anything to run.
    pub fn needs_daemon(&self) -> bool {
        self.active || !self.tickets.is_empty()
    }
}

/// An account whose row says `pending`, as far as a sweep looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingAttempt {
    pub account: AccountId,
    pub label: String,
    pub since: Instant,
    pub deadline: Option<Instant>,
}

impl PendingAttempt {
    /// Why the attempt is to be parked, if it is: in words.
    pub fn staleness(&self, policy: &Policy, now: Instant) -> Option<String> {
        match self.deadline {
            None => Some("it has no deadline".to_owned()),
            Some(deadline) if deadline <= now => Some("the attempt's deadline has passed".to_owned()),
            Some(_) if self.since.after(policy.pending_max_age) <= now => {
                Some(format!("pending for over {} s", policy.pending_max_age.as_secs()))
            }
            Some(_) => None,
        }
    }
}

/// A pair attempt that a crash left behind and the sweep found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    pub account: AccountId,
    pub label: String,
    pub why: String,
}
