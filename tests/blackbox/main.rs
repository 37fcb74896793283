//! The daemon from outside: its process, a real Postgres, the sandbox as WhatsApp.
//! Asserted are rows, received notifications, phones' lists of linked devices, logs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod isolation;
mod keys;
mod pairing;
mod support;
