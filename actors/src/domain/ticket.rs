use super::{AccountId, Fence, Instant, KeyringId, TicketId};

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
