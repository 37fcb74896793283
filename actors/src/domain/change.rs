//! A transaction on an account, and its outcome.

use thiserror::Error;

use super::{
    AccountRecord, AuditEntry, ChangeId, CommandId, ConnectionSettings, Event, Group, Instant, KeyringId, Phone,
    SealedKeys, Secret, StoreError, TicketReason,
};

/// Everything that a transaction on an account writes besides the row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    pub qr: QrChange,
    pub pair_code: CodeChange,
    /// Keyrings whose link is gone or never was: shredded.
    pub erase: Vec<KeyringId>,
    /// Keyrings whose device entry must go: a ticket each.
    pub tickets: Vec<(KeyringId, TicketReason)>,
    /// Replaces the account's groups.
    pub groups: Option<Vec<Group>>,
    pub events: Vec<Event>,
    pub audit: Vec<AuditEntry>,
    /// Commands that end with this change.
    pub finished: Vec<Finished>,
    /// A phone with this number has scanned, and a link is being made: the keys of its
    /// connection become durable with this change, as those of the record's `linking`.
    pub links: Option<Phone>,
    /// The account's deletion is over with this change, unless a device entry must still
    /// leave a phone. Only the statement knows of tickets: where one is open, the row says
    /// `deleting` instead, and `account.deleted` says `pending`.
    pub deletes: bool,
}

impl Change {
    /// No events, but clears the QR and the code on the way out of `pending`.
    pub fn out_of_pending() -> Self {
        Self { qr: QrChange::Clear, pair_code: CodeChange::Clear, ..Self::default() }
    }
}

/// One transaction on an account: its row, and everything that reports the change.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub record: AccountRecord,
    pub change: Change,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum QrChange {
    #[default]
    Keep,
    Clear,
    /// Shows this payload on the row, as [a picture](Write::qr_png).
    Show {
        payload: Secret,
        at: Instant,
        expires_at: Instant,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CodeChange {
    #[default]
    Keep,
    Clear,
    Show(Secret),
}

/// A command that has ended, with its result in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    pub command: CommandId,
    pub kind: String,
    pub result: Result<String, String>,
}

/// An update on its way into the database, under a name that a second try keeps.
#[derive(Clone, Debug)]
pub struct Write {
    pub id: ChangeId,
    /// The last change of the row that this one was decided on.
    pub follows: Option<ChangeId>,
    pub record: AccountRecord,
    pub change: Change,
    /// Those of a change that [links](Change::links).
    pub keys: Option<SealedKeys>,
    /// Of a change that [shows a QR](QrChange::Show): its PNG, base64.
    pub qr_png: Option<Secret>,
}

/// The outcome of a [`Write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// The row and everything that reports the change are written, by this try or by an
    /// earlier one.
    Done {
        /// The settings for a connection that is made right now; `None` while the daemon's
        /// lease is not live.
        settings: Option<ConnectionSettings>,
    },
    /// Nothing was written: the change gives the account a number that another live
    /// account of the operator has. The oldest one's label.
    NumberTaken { existing_label: String },
}

impl Written {
    /// Interprets the database's answer to a write. A change that an earlier try wrote is
    /// done, even if later changes followed it.
    ///
    /// # Errors
    /// `Overtaken`: another change came first.
    pub fn of(
        was_written: bool,
        in_turn: bool,
        existing_label: Option<String>,
        settings: Option<ConnectionSettings>,
    ) -> Result<Self, StoreError> {
        match existing_label {
            _ if was_written => Ok(Self::Done { settings }),
            Some(existing_label) => Ok(Self::NumberTaken { existing_label }),
            None if in_turn => Ok(Self::Done { settings }),
            None => Err(StoreError::Overtaken),
        }
    }
}

/// The answer to "may this account hold this number?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The number is on the account's row, and no other account of the operator can have it.
    Granted,
    /// The oldest other live account of the operator that has it.
    Duplicate { existing_label: String },
}

/// The reason why it is unknown whether the number is free.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClaimError {
    #[error("the database did not answer in time")]
    Late,
    #[error("{0}")]
    Failed(String),
}
