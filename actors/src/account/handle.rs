use tracing::Span;

use super::{
    actor::{self, Address},
    lifecycle::{CommandInput, Input},
};
use crate::domain::{AccountRecord, CommandRow, Instant};

/// A running account actor, as the supervisor holds it.
#[derive(Clone)]
pub struct AccountHandle {
    address: Address,
}

/// What an admin sees of a running account.
#[derive(Clone, Debug)]
pub struct Inspection {
    pub state: &'static str,
    pub deadline: Option<Instant>,
    pub record: AccountRecord,
}

/// The actor is gone, or has more to do than it can queue: the command's row remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotDelivered;

impl AccountHandle {
    pub(super) fn new(address: Address) -> Self {
        Self { address }
    }

    /// Hands over a command, without waiting for it to be carried out. All that it leads
    /// to is in the current span.
    ///
    /// # Errors
    /// [`NotDelivered`]: put the row back.
    pub fn command(&self, row: &CommandRow) -> Result<(), NotDelivered> {
        actor::try_feed(&self.address, Input::Command(CommandInput::of(row)), Span::current())
    }

    /// Close the connection, keep everything, end.
    pub fn drain(&self) {
        actor::feed(&self.address, Input::Drain);
    }

    /// The same, for another daemon that is to go on with the account.
    pub fn hand_over(&self) {
        actor::feed(&self.address, Input::HandOver);
    }

    /// The account has another owner: cut the connection, end, and write nothing.
    pub fn fence_off(&self) {
        actor::fence_off(&self.address);
    }

    /// What it is in now; `None` if it is gone.
    pub async fn inspect(&self) -> Option<Inspection> {
        actor::inspect(&self.address).await
    }
}
