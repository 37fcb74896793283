//! The only place that names whatsapp-rust.

mod admission;
pub mod backend;
mod close;
mod ear;
pub mod gateway;
mod groups;
mod keys;
mod life;
mod pace;
mod passkey;
pub mod proxy;
pub mod reach;
mod runtime;
pub mod seal;
mod session;
mod transport;
pub mod trust;
mod version;
mod voice;

pub use gateway::{Settings, WhatsApp};
pub use keys::{KeySource, LinkKeys};

#[cfg(test)]
mod tests;
