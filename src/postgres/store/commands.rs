use paird_actors::domain::{AccountId, CommandId, CommandRow};
use paird_actors::ports::StoreError;
use paird_sql::queries::commands::{
    TakeCommands, fail_orphaned_commands, requeue_command, requeue_commands_of, take_commands,
};
use tracing::warn;
use uuid::Uuid;

use super::PgStore;
use crate::postgres::pool::bounded;

impl PgStore {
    pub(super) async fn take_next_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        let client = self.connection().await?;
        let _alone = self.asking.lock().await;
        let (commands, askings) = self.handed_out.all();
        let asking = Uuid::now_v7();
        let rows = bounded(take_commands().bind(&client, &self.process, &asking, &commands, &askings).all()).await?;
        let has_orphans = rows.iter().any(|row| row.orphans);
        let taken: Vec<_> = rows.into_iter().filter_map(taken).collect();
        for (command, asking) in &taken {
            self.handed_out.add(command, *asking);
        }
        if has_orphans {
            let orphans = bounded(fail_orphaned_commands().bind(&client).all()).await?;
            for command in orphans {
                warn!(command, "a command names no account of this database");
            }
        }
        Ok(taken.into_iter().map(|(command, _)| command).collect())
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

/// A command, and the asking that took it; nothing on a row that only says that there was none.
fn taken(row: TakeCommands) -> Option<(CommandRow, Uuid)> {
    let command = CommandRow {
        id: CommandId(row.id?),
        account: AccountId(row.account_id?),
        kind: row.kind?,
        args: row.args?,
        source: row.source?,
    };
    Some((command, row.taken?))
}
