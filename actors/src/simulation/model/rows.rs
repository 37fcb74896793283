//! The rows of the tables that decisions rest on.

use serde_json::Value;
use uuid::Uuid;

use crate::domain::{
    AccountId, AccountRecord, ChangeId, ConnectionSettings, Event, Instant, KeyringId, Secret, TakingId,
};

/// A row of `processes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProcess {
    pub expires_at: Instant,
    pub renewal: i64,
    /// The renewal that refreshed the fences last.
    pub epoch: i64,
    pub draining: bool,
    pub drain_no: i64,
}

/// A row of `whatsapp_accounts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// Its fence is the row's.
    pub record: AccountRecord,
    pub owner: Option<Uuid>,
    pub last_change: Option<ChangeId>,
    pub event_seq: i64,
    pub qr: Option<Secret>,
    pub settings: ConnectionSettings,
}

/// The state of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandState {
    Queued,
    Running,
    Done,
    Failed,
}

/// A row of `commands`.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCommand {
    pub account: Option<AccountId>,
    pub kind: String,
    pub args: Value,
    pub source: String,
    pub state: CommandState,
    pub taken: Option<TakingId>,
    pub taken_by: Option<Uuid>,
    pub result: Option<String>,
}

impl StoredCommand {
    pub fn is_open(&self) -> bool {
        matches!(self.state, CommandState::Queued | CommandState::Running)
    }
}

/// A row of `events`.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    pub account: AccountId,
    pub seq: i64,
    pub event: Event,
}

/// A row of `unlink_tickets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTicket {
    pub account: AccountId,
    pub keyring: KeyringId,
    pub reason: String,
    pub attempts: u32,
    pub last_error: Option<String>,
    pub next_retry_at: Instant,
    pub abandon_at: Instant,
}

/// A row of `keyrings`. One number stands for all that a connection writes into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKeyring {
    pub account: AccountId,
    pub epoch: i64,
    /// The process that opened it for this epoch, and the number of that opening.
    pub opened: Option<(Uuid, u64)>,
    pub counter: i64,
    pub made_at: Instant,
}

impl StoredProcess {
    pub(super) fn heed(&mut self, draining: bool, drain_no: i64) {
        if drain_no > self.drain_no {
            (self.draining, self.drain_no) = (draining, drain_no);
        }
    }
}
