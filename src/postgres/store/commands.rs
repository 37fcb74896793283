use std::time::{Duration, Instant};

use paird_actors::domain::{AccountId, CommandId, CommandRow};
use paird_actors::ports::StoreError;
use paird_sql::queries::accounts::claim_accounts_with_commands;
use paird_sql::queries::commands::{fail_orphaned_commands, requeue_command, requeue_commands_of, take_commands};
use tracing::warn;
use uuid::Uuid;

use super::PgStore;
use crate::postgres::pool::bounded;

/// While there is always something to take.
const ORPHANS_WAIT_AT_MOST: Duration = Duration::from_secs(1);

impl PgStore {
    pub(super) async fn take_next_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        let client = self.connection().await?;
        let claimed = bounded(claim_accounts_with_commands().bind(&client, &self.process).all()).await?;
        let mut looked_at = self.asking.lock().await;
        let (commands, askings) = self.handed_out.all();
        let asking = Uuid::now_v7();
        let taken = bounded(take_commands().bind(&client, &self.process, &asking, &commands, &askings).all()).await?;
        let taken = taken.into_iter().map(|row| {
            let command = CommandRow {
                id: CommandId(row.id),
                account: AccountId(row.account_id),
                kind: row.kind,
                args: row.args,
                source: row.source,
            };
            self.handed_out.add(&command, row.taken);
            command
        });
        let taken: Vec<_> = taken.collect();
        // Whoever rang had a reason: if it was none of these, it may be one of those.
        let is_due = looked_at.is_none_or(|at| at.elapsed() > ORPHANS_WAIT_AT_MOST);
        if is_due || (claimed.is_empty() && taken.is_empty()) {
            *looked_at = Some(Instant::now());
            let orphans = bounded(fail_orphaned_commands().bind(&client).all()).await?;
            for command in orphans {
                warn!(command, "a command names no account of this database");
            }
        }
        Ok(taken)
    }

    pub(super) async fn put_back(&self, command: CommandId) -> Result<(), StoreError> {
        let client = self.connection().await?;
        bounded(requeue_command().bind(&client, &command.0, &self.process).all()).await?;
        self.handed_out.forget(command);
        Ok(())
    }

    pub(super) async fn put_back_all(&self, account: AccountId) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let handed_out = self.handed_out.of(account);
        bounded(requeue_commands_of().bind(&client, &account.0, &self.process).all()).await?;
        self.handed_out.forget_takings(&handed_out);
        Ok(())
    }
}
