//! Orders to a connection.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use wacore_binary::Node;

use crate::faults::Garbage;
use crate::qr::Qr;

pub(crate) enum Order {
    /// Drop the socket without a word.
    Cut,
    /// Say a last thing, and close.
    EndWith(Box<Node>),
    /// Send a frame that cannot be decrypted.
    Garble(Garbage),
    /// Send this stanza, without checks.
    Say(Box<Node>),
    /// Send the refs again, so many times.
    ResendRefs(u32),
    /// A phone has scanned the QR on show.
    Scan(Box<Scan>),
    /// The companion is to show another code.
    RefreshCode,
    /// The passkey that was asked for is asked for again, with another challenge.
    ChallengeAgain,
    /// A phone has typed a code.
    TypeCode(Box<TypedCode>),
}

/// Notified once pair-success was sent, or with the reason why it was not.
pub(crate) type Done = oneshot::Sender<Result<(), String>>;

pub(crate) struct Scan {
    pub(crate) number: String,
    pub(crate) qr: Qr,
    pub(crate) options: ScanOptions,
    pub(crate) done: Done,
}

pub(crate) struct TypedCode {
    pub(crate) number: String,
    pub(crate) code: String,
    pub(crate) done: Done,
}

/// The way in which the owner of a phone scans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScanOptions {
    /// From the scan to the owner's "yes, link", in milliseconds.
    pub approve_after_ms: u64,
    /// The phone signs wrongly: the client refuses with 401 `signature-mismatch`.
    pub bad_signature: bool,
    /// The phone proves wrongly that it saw the QR: 401 `hmac-mismatch`.
    pub bad_hmac: bool,
}
