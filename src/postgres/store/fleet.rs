//! The store for the supervisor.

use async_trait::async_trait;
use paird_actors::domain::{
    AccountId, Command, CommandId, CommandRow, Fence, KeyringId, Loaded, Owned, PendingAttempt, StoreError, Survey,
    Taken, TakingId, TicketId, TicketRecord,
};
use paird_actors::ports::FleetStore;
use paird_sql::queries::accounts::{
    claim_accounts, list_owned_accounts, list_pending_accounts, load_account, release_account, retake_account,
    survey_fleet,
};
use paird_sql::queries::commands::{TakeCommands, fail_orphaned_commands, requeue_commands, take_commands};
use paird_sql::queries::tickets::load_ticket;
use tracing::{info, warn};
use uuid::Uuid;

use super::{PgStore, account_row, instant};
use crate::postgres::lease::ring;
use crate::postgres::pool::bounded;

#[async_trait]
impl FleetStore for PgStore {
    async fn survey(&self, running: &[AccountId]) -> Result<Survey, StoreError> {
        let client = self.connection().await?;
        let fleet = bounded(survey_fleet().bind(&client).one()).await?;
        let running: Vec<_> = running.iter().map(|account| account.0).collect();
        let owned = bounded(list_owned_accounts().bind(&client, &self.process, &running).all()).await?;
        let owned = owned.into_iter().map(|row| Owned {
            account: AccountId(row.id),
            fence: Fence(row.fence),
            movable: row.movable,
            active: row.active,
            tickets: row.tickets.into_iter().map(TicketId).collect(),
        });
        let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Survey {
            owned: owned.collect(),
            needing: count(fleet.needing),
            daemons: count(fleet.daemons),
            least: count(fleet.least),
        })
    }

    async fn claim_accounts(&self, limit: u32) -> Result<u32, StoreError> {
        let client = self.connection().await?;
        let claimed = bounded(claim_accounts().bind(&client, &self.process, &i64::from(limit)).all()).await?;
        if !claimed.is_empty() {
            info!(accounts = claimed.len(), "claimed accounts");
            // A former owner may have left events unsent.
            self.outbox.wake();
        }
        Ok(u32::try_from(claimed.len()).unwrap_or(u32::MAX))
    }

    async fn release_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let handed_out = self.in_flight.of(account);
        bounded(release_account().bind(&client, &account.0, &self.process, &fence.0).opt()).await?;
        self.in_flight.forget_takings(&handed_out);
        ring(&client).await;
        Ok(())
    }

    async fn retake_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        let client = self.connection().await?;
        bounded(retake_account().bind(&client, &self.process, &account.0, &fence.0).opt()).await?;
        Ok(())
    }

    async fn load_account(&self, account: AccountId) -> Result<Option<Loaded>, StoreError> {
        let client = self.connection().await?;
        let row = bounded(load_account().bind(&client, &account.0, &self.process).opt()).await?;
        Ok(row.map(account_row::loaded))
    }

    async fn load_ticket(&self, ticket: TicketId) -> Result<Option<TicketRecord>, StoreError> {
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

    async fn take_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        let client = self.connection().await?;
        let _alone = self.asking.lock().await;
        let _poll = self.polls.begin();
        let (commands, askings) = self.in_flight.all();
        let asking = Uuid::now_v7();
        let rows = bounded(take_commands().bind(&client, &self.process, &asking, &commands, &askings).all()).await?;
        let has_orphans = rows.iter().any(|row| row.orphans);
        let taken: Vec<_> = rows.into_iter().filter_map(taken).collect();
        if has_orphans {
            match bounded(fail_orphaned_commands().bind(&client).all()).await {
                Ok(orphans) => {
                    for command in orphans {
                        warn!(command, "a command names no account of this database");
                    }
                }
                // The taken commands must still be delivered: they are taken only once.
                Err(why) => warn!(%why, "commands that name no account cannot be failed; the next look tries again"),
            }
        }
        // Only now, with nothing to wait for between this and its hearing: an actor that retires
        // puts back what was handed out, and it would be handed out all the same.
        for command in &taken {
            self.in_flight.add(command);
        }
        Ok(taken)
    }

    fn handed_out(&self, account: AccountId) -> Vec<Taken> {
        self.in_flight.of(account)
    }

    async fn requeue_commands(&self, commands: &[Taken]) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let (ids, takings): (Vec<i64>, Vec<Uuid>) =
            commands.iter().map(|taken| (taken.command.0, taken.taking.0)).unzip();
        bounded(requeue_commands().bind(&client, &ids, &takings, &self.process).all()).await?;
        self.in_flight.forget_takings(commands);
        Ok(())
    }

    async fn list_pending(&self) -> Result<Vec<PendingAttempt>, StoreError> {
        let client = self.connection().await?;
        let rows = bounded(list_pending_accounts().bind(&client, &self.process).all()).await?;
        let pending = rows.into_iter().map(|row| PendingAttempt {
            account: AccountId(row.id),
            label: row.label,
            since: instant(row.status_since),
            deadline: row.pair_deadline.map(instant),
        });
        Ok(pending.collect())
    }
}

/// A command; nothing on a row that only says that there was none.
fn taken(row: TakeCommands) -> Option<CommandRow> {
    let (kind, args) = (row.kind?, row.args?);
    Some(CommandRow {
        id: CommandId(row.id?),
        taking: TakingId(row.taken?),
        account: AccountId(row.account_id?),
        command: Command::parse(&kind, &args),
        kind,
        source: row.source?,
        created_at: instant(row.created_at?),
    })
}
