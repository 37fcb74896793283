use crate::domain::{
    Claim, ClaimError, Command, CommandError, CommandId, CommandRow, Finished, Group, GroupsError, Incarnation,
    Instant, OnlineAnswer, OnlineError, PasskeyError, SessionEvent,
};

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// An operator asks for something.
    Command(CommandInput),
    /// A connection speaks.
    Session(Incarnation, SessionEvent),
    /// The outcome of [`super::Effect::Claim`].
    Claimed(Incarnation, Result<Claim, ClaimError>),
    /// The outcome of [`super::Effect::AnswerPasskey`].
    PasskeyAnswered(Incarnation, CommandId, Result<(), PasskeyError>),
    /// The outcome of [`super::Effect::FetchGroups`].
    GroupsFetched(Incarnation, Result<Vec<Group>, GroupsError>),
    /// The outcome of [`super::Effect::Ask`].
    Answered(Incarnation, CommandId, Result<OnlineAnswer, OnlineError>),
    /// The outcome of [`super::Effect::Close`] or [`super::Effect::Cut`].
    SessionClosed(Incarnation),
    /// The time that [`super::Lifecycle::deadline`] named has come.
    Deadline,
    /// The store refused a write: the account has another owner.
    Fenced,
    /// The daemon stops, and no other daemon is known to take the account over.
    Drain,
    /// Another daemon is to go on with the account.
    HandOver,
}

/// A command as it is delivered: read already, or with what is wrong about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommandInput {
    pub id: CommandId,
    pub kind: String,
    pub source: String,
    pub command: Result<Command, CommandError>,
    /// When it was sent.
    pub created_at: Instant,
}

impl CommandInput {
    pub fn of(row: &CommandRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind.clone(),
            source: row.source.clone(),
            command: row.command.clone(),
            created_at: row.created_at,
        }
    }

    /// Its end, as a change records it.
    pub(super) fn ended(&self, result: Result<String, String>) -> Finished {
        Finished { command: self.id, kind: self.kind.clone(), result }
    }
}

impl Input {
    /// The connection that the input is about; `None` if about none.
    pub fn incarnation(&self) -> Option<Incarnation> {
        match self {
            Self::Session(incarnation, _)
            | Self::Claimed(incarnation, _)
            | Self::PasskeyAnswered(incarnation, _, _)
            | Self::GroupsFetched(incarnation, _)
            | Self::Answered(incarnation, _, _)
            | Self::SessionClosed(incarnation) => Some(*incarnation),
            Self::Command(_) | Self::Deadline | Self::Fenced | Self::Drain | Self::HandOver => None,
        }
    }
}
