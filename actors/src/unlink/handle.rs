use super::saga::{Effect, Input, Saga};
use crate::{
    Deps,
    shell::{self, ArbiterHandle, Mailbox},
};

/// A running unlink actor, as the supervisor holds it.
#[derive(Clone)]
pub struct UnlinkHandle {
    mailbox: Mailbox<Saga>,
}

impl UnlinkHandle {
    /// Starts the actor.
    pub fn start(on: &ArbiterHandle, deps: Deps, saga: Saga, first: Vec<Effect>) -> Self {
        Self { mailbox: shell::start(on, deps, saga, first) }
    }

    /// End, and leave the ticket open for the account's next owner.
    pub fn leave(&self) {
        self.mailbox.tell(Input::Leave);
    }

    /// The account has another owner: cut the connection, end, and write nothing.
    pub fn fence_off(&self) {
        self.mailbox.fence_off();
    }
}
