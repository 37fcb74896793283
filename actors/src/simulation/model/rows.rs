//! The rows of the tables that decisions rest on.

use serde_json::Value;
use uuid::Uuid;

pub use crate::domain::CommandState;
use crate::domain::{
    AccountId, AccountRecord, ChangeId, ConnectionSettings, Event, EventKind, Instant, KeyringId, MessageId,
    MessageState, Secret, SendFailure, TakingId,
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
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAccount {
    /// Its fence is the row's.
    pub record: AccountRecord,
    pub owner: Option<Uuid>,
    pub last_change: Option<ChangeId>,
    pub event_seq: i64,
    pub qr: Option<Secret>,
    pub settings: ConnectionSettings,
    pub sending: StoredSending,
}

/// The columns of an account that are about sending.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSending {
    pub rate: f32,
    pub burst: u32,
    /// None: as many as there are.
    pub new_chats_per_day: Option<u32>,
    pub paused_until: Option<Instant>,
    pub new_chats_refused: u32,
    /// Messages taken lately, as of a moment.
    pub level: f64,
    pub level_at: Option<Instant>,
}

impl Default for StoredSending {
    fn default() -> Self {
        Self {
            rate: 1.0,
            burst: 5,
            new_chats_per_day: Some(20),
            paused_until: None,
            new_chats_refused: 0,
            level: 0.0,
            level_at: None,
        }
    }
}

/// A row of `messages` on its way out, with its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    pub account: AccountId,
    pub chat: String,
    pub wa_id: String,
    pub key: Option<String>,
    pub body: String,
    pub state: MessageState,
    /// Why it failed, or what it waits for.
    pub reason: Option<String>,
    pub code: Option<u16>,
    pub due_at: Instant,
    pub expires_at: Option<Instant>,
    pub attempt: u16,
    pub taken_at: Option<Instant>,
    /// The connection that took it last.
    pub taken_by: Option<Uuid>,
    /// The link that it was taken to be sent over.
    pub taken_under: Option<KeyringId>,
    pub is_new_chat: bool,
}

impl StoredMessage {
    pub(super) fn fail(&mut self, state: MessageState, reason: SendFailure) {
        (self.state, self.reason, self.code) = (state, Some(reason.to_string()), None);
    }
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
    pub event: ToldEvent,
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq)]
pub enum ToldEvent {
    OfAccount(Event),
    OfMessage(EventKind, MessageId),
    /// Sending to new chats is paused, or goes on.
    OfSending(EventKind),
}

impl ToldEvent {
    pub fn kind(&self) -> EventKind {
        match self {
            Self::OfAccount(event) => event.kind(),
            Self::OfMessage(kind, _) | Self::OfSending(kind) => *kind,
        }
    }

    pub fn of_account(&self) -> Option<&Event> {
        match self {
            Self::OfAccount(event) => Some(event),
            Self::OfMessage(..) | Self::OfSending(_) => None,
        }
    }
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
