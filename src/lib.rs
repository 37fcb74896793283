//! paird: links and keeps WhatsApp accounts, driven through Postgres.
//!
//! This crate is adapters and wiring; every decision is in `paird-actors`.

mod account_filter;
mod accounts_csv;
mod checks;
pub mod cli;
pub mod config;
pub mod console;
pub mod credentials;
pub mod daemon;
mod escape;
mod idempotency;
mod label;
mod listen;
pub mod metrics;
pub mod postgres;
mod private_file;
mod probe;
pub mod proxy_address;
pub mod qr;
mod systemd;
mod tags;
pub mod telemetry;
mod vitals;
pub mod whatsapp;
