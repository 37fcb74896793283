use crate::{
    domain::{CommandId, Incarnation, KeyringId, PasskeyAnswer, Phone, Refuse},
    ports::{Change, Purpose},
};

/// An order to the shell. Orders are carried out in their order; `Claim`,
/// `SecureKeys` and `Record` are waited for before the next input is taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open a connection. Only after the one before was closed.
    Open { incarnation: Incarnation, keyring: KeyringId, purpose: Purpose },
    /// Close it without logging out, and say [`super::Input::SessionClosed`] when nothing of it lives.
    Close(Incarnation),
    /// Ask for the number: [`super::Input::Claimed`] answers.
    Claim { incarnation: Incarnation, phone: Phone },
    /// Make the keys durable, with `BeforeLink` claim the number, and say the reason on the
    /// row, in one transaction: [`super::Input::KeysSecured`] answers.
    SecureKeys { incarnation: Incarnation, refuse: Refuse, reason: &'static str },
    /// Let the link come about. Only after its keys are durable.
    ConfirmLink(Incarnation),
    /// Do not let it come about.
    RefuseLink(Incarnation),
    /// Carry the operator's answer to WhatsApp: [`super::Input::PasskeyAnswered`] answers.
    AnswerPasskey { incarnation: Incarnation, command: CommandId, answer: PasskeyAnswer },
    /// Ask WhatsApp for the groups: [`super::Input::GroupsFetched`] answers, some time.
    FetchGroups(Incarnation),
    /// Write the row and everything that tells of the change, in one transaction;
    /// retried by the shell until it is done or [`super::Input::Fenced`].
    Record(Box<Change>),
    /// The actor ends. The last effect of a life.
    Retire,
}
