//! What may be wrong with a machine, its database and its daemons, as findings: the same words wherever
//! they are asked for.

pub(crate) mod daemons;
pub(crate) mod files;
mod finding;
pub(crate) mod keys;
pub(crate) mod server;
pub(crate) mod whatsapp;

pub(crate) use finding::{Finding, Level, summary, worst};
