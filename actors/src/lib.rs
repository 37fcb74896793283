//! The life of a WhatsApp account, without WhatsApp, a database or a clock.
//!
//! Five pure machines decide everything: [`account::lifecycle`] what an account
//! does, [`connection`] what one of its connections to WhatsApp does, [`outgoing`]
//! which messages that one sends, [`unlink::saga`] how a dead device entry leaves a phone, and
//! [`supervisor::roster`] which actors run. An account and a ticket have actors: [`desk`]
//! is what they do next, [`shell`] carries it out, and they speak to the world through
//! [`ports`]. The connection's shell is the daemon's gateway.

pub mod account;
pub mod clock;
pub mod connection;
pub mod desk;
pub mod domain;
pub mod exit;
pub mod lease;
pub mod machine;
pub mod outgoing;
pub mod ports;
pub mod shell;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
pub mod supervisor;
pub mod trace;
pub mod unlink;

mod deps;
#[cfg(test)]
mod diagram;
#[cfg(test)]
mod fakes;

pub use deps::{Deps, LeaseEpoch};
