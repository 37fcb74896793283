//! A store that is timed, whose writes are counted, and whose statements can be seen in
//! the log under the command that led to them.

use std::sync::Arc;

use async_trait::async_trait;
use paird_actors::{
    domain::{
        AccountId, CommandRow, ConnectionSettings, Fence, Loaded, PendingAttempt, StoreError, Survey, Taken, TicketId,
        TicketOutcome, TicketRecord, Write, Written,
    },
    ports::{AccountStore, ConnectionStore, FleetStore, Store, TicketStore},
};

use super::Meters;

/// Passes everything on; see the module.
pub struct MeteredStore {
    inner: Arc<dyn Store>,
    meters: Arc<Meters>,
}

impl MeteredStore {
    pub fn new(inner: Arc<dyn Store>, meters: Arc<Meters>) -> Self {
        Self { inner, meters }
    }
}

#[async_trait]
impl ConnectionStore for MeteredStore {
    async fn load_connection_settings(
        &self,
        account: AccountId,
        fence: Fence,
    ) -> Result<ConnectionSettings, StoreError> {
        self.meters.timed("load_connection_settings", self.inner.load_connection_settings(account, fence)).await
    }
}

#[async_trait]
impl AccountStore for MeteredStore {
    async fn record(&self, write: &Write) -> Result<Written, StoreError> {
        let written = self.meters.timed("record", self.inner.record(write)).await?;
        if matches!(written, Written::Done { .. }) {
            self.meters.recorded(&write.change);
        }
        Ok(written)
    }
}

#[async_trait]
impl TicketStore for MeteredStore {
    async fn record_ticket(&self, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError> {
        self.meters.timed("record_ticket", self.inner.record_ticket(ticket, outcome)).await?;
        self.meters.ticket_tried(outcome);
        Ok(())
    }
}

#[async_trait]
impl FleetStore for MeteredStore {
    async fn survey(&self, running: &[AccountId]) -> Result<Survey, StoreError> {
        self.meters.timed("survey", self.inner.survey(running)).await
    }

    async fn claim_accounts(&self, limit: u32) -> Result<u32, StoreError> {
        self.meters.timed("claim_accounts", self.inner.claim_accounts(limit)).await
    }

    async fn release_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        self.meters.timed("release_account", self.inner.release_account(account, fence)).await
    }

    async fn retake_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        self.meters.timed("retake_account", self.inner.retake_account(account, fence)).await
    }

    async fn load_account(&self, account: AccountId) -> Result<Option<Loaded>, StoreError> {
        self.meters.timed("load_account", self.inner.load_account(account)).await
    }

    async fn load_ticket(&self, ticket: TicketId) -> Result<Option<TicketRecord>, StoreError> {
        self.meters.timed("load_ticket", self.inner.load_ticket(ticket)).await
    }

    async fn take_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        let taken = self.meters.timed("take_commands", self.inner.take_commands()).await?;
        self.meters.commands_taken(&taken);
        Ok(taken)
    }

    fn handed_out(&self, account: AccountId) -> Vec<Taken> {
        self.inner.handed_out(account)
    }

    async fn requeue_commands(&self, commands: &[Taken]) -> Result<(), StoreError> {
        self.meters.timed("requeue_commands", self.inner.requeue_commands(commands)).await
    }

    async fn list_pending(&self) -> Result<Vec<PendingAttempt>, StoreError> {
        self.meters.timed("list_pending", self.inner.list_pending()).await
    }
}
