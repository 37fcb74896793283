//! The console's HTTP face: who gets in, what it says, what it streams.

mod accounts;
mod admin;
mod connection;
mod entry;
mod live;
mod metrics;
mod problems;
