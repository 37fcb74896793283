//! Requests to a connection, and its events.

use serde_json::Value;
use thiserror::Error;

use super::{
    AccountId, CloseReason, ConnectionSettings, Fence, Incarnation, Instant, KeyringId, OperatorId, PasskeyStage,
    Phone, Secret,
};

/// The purpose of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Link a new device: fresh keys, which stay in memory until [`crate::ports::Session::secure_keys`].
    Pair { code_for: Option<Phone> },
    /// Log in with the keyring's stored keys.
    Login,
    /// The same with keys that no longer belong to an account, to have the device removed.
    /// Incoming messages are not written.
    Unlink,
}

/// An order for one connection.
#[derive(Clone, Debug)]
pub struct OpenSession {
    pub account: AccountId,
    /// The operator of the account, because operators take turns; `None` for a ticket.
    pub operator: Option<OperatorId>,
    pub label: String,
    pub fence: Fence,
    pub incarnation: Incarnation,
    pub keyring: KeyringId,
    pub purpose: Purpose,
    pub settings: ConnectionSettings,
}

/// An event of a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionEvent {
    /// Its turn to connect has come: until then it waited for the connect budget.
    Dialing,
    /// A QR to show, for this long.
    Qr { payload: Secret, expires_at: Instant },
    /// The QR on show cannot be scanned any more, and the connection goes on for its code.
    QrOver,
    /// A code to type on the phone.
    Code { code: Secret, expires_at: Instant },
    /// The code on show is over, and this connection shows no other before the next [`Self::Code`].
    CodeOver { reason: CodeOver },
    /// WhatsApp asks for a passkey assertion, or to confirm one, until then.
    Passkey { stage: PasskeyStage, request: Value, expires_at: Instant },
    /// The phone scanned. Nothing is linked yet: the connection waits for
    /// [`crate::ports::Session::confirm_link`] or [`crate::ports::Session::refuse_link`].
    Scanned { phone: Phone, device_jid: String },
    /// A scan that failed (wrong signature, phone without multi-device): the next may do.
    ScanRejected { reason: String },
    /// Logged in: `<success>` was received.
    Open { phone: Option<Phone>, device_jid: Option<String> },
    /// WhatsApp reports a change of some group of the account.
    GroupsChanged,
    /// The connection is over, by itself; the last event of its incarnation.
    Ended { reason: CloseReason },
}

/// Why a code is not on show any more, or never was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeOver {
    /// It was not typed in time.
    Expired,
    /// It was typed and no link came of it: a wrong code, mostly; or WhatsApp wants another.
    Spent,
    /// WhatsApp gives none: why, in words.
    Refused(String),
}

/// The reason why fetching the groups failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GroupsError {
    #[error("WhatsApp did not answer")]
    Late,
    #[error("the connection is over")]
    ConnectionOver,
    #[error("{0}")]
    Failed(String),
}

/// Why an answer to a passkey challenge came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PasskeyError {
    #[error("the connection is over")]
    ConnectionOver,
    /// Not an answer that a browser gives. Says what is wrong, without the content.
    #[error("{0}")]
    Malformed(&'static str),
    #[error("WhatsApp did not take the answer: {0}")]
    NotTaken(String),
}

/// WhatsApp's word on an unlink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnlinkAnswer {
    /// Removed, or known to be gone: the reason, raw.
    Gone(String),
    /// Not known: ask again later.
    Unknown(String),
}
