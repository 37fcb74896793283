use super::input::NotSent;
use crate::domain::{Instant, MessageId, OutgoingMessage, SendOutcome};

/// Whether a look for messages is worth a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// None is due, as far as is known.
    Nothing,
    /// Only such as wait for a chat that is busy.
    WhenSettled,
    Look,
}

/// A message that this connection has taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HeldMessage {
    pub id: MessageId,
    pub attempt: u16,
    /// The message, if an earlier try may have arrived. It is not given back: it could be cancelled
    /// then, and be on a phone.
    pub maybe_sent: Option<Box<OutgoingMessage>>,
    pub stage: SendStage,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum SendStage {
    /// The library is at work on it.
    Sending { until: Instant, word: Option<Word> },
    /// The same, and it was told to stop.
    Stopping { until: Instant, word: Option<Word> },
    /// It is on the wire.
    Wired { is_reached: bool, until: Instant },
    /// It was not sent by this try, and may have been by an earlier one: it goes again after a pause.
    Resting { until: Instant },
    /// What came of it is to be written.
    Done { outcome: SendOutcome, is_being_written: bool },
}

/// WhatsApp's word on a message. It can overtake the library's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Acked(Instant),
    Received(Instant),
    Refused(u16),
}

impl HeldMessage {
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            SendStage::Sending { until, .. }
            | SendStage::Stopping { until, .. }
            | SendStage::Wired { until, .. }
            | SendStage::Resting { until } => Some(*until),
            SendStage::Done { .. } => None,
        }
    }
}

/// What a try has come to, before it is weighed against the tries that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Sent(Instant),
    Unreached,
    Refused(u16),
    NotSent(NotSent),
    NoWord,
}
