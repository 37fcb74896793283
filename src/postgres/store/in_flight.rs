//! Commands in flight: delivered to an actor, neither finished nor requeued. A command that
//! the database says is running here and that is not among them never arrived.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use paird_actors::domain::{AccountId, CommandId, CommandRow, Taken, TakingId};
use uuid::Uuid;

#[derive(Clone, Debug, Default)]
pub(super) struct InFlight(Arc<Mutex<HashMap<CommandId, Delivered>>>);

#[derive(Clone, Copy, Debug)]
struct Delivered {
    account: AccountId,
    /// A command that was put back and taken again is another matter.
    taking: TakingId,
}

impl InFlight {
    pub fn add(&self, row: &CommandRow) {
        self.lock().insert(row.id, Delivered { account: row.account, taking: row.taking });
    }

    /// The commands, and the asking of each.
    pub fn all(&self) -> (Vec<i64>, Vec<Uuid>) {
        self.lock().iter().map(|(command, delivered)| (command.0, delivered.taking.0)).unzip()
    }

    /// Only once the database has said that it ended: one forgotten earlier is delivered
    /// out a second time.
    pub fn forget(&self, command: CommandId) {
        self.lock().remove(&command);
    }

    /// The account's.
    pub fn of(&self, account: AccountId) -> Vec<Taken> {
        let all = self.lock();
        let of = all.iter().filter(|(_, delivered)| delivered.account == account);
        of.map(|(command, delivered)| Taken { command: *command, taking: delivered.taking }).collect()
    }

    /// Called after they were put back. Commands that were taken again meanwhile stay.
    pub fn forget_takings(&self, takings: &[Taken]) {
        let gone = |command: &CommandId, delivered: &Delivered| {
            takings.contains(&Taken { command: *command, taking: delivered.taking })
        };
        self.lock().retain(|command, delivered| !gone(command, delivered));
    }

    /// Each change is one call that cannot panic half-way.
    fn lock(&self) -> MutexGuard<'_, HashMap<CommandId, Delivered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The polls for commands: which of them ran while something else was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Polls {
    begun: Arc<AtomicU64>,
    ended: Arc<AtomicU64>,
}

/// Before a write: how many polls had ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct PollMark(u64);

/// A poll that is under way.
pub(super) struct PollGuard<'a>(&'a Polls);

impl Polls {
    pub fn begin(&self) -> PollGuard<'_> {
        self.begun.fetch_add(1, Ordering::AcqRel);
        PollGuard(self)
    }

    pub fn mark(&self) -> PollMark {
        PollMark(self.ended.load(Ordering::Acquire))
    }

    /// Whether a poll was under way at any moment since.
    pub fn came_since(&self, mark: PollMark) -> bool {
        self.begun.load(Ordering::Acquire) > mark.0
    }
}

impl Drop for PollGuard<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}
