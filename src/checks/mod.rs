//! What may be wrong with a machine, its database and its daemon, as findings: the same words in
//! `paird init`, in `paird doctor` and on the console's page of a fleet without accounts.

pub(crate) mod daemons;
pub(crate) mod files;
mod finding;
mod first_steps;
pub(crate) mod keys;
mod own;
pub(crate) mod server;
pub(crate) mod whatsapp;

pub(crate) use finding::{Finding, Level, summary, worst};
pub(crate) use first_steps::{FIRST_ACCOUNT, Way, ways};
pub(crate) use own::OwnChecks;
