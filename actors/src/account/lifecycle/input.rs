use crate::{
    domain::{Command, CommandId, Group, Incarnation},
    ports::{Claim, SessionEvent},
};

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// An operator asks for something.
    Command(CommandInput),
    /// A connection speaks.
    Session(Incarnation, SessionEvent),
    /// The outcome of [`super::Effect::Claim`].
    Claimed(Incarnation, Result<Claim, String>),
    /// The outcome of [`super::Effect::SecureKeys`].
    KeysSecured(Incarnation, Result<Claim, String>),
    /// The outcome of [`super::Effect::AnswerPasskey`].
    PasskeyAnswered(Incarnation, CommandId, Result<(), String>),
    /// The outcome of [`super::Effect::FetchGroups`].
    GroupsFetched(Incarnation, Result<Vec<Group>, String>),
    /// The outcome of [`super::Effect::Close`].
    SessionClosed(Incarnation),
    /// The time that [`super::Lifecycle::deadline`] named has come.
    Deadline,
    /// The store refused a write: the account has another owner.
    Fenced,
    /// The daemon stops, or hands the account over.
    Drain,
}

/// A command as it is delivered: read already, or with what is wrong about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommandInput {
    pub id: CommandId,
    pub kind: String,
    pub source: String,
    pub command: Result<Command, String>,
}

impl Input {
    /// The connection that the input is about; `None` if about none.
    pub fn incarnation(&self) -> Option<Incarnation> {
        match self {
            Self::Session(incarnation, _)
            | Self::Claimed(incarnation, _)
            | Self::KeysSecured(incarnation, _)
            | Self::PasskeyAnswered(incarnation, _, _)
            | Self::GroupsFetched(incarnation, _)
            | Self::SessionClosed(incarnation) => Some(*incarnation),
            Self::Command(_) | Self::Deadline | Self::Fenced | Self::Drain => None,
        }
    }
}
