//! Everything that is Postgres. SQL text lives in `sql/`, not here.

pub mod chats;
pub mod client_version;
pub mod embedded;
pub mod lease;
pub mod listener;
pub mod messages;
pub mod migrate;
pub mod notify_command;
pub mod notify_lane;
pub(crate) mod number_claim;
pub mod outbox;
pub mod outgoing;
pub mod pool;
mod process_identity;
pub mod prune;
pub mod rights;
pub mod roles;
pub mod send_refusal;
pub mod store;
pub mod subscriptions;
mod tls;

pub use process_identity::host;
