//! The roster's writes. Each is repeated until its outcome is known: no other part retries it.

use std::collections::BTreeMap;

use super::{Directive, Roster, RosterPolicy};
use crate::domain::{AccountId, Fence, Instant, Retry, StoreError, Taken};

/// A write that only its account waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RosterWrite {
    /// Put these commands back into the queue.
    Requeue(Vec<Taken>),
    /// Take an account back whose release was not answered: it may yet land, and under this
    /// fence it must find nothing.
    Retake(AccountId, Fence),
}

/// The writes whose outcome is not known yet.
#[derive(Clone, Debug)]
pub(super) struct Writes {
    policy: RosterPolicy,
    pending: BTreeMap<RosterWrite, Retry>,
    seed: u128,
}

impl Writes {
    pub(super) fn new(policy: RosterPolicy, seed: u128) -> Self {
        Self { policy, pending: BTreeMap::new(), seed }
    }

    /// Nothing if it is pending already.
    pub(super) fn begin(&mut self, write: RosterWrite) -> Option<Directive> {
        if self.pending.contains_key(&write) {
            return None;
        }
        self.pending.insert(write.clone(), Retry::default());
        Some(Directive::Write(write))
    }

    /// See [`RosterWrite::Requeue`].
    pub(super) fn requeue(&mut self, commands: Vec<Taken>) -> Option<Directive> {
        if commands.is_empty() { None } else { self.begin(RosterWrite::Requeue(commands)) }
    }

    fn on_failed(&mut self, write: &RosterWrite, now: Instant) {
        if let Some(retry) = self.pending.get_mut(write) {
            retry.on_failed(self.policy.write_retry, self.seed, now);
        }
    }

    /// Whether it was pending.
    fn on_known(&mut self, write: &RosterWrite) -> bool {
        self.pending.remove(write).is_some()
    }

    /// The database answers again, so writes that failed meanwhile are retried soon. A write that
    /// keeps failing is retried only once per [pause](RosterPolicy::write_retry_when_back).
    pub(super) fn on_answer(&mut self, now: Instant) -> Vec<Directive> {
        let pause = self.policy.write_retry_when_back;
        self.pending.values_mut().for_each(|retry| retry.hurry(pause, now));
        self.on_deadline(now)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.pending.values().filter_map(Retry::due).min()
    }

    pub(super) fn on_deadline(&mut self, now: Instant) -> Vec<Directive> {
        let due = self.pending.iter_mut().filter_map(|(write, retry)| retry.begin_if_due(now).then_some(write));
        due.map(|write| Directive::Write(write.clone())).collect()
    }
}

impl Roster {
    /// Puts back commands that were taken and reached no actor.
    pub fn requeue(&mut self, commands: Vec<Taken>) -> Vec<Directive> {
        self.writes.requeue(commands).into_iter().collect()
    }

    /// The result of [`Directive::Write`].
    pub fn on_written(&mut self, write: &RosterWrite, outcome: Result<(), StoreError>, now: Instant) -> Vec<Directive> {
        match outcome {
            Err(StoreError::Unavailable(_)) => {
                self.writes.on_failed(write, now);
                return Vec::new();
            }
            // The account's new owner continues from the row.
            Ok(())
            | Err(StoreError::Fenced | StoreError::Overtaken | StoreError::Refused(_) | StoreError::Poisoned(_)) => {}
        }
        if !self.writes.on_known(write) {
            return Vec::new();
        }
        let mut directives = match write {
            RosterWrite::Requeue(_) => self.wake(false),
            RosterWrite::Retake(account, _) => self.keep(*account),
        };
        directives.extend(self.writes.on_answer(now));
        directives
    }
}
