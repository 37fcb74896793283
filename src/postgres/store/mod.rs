//! `Store` over Postgres: each method is one statement, or two that may come apart.

mod accounts;
mod changes;
mod commands;
mod in_flight;
pub(super) mod strip_nul;
mod tickets;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, FixedOffset};
use deadpool_postgres::{Object, Pool};
use paird_actors::domain::{
    AccountId, CommandRow, ConnectionSettings, Fence, Instant, PendingAttempt, Taken, TicketId, TicketRecord,
};
use paird_actors::ports::{Loaded, Store, StoreError, Survey, TicketOutcome, Write, Written};
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use in_flight::{InFlight, Looks};

use super::outbox::Waker;
use super::pool;

/// The store of one daemon. What it writes names the daemon's `process`, so it writes
/// nothing to an account that has another owner.
#[derive(Clone)]
pub struct PgStore {
    pool: Pool,
    process: Uuid,
    outbox: Waker,
    inbox: Arc<Notify>,
    /// One asking for commands at a time.
    asking: Arc<Mutex<()>>,
    in_flight: InFlight,
    looks: Looks,
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
            asking: Arc::default(),
            in_flight: InFlight::default(),
            looks: Looks::default(),
        }
    }

    async fn connection(&self) -> Result<Object, StoreError> {
        pool::connection(&self.pool).await
    }
}

#[async_trait]
impl Store for PgStore {
    async fn survey(&self, running: &[AccountId]) -> Result<Survey, StoreError> {
        self.survey_fleet(running).await
    }

    async fn claim_accounts(&self, limit: u32) -> Result<u32, StoreError> {
        self.claim_free(limit).await
    }

    async fn release_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        self.give_up(account, fence).await
    }

    async fn retake_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        self.take_back(account, fence).await
    }

    async fn load_account(&self, account: AccountId) -> Result<Option<Loaded>, StoreError> {
        self.read_account(account).await
    }

    async fn load_connection_settings(
        &self,
        account: AccountId,
        fence: Fence,
    ) -> Result<ConnectionSettings, StoreError> {
        self.read_connection_settings(account, fence).await
    }

    async fn load_ticket(&self, ticket: TicketId) -> Result<Option<TicketRecord>, StoreError> {
        self.read_ticket(ticket).await
    }

    async fn take_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        self.take_next_commands().await
    }

    fn handed_out(&self, account: AccountId) -> Vec<Taken> {
        self.in_flight.of(account)
    }

    async fn requeue_commands(&self, commands: &[Taken]) -> Result<(), StoreError> {
        self.put_back(commands).await
    }

    async fn record(&self, write: &Write) -> Result<Written, StoreError> {
        self.write_change(write).await
    }

    async fn record_ticket(&self, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError> {
        self.write_outcome(ticket, outcome).await
    }

    async fn list_pending(&self) -> Result<Vec<PendingAttempt>, StoreError> {
        self.read_pending().await
    }
}

fn timestamp(at: Instant) -> DateTime<FixedOffset> {
    at.to_utc().fixed_offset()
}

fn instant(at: DateTime<FixedOffset>) -> Instant {
    Instant::from(at.to_utc())
}
