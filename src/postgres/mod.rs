//! Everything that is Postgres. SQL text lives in `sql/`, not here.

pub(crate) mod backoff;
mod birth;
pub mod embedded;
pub mod lease;
pub mod listener;
pub mod migrate;
pub mod notified;
pub(crate) mod number;
pub mod outbox;
pub mod pool;
pub mod prune;
pub mod roles;
pub mod store;
mod tls;

pub use birth::host;
