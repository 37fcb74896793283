//! The gateway against the sandbox, over a real socket and the real protocol.
//! Only a build that skips the check of WhatsApp's certificate chain can.
#![cfg(feature = "sandbox")]

mod bench;
mod endings;
mod history;
mod linking;
mod living;
mod receiving;
mod sending;
mod settings;
