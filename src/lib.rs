//! paird: links and keeps WhatsApp accounts, driven through Postgres.
//!
//! This crate is adapters and wiring; every decision is in `paird-actors`.

pub mod cli;
pub mod config;
pub mod console;
pub mod credentials;
pub mod daemon;
mod escape;
pub mod metrics;
pub mod postgres;
mod private_file;
pub mod proxy_address;
pub mod qr;
mod systemd;
pub mod telemetry;
pub mod whatsapp;
