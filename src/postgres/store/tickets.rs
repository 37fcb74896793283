//! The store for tickets' actors.

use async_trait::async_trait;
use paird_actors::domain::{Event, StoreError, TicketOutcome, TicketRecord};
use paird_actors::ports::TicketStore;
use paird_sql::client::Params;
use paird_sql::queries::tickets::{CloseTicketParams, RetryTicketParams, close_ticket, retry_ticket};

use super::{PgStore, strip_nul, timestamp};
use crate::postgres::pool::bounded;

#[async_trait]
impl TicketStore for PgStore {
    async fn record_ticket(&self, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError> {
        match outcome {
            TicketOutcome::Unlinked { reason } => {
                self.close_ticket(ticket, reason, &Event::AccountUnlinked { reason: reason.clone() }).await
            }
            TicketOutcome::Abandoned { reason } => {
                self.close_ticket(ticket, reason, &Event::UnlinkAbandoned { reason: reason.clone() }).await
            }
            TicketOutcome::Failed { error, attempts, next_retry_at } => {
                let row = RetryTicketParams {
                    account: ticket.account.0,
                    process: self.process,
                    fence: ticket.fence.0,
                    attempts: i32::try_from(*attempts).unwrap_or(i32::MAX),
                    error: strip_nul::text(error),
                    next_retry_at: timestamp(*next_retry_at),
                    ticket: ticket.id.0,
                };
                let client = self.connection().await?;
                let written = bounded(retry_ticket().params(&client, &row).opt()).await?.ok_or(StoreError::Fenced)?;
                if written.is_written || written.was_written { Ok(()) } else { Err(StoreError::Overtaken) }
            }
        }
    }
}

impl PgStore {
    async fn close_ticket(&self, ticket: &TicketRecord, raw: &str, event: &Event) -> Result<(), StoreError> {
        let row = CloseTicketParams {
            account: ticket.account.0,
            process: self.process,
            fence: ticket.fence.0,
            ticket: ticket.id.0,
            is_abandoned: matches!(event, Event::UnlinkAbandoned { .. }),
            event_kind: event.kind().as_str(),
            event_payload: strip_nul::json(&event.payload()),
            raw: strip_nul::text(raw),
        };
        let client = self.connection().await?;
        let is_open = bounded(close_ticket().params(&client, &row).opt()).await?.ok_or(StoreError::Fenced)?;
        if is_open {
            return Err(StoreError::Overtaken);
        }
        self.outbox.wake();
        Ok(())
    }
}
