//! Several daemons over a model of the database, with phones, operators and faults, all of it
//! in virtual time and drawn from one seed. The machines are the real ones: [`Roster`], the
//! desks with their lifecycles, the sagas and the heartbeat; only the shells around them are
//! rebuilt here. A [`Referee`] looks at every statement, every login and at the end.
//!
//! [`Roster`]: crate::supervisor::roster::Roster
//! [`Referee`]: referee::Referee

#![allow(clippy::wildcard_enum_match_arm, reason = "a double has an opinion on what it plays, and on nothing else")]

mod daemon;
mod dice;
mod flaws;
mod lives;
mod messages_seen;
pub mod model;
mod quiet;
mod referee;
mod schedule;
mod schedule_messages;
mod whatsapp;
mod world;

pub use dice::Dice;
pub use flaws::Flaw;
pub use referee::{Rule, Violation};
pub use schedule::{Act, Schedule};
pub use world::{RunOutcome, run};

#[cfg(test)]
mod tests;
