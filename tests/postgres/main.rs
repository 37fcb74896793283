//! The Postgres adapters against a real server: the daemon's own private one.

mod claims;
mod commands;
mod embedded;
mod listening;
mod migrating;
mod outbox;
mod recording;
mod support;
mod sweeping;
mod tickets;
