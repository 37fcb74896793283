//! The life of a WhatsApp account, without WhatsApp, a database or a clock.
//!
//! Three pure machines decide everything: [`account::lifecycle`] what an account
//! does, [`unlink::saga`] how a dead device entry leaves a phone, and
//! [`supervisor::roster`] which actors run. Each is stepped by a thin actix shell
//! (`actor.rs`), reached through a handle with verbs (`handle.rs`), and speaks to
//! the world through [`ports`].

pub mod account;
pub mod clock;
pub mod connection;
pub mod departure;
pub mod domain;
pub mod lease;
pub mod ports;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
pub mod supervisor;
pub mod trace;
pub mod unlink;

#[cfg(test)]
mod diagram;
#[cfg(test)]
mod fakes;
mod world;

pub use world::{LeaseEpoch, World};
