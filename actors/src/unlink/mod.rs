//! A device entry that must leave a phone: one ticket, one small machine, one actor.

pub mod actor;
pub mod handle;
pub mod saga;
