use paird_actors::domain::{AccountId, Command, CommandId, CommandRow, Taken, TakingId};
use paird_actors::ports::StoreError;
use paird_sql::queries::commands::{TakeCommands, fail_orphaned_commands, requeue_commands, take_commands};
use tracing::warn;
use uuid::Uuid;

use super::PgStore;
use crate::postgres::pool::bounded;

impl PgStore {
    pub(super) async fn take_next_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        let client = self.connection().await?;
        let _alone = self.asking.lock().await;
        let _look = self.looks.look();
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
                // What was taken is handed out all the same: nobody would give it again.
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

    pub(super) async fn put_back(&self, commands: &[Taken]) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let (ids, takings): (Vec<i64>, Vec<Uuid>) =
            commands.iter().map(|taken| (taken.command.0, taken.taking.0)).unzip();
        bounded(requeue_commands().bind(&client, &ids, &takings, &self.process).all()).await?;
        self.in_flight.forget_takings(commands);
        Ok(())
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
    })
}
