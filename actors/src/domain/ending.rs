//! How an actor ends, and what the next one of the same account or ticket is told.

use super::{Finished, StatusReason};

/// How an actor went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It finished, or left because it was told to.
    Done,
    /// It panicked.
    Crashed,
    /// Its row was written by somebody else: it begins again from there.
    Overtaken,
    /// The database refused for good what it wrote: it begins again, and is held.
    Refused(Trouble),
    /// Not even that could be written: a person must look.
    Unwritable(String),
}

/// Why an account cannot go on as its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub reason: StatusReason,
    /// Commands that were to end with a change that the database refused.
    pub commands: Vec<Finished>,
    /// Nothing is told but on the row: the database refused what was told, too.
    pub is_muted: bool,
}
