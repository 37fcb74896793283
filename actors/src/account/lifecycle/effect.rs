use crate::domain::{CommandId, Incarnation, KeyringId, OnlineOrder, PasskeyAnswer, Purpose, Update};

/// An order to the shell. Orders are carried out in their order; `Claim` and `Record` are
/// waited for before the next input is taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open a connection. Only after the one before was closed.
    Open { incarnation: Incarnation, keyring: KeyringId, purpose: Purpose },
    /// Close it without logging out, and say [`super::Input::SessionClosed`] when nothing of it lives.
    Close(Incarnation),
    /// Close it at once, without finishing anything: the account may already belong to another
    /// daemon. [`super::Input::SessionClosed`] answers here, too.
    Cut(Incarnation),
    /// Write the update unless another account has the number that it gives this one:
    /// [`super::Input::Claimed`] answers.
    Claim { incarnation: Incarnation, update: Box<Update> },
    /// Let the link come about. Only after its keys are durable.
    ConfirmLink(Incarnation),
    /// Do not let it come about.
    RefuseLink(Incarnation),
    /// Carry the operator's answer to WhatsApp: [`super::Input::PasskeyAnswered`] answers.
    AnswerPasskey { incarnation: Incarnation, command: CommandId, answer: PasskeyAnswer },
    /// Ask WhatsApp for the groups: [`super::Input::GroupsFetched`] answers, some time.
    FetchGroups(Incarnation),
    /// Have the connection do this: [`super::Input::Answered`] answers.
    Ask { incarnation: Incarnation, command: CommandId, order: OnlineOrder },
    /// Write the row and everything that reports the change, in one transaction;
    /// retried by the shell until it is done or [`super::Input::Fenced`].
    Record(Box<Update>),
    /// The actor ends. The last effect of a life.
    Retire,
}
