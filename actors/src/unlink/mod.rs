//! A device entry that must leave a phone: one ticket, one small machine, one actor.

mod effects;
pub mod handle;
pub mod saga;
