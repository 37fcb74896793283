//! The store over Postgres: each method is one statement, or two that may come apart.

mod account_row;
mod changes;
mod fleet;
mod in_flight;
pub(super) mod strip_nul;
mod tickets;

use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use deadpool_postgres::{Object, Pool};
use paird_actors::domain::{Instant, StoreError};
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use in_flight::{InFlight, Polls};

use super::outbox::Waker;
use super::pool;

/// The store of one daemon. Its statements name the daemon's `process`, so they write nothing
/// to an account that has another owner.
#[derive(Clone)]
pub struct PgStore {
    pool: Pool,
    process: Uuid,
    outbox: Waker,
    inbox: Arc<Notify>,
    resync: Arc<Notify>,
    /// One asking for commands at a time.
    asking: Arc<Mutex<()>>,
    in_flight: InFlight,
    polls: Polls,
}

impl PgStore {
    /// `process` is that of the daemon's lease; `outbox` is woken after each commit with
    /// events, `inbox` after each that ends a command: the account's next one may start.
    pub fn new(pool: Pool, process: Uuid, outbox: Waker, inbox: Arc<Notify>) -> Self {
        Self {
            pool,
            process,
            outbox,
            inbox,
            resync: Arc::default(),
            asking: Arc::default(),
            in_flight: InFlight::default(),
            polls: Polls::default(),
        }
    }

    /// `resync` is woken after each commit that opens an unlink ticket: its actor may start.
    #[must_use]
    pub fn with_resync(self, resync: Arc<Notify>) -> Self {
        Self { resync, ..self }
    }

    async fn connection(&self) -> Result<Object, StoreError> {
        pool::connection(&self.pool).await
    }
}

fn timestamp(at: Instant) -> DateTime<FixedOffset> {
    at.to_utc().fixed_offset()
}

fn instant(at: DateTime<FixedOffset>) -> Instant {
    Instant::from(at.to_utc())
}
