//! The only place that names whatsapp-rust.

mod admission;
mod close;
mod ear;
pub mod gateway;
mod groups;
mod keys;
mod library_store;
mod life;
mod pace;
mod passkey;
mod proxy;
pub mod reach;
mod runtime;
mod session;
mod transport;
pub mod trust;
mod version;
mod voice;

pub use gateway::{Settings, WhatsApp};
pub use keys::{KeySource, LinkKeys};

#[cfg(test)]
mod tests;
