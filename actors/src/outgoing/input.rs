use crate::domain::{Instant, MessageId, StoreError, TakenMessages};

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The connection is logged in, and has read what WhatsApp kept for it: the receipts in that
    /// may be about messages of a former connection.
    Ready,
    /// There may be messages to send.
    Rung,
    /// The answer to [`super::Effect::Take`].
    Taken(Result<TakenMessages, StoreError>),
    /// The answer to [`super::Effect::Settle`].
    Settled(Result<(), StoreError>),
    /// A message goes on the wire; whether for a device of the recipient.
    Wired { id: MessageId, is_reached: bool },
    /// WhatsApp acknowledged it, at this time by its clock.
    Acked { id: MessageId, at: Instant },
    /// A device of the recipient has it, by this or an earlier try.
    Received { id: MessageId, at: Instant },
    /// WhatsApp refused it.
    Refused { id: MessageId, code: u16 },
    /// It was not put on the wire, and will not be by this try.
    NotSent { id: MessageId, why: NotSent },
    /// The time that [`super::Outgoing`] named as its deadline has come.
    Deadline,
}

/// Why the library put a message not on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// Nobody has this number on WhatsApp.
    NobodyThere,
    /// The connection was over before.
    Disconnected,
    /// What it refers to, or whom it is for, cannot be made a message of.
    Malformed,
    /// WhatsApp refused, with this code, what has to be asked for before: the members of a group.
    Refused(u16),
    /// It failed; another try may not.
    Failed,
}
