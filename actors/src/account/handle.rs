use tracing::Span;

use super::{
    author::Author,
    lifecycle::{CommandInput, Effect, Input},
};
use crate::{
    Deps,
    domain::{AccountRecord, CommandRow, Instant},
    shell::{self, ArbiterHandle, Mailbox, NotDelivered},
    trace,
};

/// A running account actor, as the supervisor holds it.
#[derive(Clone)]
pub struct AccountHandle {
    mailbox: Mailbox<Author>,
    label: String,
}

/// A running account as an admin sees it.
#[derive(Clone, Debug)]
pub struct Inspection {
    pub state: &'static str,
    pub deadline: Option<Instant>,
    pub record: AccountRecord,
}

impl AccountHandle {
    /// Starts the actor.
    pub fn start(on: &ArbiterHandle, deps: Deps, author: Author, first: Vec<Effect>) -> Self {
        let label = author.life().record().label.clone();
        Self { mailbox: shell::start(on, deps, author, first), label }
    }

    /// Hands over a command, without waiting for it to be carried out. All that it leads
    /// to is in the current span.
    ///
    /// # Errors
    /// [`NotDelivered`]: put the row back.
    pub fn command(&self, row: &CommandRow) -> Result<(), NotDelivered> {
        trace::delivered(&Span::current(), &self.label);
        self.mailbox.command(Input::Command(CommandInput::of(row)))
    }

    /// Close the connection, keep everything, end.
    pub fn drain(&self) {
        self.mailbox.tell(Input::Drain);
    }

    /// The same, for another daemon that is to go on with the account.
    pub fn hand_over(&self) {
        self.mailbox.tell(Input::HandOver);
    }

    /// The account has another owner: cut the connection, end, and write nothing.
    pub fn fence_off(&self) {
        self.mailbox.fence_off();
    }

    /// The current state; `None` if the actor is gone.
    pub async fn inspect(&self) -> Option<Inspection> {
        let look = |author: &Author| {
            let life = author.life();
            Inspection { state: life.state().name(), deadline: life.deadline(), record: life.record().clone() }
        };
        self.mailbox.look(look).await
    }
}
