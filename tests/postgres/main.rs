//! The Postgres adapters against a real server: the daemon's own private one.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod claims;
mod commands;
mod embedded;
mod leases;
mod listening;
mod migrating;
mod outbox;
mod pooling;
mod recording;
mod roles;
mod support;
mod sweeping;
mod tickets;
