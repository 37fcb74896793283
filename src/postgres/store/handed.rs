//! Which commands run here: handed out, and neither ended nor put back. What the
//! database says is running here and is not among them was never heard of.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use paird_actors::domain::{AccountId, CommandId, CommandRow};
use uuid::Uuid;

#[derive(Clone, Debug, Default)]
pub(super) struct HandedOut(Arc<Mutex<HashMap<CommandId, Handed>>>);

#[derive(Clone, Copy, Debug)]
struct Handed {
    account: AccountId,
    /// Which asking took it: a command that was put back and taken again is another matter.
    asking: Uuid,
}

impl HandedOut {
    pub fn add(&self, row: &CommandRow, asking: Uuid) {
        self.lock().insert(row.id, Handed { account: row.account, asking });
    }

    /// The commands, and the asking of each.
    pub fn all(&self) -> (Vec<i64>, Vec<Uuid>) {
        self.lock().iter().map(|(command, handed)| (command.0, handed.asking)).unzip()
    }

    /// Only once the database has said that it ended: one forgotten earlier is handed
    /// out a second time.
    pub fn forget(&self, command: CommandId) {
        self.lock().remove(&command);
    }

    /// What a statement that puts back the account's commands is going to find.
    pub fn of(&self, account: AccountId) -> Vec<(CommandId, Uuid)> {
        let all = self.lock();
        let of = all.iter().filter(|(_, handed)| handed.account == account);
        of.map(|(command, handed)| (*command, handed.asking)).collect()
    }

    /// After that statement. What was taken again meanwhile stays.
    pub fn forget_takings(&self, takings: &[(CommandId, Uuid)]) {
        self.lock().retain(|command, handed| !takings.contains(&(*command, handed.asking)));
    }

    /// Each change is one call that cannot panic half-way.
    fn lock(&self) -> MutexGuard<'_, HashMap<CommandId, Handed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
