//! `Store` over Postgres: each method is one statement, or two that may come apart.

mod accounts;
mod changes;
pub(super) mod clean;
mod commands;
mod handed;
mod tickets;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, FixedOffset};
use deadpool_postgres::{Object, Pool};
use paird_actors::domain::{
    AccountId, AccountRecord, ChangeId, CommandId, CommandRow, ConnectionSettings, Fence, Instant, Phone, Swept,
    TicketId, TicketRecord,
};
use paird_actors::ports::{Change, Claim, Store, StoreError, Survey, TicketOutcome};
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use handed::HandedOut;

use super::outbox::Bell;
use super::pool;

/// The store of one daemon. What it writes names the daemon's `process`, so it writes
/// nothing to an account that has another owner.
#[derive(Clone)]
pub struct PgStore {
    pool: Pool,
    process: Uuid,
    outbox: Bell,
    inbox: Arc<Notify>,
    /// One asking for commands at a time.
    asking: Arc<Mutex<()>>,
    handed_out: HandedOut,
}

impl PgStore {
    /// `process` is that of the daemon's lease; `outbox` is rung after each commit with
    /// events, `inbox` after each that ends a command: the account's next one may start.
    pub fn new(pool: Pool, process: Uuid, outbox: Bell, inbox: Arc<Notify>) -> Self {
        Self { pool, process, outbox, inbox, asking: Arc::default(), handed_out: HandedOut::default() }
    }

    async fn connection(&self) -> Result<Object, StoreError> {
        pool::connection(&self.pool).await
    }
}

#[async_trait]
impl Store for PgStore {
    async fn survey(&self) -> Result<Survey, StoreError> {
        self.survey_fleet().await
    }

    async fn claim_accounts(&self, limit: u32) -> Result<u32, StoreError> {
        self.claim_free(limit).await
    }

    async fn release_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        self.give_up(account, fence).await
    }

    async fn load_account(&self, account: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        self.read_account(account).await
    }

    async fn load_connection_settings(&self, account: AccountId) -> Result<ConnectionSettings, StoreError> {
        self.read_connection_settings(account).await
    }

    async fn load_ticket(&self, ticket: TicketId) -> Result<Option<TicketRecord>, StoreError> {
        self.read_ticket(ticket).await
    }

    async fn take_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        self.take_next_commands().await
    }

    async fn requeue_command(&self, command: CommandId) -> Result<(), StoreError> {
        self.put_back(command).await
    }

    async fn requeue_commands_of(&self, account: AccountId) -> Result<(), StoreError> {
        self.put_back_all(account).await
    }

    async fn record(&self, id: ChangeId, change: &Change) -> Result<ConnectionSettings, StoreError> {
        self.write_change(id, change).await
    }

    async fn claim_number(&self, account: AccountId, fence: Fence, phone: &Phone) -> Result<Claim, StoreError> {
        self.claim_for(account, fence, phone).await
    }

    async fn record_ticket(&self, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError> {
        self.write_outcome(ticket, outcome).await
    }

    async fn sweep(&self, pending_max_age: Duration, now: Instant, dry_run: bool) -> Result<Vec<Swept>, StoreError> {
        self.park_stale(pending_max_age, now, dry_run).await
    }

    async fn hold_account(&self, account: AccountId, reason: &str) -> Result<(), StoreError> {
        self.hold(account, reason).await
    }
}

fn timestamp(at: Instant) -> DateTime<FixedOffset> {
    at.to_utc().fixed_offset()
}

fn instant(at: DateTime<FixedOffset>) -> Instant {
    Instant::from(at.to_utc())
}
