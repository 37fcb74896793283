//! The only place that names whatsapp-rust.

pub mod cert_check;
mod compose;
mod connection;
mod content;
mod dialer;
mod fair_lock;
pub mod gateway;
mod groups;
mod happy_eyeballs;
mod keys;
mod library_store;
mod passkey;
mod proxy;
mod rate_limiter;
pub mod reachability;
mod runtime;
mod version;

pub use connection::{
    BellGuard, Bells, ChatStore, MessageLink, MessageStore, OddKind, OddListener, OutgoingStore, SendStep, SentMessage,
};
pub use dialer::{ProxyDial, ProxyListener};
pub use gateway::{GatewaySettings, WhatsApp};
pub use keys::{KeySource, LinkKeys, MessageSecret};
pub use proxy::ProxyAllow;
pub use version::{VersionStore, WebVersion};

#[cfg(test)]
mod tests;
