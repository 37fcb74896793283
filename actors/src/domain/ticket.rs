use std::fmt;

use super::{AccountId, EventKind, Fence, Instant, KeyringId, TicketId};

/// A row of `unlink_tickets`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TicketRecord {
    pub id: TicketId,
    pub account: AccountId,
    pub label: String,
    pub fence: Fence,
    pub keyring: KeyringId,
    pub reason: String,
    pub attempts: u32,
    /// The error of the last try.
    pub last_error: Option<String>,
    pub next_retry_at: Instant,
    pub abandon_at: Instant,
}

/// Why a device entry must leave a phone. The row has its text, for people alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketReason {
    /// Another link of the account has taken its place.
    PairedAgain,
    /// It came about while its attempt ended, with this event.
    AttemptEnded(EventKind),
    /// Nothing could be done about it when its attempt ended.
    LeftBehind,
    Unpaired,
    Deleted,
}

impl fmt::Display for TicketReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PairedAgain => f.write_str("re-paired"),
            Self::AttemptEnded(event) => write!(f, "attempt ended: {event}"),
            Self::LeftBehind => f.write_str("left behind"),
            Self::Unpaired => f.write_str("unpaired"),
            Self::Deleted => f.write_str("deleted"),
        }
    }
}

/// The outcome of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketOutcome {
    /// WhatsApp confirmed, or said that the device is gone: ticket and keyring are
    /// erased, `account.unlinked` is emitted, all in one transaction.
    Unlinked { reason: String },
    /// Tried again at the given moment.
    Failed { error: String, attempts: u32, next_retry_at: Instant },
    /// Out of time, by the database's clock: ticket and keyring are erased,
    /// `account.unlink_abandoned` is emitted.
    Abandoned { reason: String },
}
