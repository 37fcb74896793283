//! Keyrings and the store against a real Postgres, and against the protocol
//! library's own in-memory storage as the judge of what each method means.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod epochs;
mod faults;
mod lids;
mod operations;
mod oracle;
mod postgres;
mod rig;
mod rotation;
mod store;
mod unanswered;
mod write_behind;
