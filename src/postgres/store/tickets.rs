use paird_actors::domain::{AccountId, Event, Fence, KeyringId, TicketId, TicketRecord};
use paird_actors::ports::{StoreError, TicketOutcome};
use paird_sql::client::Params;
use paird_sql::queries::tickets::{CloseTicketParams, RetryTicketParams, close_ticket, load_ticket, retry_ticket};

use super::{PgStore, instant, strip_nul, timestamp};
use crate::postgres::pool::bounded;

impl PgStore {
    pub(super) async fn read_ticket(&self, ticket: TicketId) -> Result<Option<TicketRecord>, StoreError> {
        let client = self.connection().await?;
        let row = bounded(load_ticket().bind(&client, &ticket.0, &self.process).opt()).await?;
        Ok(row.map(|row| TicketRecord {
            id: TicketId(row.id),
            account: AccountId(row.account_id),
            label: row.label,
            fence: Fence(row.fence),
            keyring: KeyringId(row.keyring_id),
            reason: row.reason,
            attempts: u32::try_from(row.attempts).unwrap_or(0),
            last_error: row.last_error,
            next_retry_at: instant(row.next_retry_at),
            abandon_at: instant(row.abandon_at),
        }))
    }

    pub(super) async fn write_outcome(&self, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError> {
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
