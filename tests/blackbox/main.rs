//! The daemon from outside: its process, a real Postgres, the sandbox as WhatsApp.
//! Asserted are rows, received notifications, phones' lists of linked devices, logs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod attempts;
mod codes;
mod command_line;
mod crashes;
mod database;
mod duplicates;
mod fleet;
mod inbox;
mod isolation;
mod keys;
mod links;
mod names;
mod pairing;
mod passkey;
mod proxies;
mod restarts;
mod settings;
#[allow(dead_code, reason = "tests/chaos uses it, too")]
mod support;
mod sweep;
mod unlink;
