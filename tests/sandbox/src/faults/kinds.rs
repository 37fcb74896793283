//! In which ways one thing can go wrong.

use serde::{Deserialize, Serialize};

/// Garbage that a client cannot decrypt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Garbage {
    /// One frame of random bytes. Everything after it is encrypted as if it had not been.
    #[default]
    Frame,
    /// A frame of the cipher's counter after next, as if one had been lost on the way.
    Skipped,
    /// A length that no frame has, so the following frames are taken for its content.
    Length,
    /// A frame without content.
    Empty,
}

/// The way in which a request to be unlinked fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlinkFault {
    /// Unlinked, but the answer is lost: the socket is cut.
    Lost,
    /// Unlinked, but no answer and no close ever comes.
    Stalled,
    /// Unlinked, and the stream error overtakes the answer.
    Overtaken,
    /// Not unlinked, and no answer: the socket is cut.
    Dropped,
    /// Not unlinked: an iq error 500.
    Refused,
}

/// The treatment of a message that a device sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageFault {
    /// It is dropped silently.
    Lost,
    /// It is delivered, but not acknowledged to its sender.
    AckLost,
    /// It is delivered, and acknowledged to its sender so many milliseconds later.
    AckAfterMs(u64),
    /// Refused with this code.
    Nack(u16),
    /// The socket is cut before it is delivered.
    CutBefore,
    /// Half of the devices get it, then the socket is cut.
    CutBetween,
    /// It is delivered, then the socket is cut, without an acknowledgement.
    CutAfter,
}

/// The way in which a message reaches a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryFault {
    /// Not at all, and it is forgotten.
    Lost,
    /// It cannot be decrypted.
    Garbled,
    /// The same ciphertext twice.
    Twice,
    /// `<unavailable>` in its place.
    Unavailable,
    /// `<unavailable type="view_once">` in its place.
    ViewOnce,
}

/// The way in which a device that has logged in gets less than what waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationFault {
    /// Its request to be active is not answered, and nothing is delivered.
    Unanswered,
    /// The request is refused with this code, and nothing is delivered.
    Refused(u16),
    /// The request is answered, and nothing is delivered.
    Unheeded,
    /// The backlog begins, if there is one; neither the rest nor the mark of its end comes.
    Endless,
    /// The backlog comes one by one, so many milliseconds apart.
    EachAfterMs(u64),
}

/// The form of the repeated message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgainFault {
    /// The same ciphertexts.
    Same,
    /// Encrypted again.
    Anew,
}

/// The treatment of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptFault {
    Lost,
    /// The next one for the same device overtakes it.
    Swapped,
}

/// The answer to a request for a device's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrekeyFault {
    /// This code in the place of the device's keys; 406 is the usual one.
    Missing(u16),
    /// The device is missing from the answer.
    LeftOut,
    /// With the signed key alone.
    SignedOnly,
    /// The whole question is refused with this code.
    Refused(u16),
}

/// When the 515 comes, and whether at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartFault {
    /// Right after pair-success, and the socket closes: the client's signature is not
    /// read, so there is no link.
    BeforeSign,
    /// Right behind pair-success, but what the client signs still counts.
    WithPairSuccess,
    /// At once after pair-device-sign, without the usual pause.
    AtOnce,
    /// So many milliseconds after pair-device-sign.
    AfterMs(u64),
    /// Linked, but no 515 ever comes and the socket stays open.
    Never,
    /// Linked, but the socket is cut instead of a 515.
    Cut,
}

/// A point at which a connection can be paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PausePoint {
    /// Scanned, pair-success not sent.
    BeforePairSuccess,
    /// pair-device-sign arrived, the link not yet made.
    BeforeLink,
    /// Linked, 515 not sent.
    BeforeRestart,
    /// Logging in, `<success>` not sent.
    BeforeSuccess,
    /// Unlink requested, nothing done.
    BeforeUnlink,
}
