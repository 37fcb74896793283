//! A store that is timed, whose writes are counted, and whose statements can be seen in
//! the log under the command that led to them.

use std::{future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use paird_actors::{
    domain::{
        AccountId, AccountRecord, ChangeId, CommandId, CommandRow, ConnectionSettings, Fence, Instant, Phone, Swept,
        TicketId, TicketRecord,
    },
    ports::{Change, Claim, Store, StoreError, Survey, TicketOutcome},
};

use super::{
    Meters,
    trace::{Port, traced},
};

/// Passes everything on; see the module.
pub struct MeteredStore {
    inner: Arc<dyn Store>,
    meters: Arc<Meters>,
}

impl MeteredStore {
    pub fn new(inner: Arc<dyn Store>, meters: Arc<Meters>) -> Self {
        Self { inner, meters }
    }

    async fn timed<T>(
        &self,
        operation: &'static str,
        doing: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let started = std::time::Instant::now();
        let done = traced(Port::Store, operation, doing).await;
        self.meters.store_answered(operation, started.elapsed(), done.as_ref().err());
        done
    }
}

#[async_trait]
impl Store for MeteredStore {
    async fn survey(&self) -> Result<Survey, StoreError> {
        self.timed("survey", self.inner.survey()).await
    }

    async fn claim_accounts(&self, limit: u32) -> Result<u32, StoreError> {
        self.timed("claim_accounts", self.inner.claim_accounts(limit)).await
    }

    async fn release_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        self.timed("release_account", self.inner.release_account(account, fence)).await
    }

    async fn load_account(&self, account: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        self.timed("load_account", self.inner.load_account(account)).await
    }

    async fn load_connection_settings(&self, account: AccountId) -> Result<ConnectionSettings, StoreError> {
        self.timed("load_connection_settings", self.inner.load_connection_settings(account)).await
    }

    async fn load_ticket(&self, ticket: TicketId) -> Result<Option<TicketRecord>, StoreError> {
        self.timed("load_ticket", self.inner.load_ticket(ticket)).await
    }

    async fn take_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        let taken = self.timed("take_commands", self.inner.take_commands()).await?;
        self.meters.commands_taken(&taken);
        Ok(taken)
    }

    async fn requeue_command(&self, command: CommandId) -> Result<(), StoreError> {
        self.timed("requeue_command", self.inner.requeue_command(command)).await
    }

    async fn requeue_commands_of(&self, account: AccountId) -> Result<(), StoreError> {
        self.timed("requeue_commands_of", self.inner.requeue_commands_of(account)).await
    }

    async fn record(&self, id: ChangeId, change: &Change) -> Result<ConnectionSettings, StoreError> {
        let settings = self.timed("record", self.inner.record(id, change)).await?;
        self.meters.recorded(change);
        Ok(settings)
    }

    async fn claim_number(&self, account: AccountId, fence: Fence, phone: &Phone) -> Result<Claim, StoreError> {
        self.timed("claim_number", self.inner.claim_number(account, fence, phone)).await
    }

    async fn record_ticket(&self, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError> {
        self.timed("record_ticket", self.inner.record_ticket(ticket, outcome)).await?;
        self.meters.ticket_tried(outcome);
        Ok(())
    }

    async fn sweep(&self, pending_max_age: Duration, now: Instant, dry_run: bool) -> Result<Vec<Swept>, StoreError> {
        self.timed("sweep", self.inner.sweep(pending_max_age, now, dry_run)).await
    }

    async fn hold_account(&self, account: AccountId, reason: &str) -> Result<(), StoreError> {
        self.timed("hold_account", self.inner.hold_account(account, reason)).await
    }
}
