//! Taking commands, putting them back, and commands that belong to no account.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    super::flaws::Flaw,
    Model, count,
    rows::{CommandState, StoredCommand},
    statement::StatementAnswer,
};
use crate::domain::{self, AccountId, CommandId, CommandKind, CommandRow, Instant, OperatorId, Taken, TakingId};

impl Model {
    pub(super) fn take_commands(
        &mut self,
        process: Uuid,
        taking: TakingId,
        handed: &[Taken],
        now: Instant,
    ) -> StatementAnswer {
        let open = self.commands.values().filter(|command| command.is_open());
        let waiting: BTreeSet<AccountId> = open.filter_map(|command| command.account).collect();
        let takes_work = self.takes_work(process, now);
        // The accounts of this process, and whether each is claimed only now.
        let mut mine: Vec<(AccountId, bool)> = Vec::new();
        for id in &waiting {
            let Some(account) = self.accounts.get(id).filter(|_| takes_work) else { continue };
            if account.owner == Some(process) {
                mine.push((*id, false));
            } else if self.is_free(account, now) && !self.needs_daemon(account) {
                mine.push((*id, true));
            }
        }
        // As the statement's snapshot has them.
        let owned_before: BTreeSet<AccountId> =
            self.accounts.values().filter(|account| account.owner == Some(process)).map(|row| row.record.id).collect();
        let foreign = |command: &StoredCommand| command.taken_by != Some(process);
        let mut next: Vec<(CommandId, AccountId)> = Vec::new();
        for (account, is_new) in &mine {
            let of = || self.commands.iter().filter(|(_, command)| command.account == Some(*account));
            let is_busy = of().any(|(_, command)| {
                command.state == CommandState::Running
                    && !foreign(command)
                    && !CommandKind::parse(&command.kind).is_some_and(CommandKind::runs_concurrently)
            });
            if is_busy && !is_new {
                continue;
            }
            let mut oldest = of().filter(|(_, command)| {
                command.state == CommandState::Queued
                    || (command.state == CommandState::Running && (*is_new || foreign(command)))
            });
            next.extend(oldest.next().map(|(id, _)| (*id, *account)));
        }
        let never_heard_of: Vec<CommandId> = self
            .commands
            .iter()
            .filter(|(id, command)| {
                command.state == CommandState::Running
                    && command.taken_by == Some(process)
                    && command.account.is_some_and(|account| owned_before.contains(&account))
                    && !handed.iter().any(|handed| handed.command == **id && Some(handed.taking) == command.taken)
            })
            .map(|(id, _)| *id)
            .collect();
        let mut due: Vec<CommandRow> = never_heard_of.into_iter().filter_map(|id| self.row_of(id)).collect();
        for (account, is_new) in mine {
            if !is_new {
                continue;
            }
            self.claim(account, process);
            for (id, command) in &mut self.commands {
                let is_next = next.iter().any(|(next, _)| next == id);
                if command.account == Some(account) && command.state == CommandState::Running && !is_next {
                    command.state = CommandState::Queued;
                }
            }
        }
        for (id, _) in next {
            if let Some(command) = self.commands.get_mut(&id) {
                command.state = CommandState::Running;
                command.taken = Some(taking);
                command.taken_by = Some(process);
            }
            due.retain(|row| row.id != id);
            due.extend(self.row_of(id));
        }
        StatementAnswer::Commands { due: self.in_rounds(due), orphans: self.orphans().next().is_some() }
    }

    /// In rounds, each with one command of every operator.
    fn in_rounds(&self, mut due: Vec<CommandRow>) -> Vec<CommandRow> {
        due.sort_by_key(|row| row.id);
        let mut rounds: BTreeMap<Option<OperatorId>, u32> = BTreeMap::new();
        let with_rounds = due.into_iter().map(|row| {
            let operator = self.accounts.get(&row.account).map(|account| account.record.operator);
            let round = rounds.entry(operator).or_default();
            *round += 1;
            (*round, row)
        });
        let mut with_rounds: Vec<_> = with_rounds.collect();
        with_rounds.sort_by_key(|(round, row)| (*round, row.id));
        with_rounds.into_iter().map(|(_, row)| row).collect()
    }

    fn row_of(&self, id: CommandId) -> Option<CommandRow> {
        let command = self.commands.get(&id)?;
        Some(CommandRow {
            id,
            taking: command.taken?,
            account: command.account?,
            kind: command.kind.clone(),
            command: domain::Command::parse(&command.kind, &command.args),
            source: command.source.clone(),
            // Of these commands it does not matter.
            created_at: Instant(0),
        })
    }

    fn orphans(&self) -> impl Iterator<Item = CommandId> {
        let of_nobody = |command: &StoredCommand| command.account.is_none_or(|id| !self.accounts.contains_key(&id));
        let queued = self.commands.iter().filter(|(_, command)| command.state == CommandState::Queued);
        queued.filter(move |(_, command)| of_nobody(command)).map(|(id, _)| *id)
    }

    pub(super) fn fail_orphaned_commands(&mut self) -> StatementAnswer {
        let orphans: Vec<CommandId> = self.orphans().collect();
        for id in &orphans {
            if let Some(command) = self.commands.get_mut(id) {
                command.state = CommandState::Failed;
                command.result = Some(match command.account {
                    Some(account) => format!("no account with id {account}"),
                    None => "no account id given".to_owned(),
                });
            }
        }
        StatementAnswer::Orphans(orphans)
    }

    pub(super) fn requeue_commands(&mut self, process: Uuid, left: &[Taken]) -> StatementAnswer {
        let owned = |account: Option<AccountId>| {
            account.and_then(|id| self.accounts.get(&id)).is_some_and(|account| account.owner == Some(process))
        };
        let is_named = self.flaw != Some(Flaw::PutsBackWithoutTaking);
        let accounts: BTreeSet<_> =
            left.iter().filter_map(|left| self.commands.get(&left.command)).map(|command| command.account).collect();
        let matches = |id: &CommandId, command: &StoredCommand| {
            if is_named {
                left.iter().any(|left| left.command == *id && Some(left.taking) == command.taken)
            } else {
                accounts.contains(&command.account)
            }
        };
        let back: Vec<CommandId> = self
            .commands
            .iter()
            .filter(|(id, command)| {
                command.state == CommandState::Running && matches(id, command) && owned(command.account)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in &back {
            if let Some(command) = self.commands.get_mut(id) {
                command.state = CommandState::Queued;
            }
        }
        StatementAnswer::Count(count(back.len()))
    }
}
