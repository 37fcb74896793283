//! What the roster writes: each until its outcome is known, since nobody else would.

use std::{collections::BTreeMap, time::Duration};

use super::{Directive, Roster};
use crate::domain::{AccountId, Backoff, Failures, Fence, Instant, StoreError, Taken};

const RETRY: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
/// A write that failed is due so soon once the database is known to answer again.
pub(super) const RETRY_WHEN_BACK: Duration = Duration::from_secs(1);

/// A write that only its account waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RosterWrite {
    /// Put these commands back into the queue.
    Requeue(Vec<Taken>),
    /// Take an account back whose release was not answered: it may yet land, and under this
    /// fence it must find nothing.
    Retake(AccountId, Fence),
}

#[derive(Clone, Copy, Debug)]
enum Try {
    UnderWay,
    Failed { at: Instant, until: Instant },
}

/// The writes whose outcome is not known yet.
#[derive(Clone, Debug)]
pub(super) struct Writes {
    pending: BTreeMap<RosterWrite, (Try, Failures)>,
    seed: u128,
}

impl Writes {
    pub(super) fn new(seed: u128) -> Self {
        Self { pending: BTreeMap::new(), seed }
    }

    /// Nothing if it is pending already.
    pub(super) fn begin(&mut self, write: RosterWrite) -> Option<Directive> {
        if self.pending.contains_key(&write) {
            return None;
        }
        self.pending.insert(write.clone(), (Try::UnderWay, Failures::default()));
        Some(Directive::Write(write))
    }

    /// See [`RosterWrite::Requeue`].
    pub(super) fn requeue(&mut self, commands: Vec<Taken>) -> Option<Directive> {
        if commands.is_empty() { None } else { self.begin(RosterWrite::Requeue(commands)) }
    }

    fn on_failed(&mut self, write: &RosterWrite, now: Instant) {
        if let Some((state, failures)) = self.pending.get_mut(write) {
            let until = now.after(failures.next(RETRY, self.seed));
            *state = Try::Failed { at: now, until };
        }
    }

    /// Whether it was pending.
    fn on_known(&mut self, write: &RosterWrite) -> bool {
        self.pending.remove(write).is_some()
    }

    /// The database answers: what failed while it did not is not kept waiting. A write that
    /// it goes on to refuse is tried once a second at most.
    pub(super) fn on_answer(&mut self, now: Instant) -> Vec<Directive> {
        for (state, _) in self.pending.values_mut() {
            if let Try::Failed { at, until } = state {
                // Of a clock that was stepped back since, `at` is no measure.
                *until = (*until).min(at.after(RETRY_WHEN_BACK)).min(now.after(RETRY_WHEN_BACK));
            }
        }
        self.on_deadline(now)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let waiting = self.pending.values().filter_map(|(state, _)| match state {
            Try::Failed { until, .. } => Some(*until),
            Try::UnderWay => None,
        });
        waiting.min()
    }

    pub(super) fn on_deadline(&mut self, now: Instant) -> Vec<Directive> {
        let mut directives = Vec::new();
        for (write, (state, _)) in &mut self.pending {
            if matches!(state, Try::Failed { until, .. } if *until <= now) {
                *state = Try::UnderWay;
                directives.push(Directive::Write(write.clone()));
            }
        }
        directives
    }
}

impl Roster {
    /// Puts commands back that were taken and reached nobody.
    pub fn requeue(&mut self, commands: Vec<Taken>) -> Vec<Directive> {
        self.writes.requeue(commands).into_iter().collect()
    }

    /// What came of [`Directive::Write`].
    pub fn on_written(&mut self, write: &RosterWrite, outcome: Result<(), StoreError>, now: Instant) -> Vec<Directive> {
        match outcome {
            Err(StoreError::Unavailable(_)) => {
                self.writes.on_failed(write, now);
                return Vec::new();
            }
            // Whoever owns the account now goes on from what it finds.
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
