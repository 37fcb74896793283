//! The Postgres adapters against a real server: the daemon's own private one.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod audit;
mod chats;
mod claims;
mod commands;
mod embedded;
mod growth;
mod isolation;
mod leases;
mod listening;
mod merging;
mod messages;
mod migrating;
mod model;
mod outbox;
mod outgoing;
mod pairing_links;
mod pooling;
mod pruning;
mod recording;
mod restored;
mod roles;
mod support;
mod sweeping;
mod tags;
mod tickets;
mod vocabulary;
mod waits;
