//! The console in a real browser: Debian's Chromium, steered over WebDriver, against the
//! daemon, a real Postgres and the sandbox. Pictures of every page go to
//! `target/screenshots`.
//!
//! Without Chromium the tests fail and say what to install; `PAIRD_NO_BROWSER=1` leaves
//! them out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
#![allow(clippy::print_stderr, reason = "what is left out is told")]

mod account;
mod axe;
mod chats;
mod connection;
mod crowd;
mod desk;
mod door;
mod first_hour;
mod fleet;
mod overview;
mod pairing;
mod pairing_link;
mod passkey;
mod refusals;
mod tags;
mod window;
