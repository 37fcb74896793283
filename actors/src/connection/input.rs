use std::time::Duration;

use serde_json::Value;

use crate::domain::{CloseReason, PasskeyStage, Phone, Secret};

/// What happened, grouped by where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The protocol library reported something.
    Event(LibraryEvent),
    /// An effect was carried out.
    Outcome(Outcome),
    /// The connection's owner asks for something.
    Request(Request),
    /// The time that [`super::Connection::deadline`] named has come.
    Deadline,
}

/// An event of the protocol library, in this crate's types.
#[derive(Clone, Debug, PartialEq)]
pub enum LibraryEvent {
    /// Any stanza that no other event stands for: the handshake is through, and the
    /// connection can read what it is sent.
    Stanza,
    /// A frame came in, or went out: a stanza should be heard soon.
    Frame,
    /// A QR to show, for this long.
    Qr { payload: Secret, lasts: Duration },
    /// Every QR of the socket was shown. The library closes it, unless a code is out.
    QrsExhausted { closes: bool },
    /// A code to type, valid for this long.
    Code { code: Secret, lasts: Duration },
    /// WhatsApp wants the code replaced.
    CodeStale,
    /// WhatsApp gives no code: why, in words.
    CodeRefused(String),
    /// A phone typed a code for this number. It may have been a wrong one.
    CodeTyped,
    /// WhatsApp asks for a passkey assertion, or to confirm one, within this time.
    Passkey { stage: PasskeyStage, request: Value, lasts: Duration },
    /// A phone scanned; the library answers when the handler returns. `None`: WhatsApp
    /// named no number or no device.
    PairSuccess(Option<Scan>),
    /// A scan failed: why, in words.
    ScanFailed(String),
    /// The library is through with a pairing.
    PairingFinished,
    /// Logged in.
    Success { phone: Option<Phone>, device_jid: Option<String> },
    /// A stanza that reports a change of a group, and is delivered like others.
    GroupsChanged,
    /// What waited for the device, or is for it now: a message, a receipt, a notification, or
    /// the announcement of them.
    Delivered,
    /// The mark behind everything that waited for the device at its login.
    NothingWaits,
    /// A reason to end that leaves nothing to interpretation.
    CloseReported(CloseReason),
    /// `<stream:error>` with a code, which mostly no other event stands for.
    StreamError(CloseReason),
    /// The socket went away, in the library's words.
    Disconnected(String),
    /// No socket came about.
    DialFailed(CloseReason),
}

/// A phone's scan, as WhatsApp describes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scan {
    pub phone: Phone,
    pub device_jid: String,
    /// The id of the stanza, which the library's answer carries, too.
    pub stanza_id: String,
}

/// Which scan of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScanId(pub u32);

/// The outcome of an effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Of [`super::Effect::AwaitTurn`].
    TurnCame,
    /// Of [`super::Effect::Run`]: the socket was not even dialed.
    NotDialed(CloseReason),
    /// Of [`super::Effect::Run`]: the library's socket is over.
    RunEnded,
    /// Of [`super::Effect::AwaitAnswer`].
    Answered(ScanId, Answer),
    /// Of [`super::Effect::AskForCode`]: a code before it may still link, for this long.
    CodeOutstanding { nth: u8, remaining: Duration },
    /// Of [`super::Effect::CancelCode`].
    CodeCancelled,
    /// Of [`super::Effect::Ping`].
    Pinged { nth: u32, answered: bool },
    /// Of [`super::Effect::Unlink`].
    Unlinked(UnlinkOutcome),
    /// Of [`super::Effect::TakeDown`].
    TakenDown,
    /// The keys of this scan are durable.
    KeysDurable(ScanId),
    /// Keys or messages can no longer be written: nothing that depends on them may be sent.
    StoreFailed(String),
    /// WhatsApp acknowledged a message neither well nor badly.
    NotAcknowledged,
    /// The shell died, by a panic of the library.
    ShellStopped,
}

/// The library's answer to a pair-success, seen before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It makes the link.
    Confirms,
    /// It reports an error of the scan.
    Fails,
    /// There is none.
    Missing,
}

/// WhatsApp's answer to an unlink request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnlinkOutcome {
    Removed,
    /// This connection has no device that could be removed.
    NotLinked,
    Failed(String),
}

/// A request of the connection's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Let the link come about. Only after its keys are durable.
    Confirm,
    /// Never let it come about.
    Refuse,
    /// Remove this device from the phone.
    Unlink,
    /// Close without logging out, and report nothing any more.
    Close,
    /// The same at once.
    Cut,
}
