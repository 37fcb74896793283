use crate::domain::{MessageId, OutgoingMessage, SendOutcome};

/// An order to the shell. Orders are carried out in their order, and may be under way together.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Take messages that are due, at most so many; with none, ask only how matters stand.
    /// [`super::Input::Taken`] answers.
    Take { held: Vec<MessageId>, room: u16 },
    /// Send it. [`super::Input::Wired`] or [`super::Input::NotSent`] answers, and WhatsApp's word.
    Send(Box<OutgoingMessage>),
    /// Forget the sending of it, unless it goes on the wire already: this answers with
    /// [`super::Input::NotSent`], or [`super::Input::Wired`] has.
    Stop(MessageId),
    /// Write what came of messages. [`super::Input::Settled`] answers.
    Settle(Vec<(MessageId, SendOutcome)>),
    /// End the connection: nothing more is sent on it.
    EndConnection(EndCause),
}

/// Why a connection is ended by what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// WhatsApp acknowledged a message neither well nor badly.
    NotAcknowledged,
    /// The account, or its link, is not this connection's any more.
    NotOurs,
}
