//! paird: links and keeps WhatsApp accounts, driven through Postgres.
//!
//! This crate is adapters and wiring; every decision is in `paird-actors`.

pub mod cli;
pub mod config;
pub mod console;
pub mod daemon;
pub mod postgres;
pub mod qr;
pub mod telemetry;
pub mod whatsapp;
