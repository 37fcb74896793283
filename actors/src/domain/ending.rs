//! The ways in which an actor ends, and what the next one of the same account or ticket must
//! know.

use super::{AccountId, Finished, StatusReason, TicketId};

/// An account or ticket, which can have an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Member {
    Account(AccountId),
    Ticket(TicketId),
}

/// The one message of an actor to the supervisor: it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    pub member: Member,
    pub ending: Ending,
}

impl Retired {
    pub fn of(member: Member, ending: Ending) -> Self {
        Self { member, ending }
    }
}

/// The way in which an actor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It finished, or left because it was asked to.
    Done,
    /// It panicked.
    Crashed,
    /// Another writer changed its row: it begins again from there.
    Overtaken,
    /// The database permanently refused its write: it begins again, and is held.
    Refused(Trouble),
    /// The database refused even the write that would hold it: a person must look.
    Unwritable(String),
}

/// Why an account cannot go on as its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub reason: StatusReason,
    /// Commands that were to end with a change that the database refused.
    pub commands: Vec<Finished>,
    /// Write the row alone, without events or audit: the database refused a write with them.
    pub is_muted: bool,
}
