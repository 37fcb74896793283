use std::time::Duration;

use super::input::ScanId;
use crate::domain::{Phone, SessionEvent, UnlinkAnswer};

/// An order to the shell. Orders are carried out in their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Wait for this connection's turn: [`super::Outcome::TurnCame`] answers, or
    /// [`super::Outcome::NotDialed`].
    AwaitTurn,
    /// Dial and run the library until its socket is over, reporting every stanza and every
    /// frame: [`super::Outcome::NotDialed`] or [`super::Outcome::RunEnded`] answers.
    Run,
    /// Forget the run, whether it has ended or not.
    StopRun,
    /// Watch for the library's answer to a pair-success, before anything else of the
    /// library runs: [`super::Outcome::Answered`] answers.
    AwaitAnswer { scan: ScanId, stanza_id: String },
    /// Ask WhatsApp for a code once the socket is up. A code and a refusal are events;
    /// [`super::Outcome::CodeOutstanding`] answers where an older code is in the way.
    AskForCode { nth: u8, phone: Phone },
    /// Void the code that is out: [`super::Outcome::CodeCancelled`] answers.
    CancelCode,
    /// Have the library close the socket: [`super::Outcome::RunEnded`] follows.
    CloseSocket,
    /// Ask WhatsApp for a sign of life: [`super::Outcome::Pinged`] answers.
    Ping { nth: u32, timeout: Duration },
    /// Ask WhatsApp to remove this device: [`super::Outcome::Unlinked`] answers.
    Unlink,
    /// Answer the owner's [`super::Request::Unlink`].
    AnswerUnlink(UnlinkAnswer),
    /// WhatsApp refuses the client version that this run was made with.
    ReportOutdated,
    /// Tell the owner. [`SessionEvent::Ended`] is the last one.
    Emit(SessionEvent),
    /// Something for the log.
    Note(Note),
    /// Close everything down, nicely: [`super::Outcome::TakenDown`] answers.
    TakeDown,
    /// Stop every task at once.
    Cut,
}

/// Something for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A link was to be confirmed without durable keys; it is refused.
    KeysNotDurable,
    /// A link was to be confirmed that is not held any more.
    ConfirmedTooLate,
    /// Closing took too long.
    CutShort,
    /// WhatsApp delivers nothing on this connection; it is ended.
    Deaf,
}
