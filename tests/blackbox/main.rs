//! The daemon from outside: its process, a real Postgres, the sandbox as WhatsApp.
//! Asserted are rows, received notifications, phones' lists of linked devices, logs.

mod pairing;
mod support;
