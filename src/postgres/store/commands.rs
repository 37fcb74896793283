use paird_actors::domain::{AccountId, CommandId, CommandRow};
use paird_actors::ports::StoreError;
use paird_sql::queries::accounts::claim_accounts_with_commands;
use paird_sql::queries::commands::{fail_orphaned_commands, requeue_command, requeue_commands_of, take_commands};
use tracing::warn;
use uuid::Uuid;

use super::PgStore;
use crate::postgres::pool::bounded;

impl PgStore {
    pub(super) async fn take_next_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        let client = self.connection().await?;
        bounded(claim_accounts_with_commands().bind(&client, &self.process).all()).await?;
        let orphans = bounded(fail_orphaned_commands().bind(&client).all()).await?;
        for command in orphans {
            warn!(command, "a command names no account of this database");
        }
        let mut asking = self.asking.lock().await;
        let taken = bounded(take_commands().bind(&client, &self.process, &asking).all()).await?;
        *asking = Uuid::now_v7();
        let taken = taken.into_iter().map(|row| CommandRow {
            id: CommandId(row.id),
            account: AccountId(row.account_id),
            kind: row.kind,
            args: row.args,
            source: row.source,
        });
        Ok(taken.collect())
    }

    pub(super) async fn put_back(&self, command: CommandId) -> Result<(), StoreError> {
        let client = self.connection().await?;
        bounded(requeue_command().bind(&client, &command.0, &self.process).all()).await?;
        Ok(())
    }

    pub(super) async fn put_back_all(&self, account: AccountId) -> Result<(), StoreError> {
        let client = self.connection().await?;
        bounded(requeue_commands_of().bind(&client, &account.0, &self.process).all()).await?;
        Ok(())
    }
}
