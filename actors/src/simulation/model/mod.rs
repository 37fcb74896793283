//! The rows of the database, and every statement of the daemon that writes them, or that a
//! decision rests on. A test runs the same statements on Postgres and compares.

mod changes;
mod commands;
mod leases;
mod messages;
mod rows;
mod sending;
mod statement;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;
use uuid::Uuid;

use super::flaws::Flaw;
use crate::domain::{
    AccountId, AccountRecord, CommandId, ConnectionSettings, Desired, Fence, Instant, KeyringId, Loaded, MessageId,
    OperatorId, Status, TicketId,
};

pub use messages::NewMessage;
pub use rows::{
    CommandState, StoredAccount, StoredCommand, StoredEvent, StoredKeyring, StoredMessage, StoredProcess,
    StoredSending, StoredTicket, ToldEvent,
};
pub use statement::{Recorded, Retried, SendingLink, Statement, StatementAnswer};

/// See the module.
#[derive(Clone, Debug)]
pub struct Model {
    pub processes: BTreeMap<Uuid, StoredProcess>,
    /// In the order in which they were made.
    pub accounts: BTreeMap<AccountId, StoredAccount>,
    pub commands: BTreeMap<CommandId, StoredCommand>,
    pub events: Vec<StoredEvent>,
    pub tickets: BTreeMap<TicketId, StoredTicket>,
    pub keyrings: BTreeMap<KeyringId, StoredKeyring>,
    pub messages: BTreeMap<MessageId, StoredMessage>,
    /// The `contacts` that there was a message with.
    pub chats: BTreeSet<(AccountId, String)>,
    /// An account stays where it is for so long after it was linked.
    pub stays_after_linking: Duration,
    /// The former defect that is brought back.
    pub(super) flaw: Option<Flaw>,
    /// The accounts of each daemon that kept their fence when it was raised last, since they
    /// were at rest.
    pub(super) spared: BTreeSet<(Uuid, AccountId)>,
    next_id: u64,
    last_message: i64,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            processes: BTreeMap::new(),
            accounts: BTreeMap::new(),
            commands: BTreeMap::new(),
            events: Vec::new(),
            tickets: BTreeMap::new(),
            keyrings: BTreeMap::new(),
            messages: BTreeMap::new(),
            chats: BTreeSet::new(),
            stays_after_linking: Duration::from_mins(10),
            flaw: None,
            spared: BTreeSet::new(),
            next_id: 0,
            last_message: 0,
        }
    }
}

impl Model {
    /// As a web app makes it.
    pub fn add_account(&mut self, id: AccountId, operator: OperatorId, label: &str, now: Instant) {
        let record = AccountRecord::new(id, operator, label, now);
        let account = StoredAccount {
            record,
            owner: None,
            last_change: None,
            event_seq: 0,
            qr: None,
            settings: ConnectionSettings::default(),
            sending: StoredSending::default(),
        };
        self.accounts.insert(id, account);
    }

    /// As `send_command` does it.
    pub fn add_command(&mut self, account: Option<AccountId>, kind: &str, args: Value) -> CommandId {
        let id = CommandId(self.commands.last_key_value().map_or(1, |(last, _)| last.0 + 1));
        let command = StoredCommand {
            account,
            kind: kind.to_owned(),
            args,
            source: "web".to_owned(),
            state: CommandState::Queued,
            taken: None,
            taken_by: None,
            result: None,
        };
        self.commands.insert(id, command);
        id
    }

    /// Whether the lease is live by the database's clock.
    pub fn is_live(&self, process: Uuid, now: Instant) -> bool {
        self.processes.get(&process).is_some_and(|row| row.expires_at > now)
    }

    fn takes_work(&self, process: Uuid, now: Instant) -> bool {
        self.processes.get(&process).is_some_and(|row| row.expires_at > now && !row.draining)
    }

    /// It has no live owner.
    fn is_free(&self, account: &StoredAccount, now: Instant) -> bool {
        account.owner.is_none_or(|owner| !self.is_live(owner, now))
    }

    fn is_active(record: &AccountRecord) -> bool {
        matches!(record.status, Status::Pending | Status::Deleting)
            || record.linking().is_some()
            || (record.desired == Desired::Paired && record.status != Status::Unpaired)
    }

    pub fn tickets_of(&self, account: AccountId) -> impl Iterator<Item = (TicketId, &StoredTicket)> {
        self.tickets.iter().filter(move |(_, ticket)| ticket.account == account).map(|(id, ticket)| (*id, ticket))
    }

    pub fn needs_daemon(&self, account: &StoredAccount) -> bool {
        Self::is_active(&account.record) || self.tickets_of(account.record.id).next().is_some()
    }

    /// The account, if it is that process's under that fence.
    fn held(&self, account: AccountId, process: Uuid, fence: Fence) -> bool {
        self.accounts.get(&account).is_some_and(|row| row.owner == Some(process) && row.record.fence == fence)
    }

    fn has_open_command(&self, account: AccountId) -> bool {
        self.commands.values().any(|command| command.account == Some(account) && command.is_open())
    }

    fn requeue_running(&mut self, of: impl Fn(&StoredCommand) -> bool) {
        for command in self.commands.values_mut() {
            if command.state == CommandState::Running && of(command) {
                command.state = CommandState::Queued;
            }
        }
    }

    /// Carries a statement out, all of it at the moment `now`.
    pub fn execute(&mut self, statement: &Statement, now: Instant) -> StatementAnswer {
        match statement {
            Statement::TakeLease { process, ttl, renewal, draining, drain_no } => {
                self.take_lease(*process, *ttl, *renewal, (*draining, *drain_no), now)
            }
            Statement::RenewLease { process, ttl, renewal, refresh, draining, drain_no } => {
                self.renew_lease(*process, *ttl, (*renewal, *refresh), (*draining, *drain_no), now)
            }
            Statement::SurveyDaemons { process } => self.survey_daemons(*process, now),
            Statement::ReleaseLease { process } => {
                self.give_back(*process);
                let ended = StoredProcess { expires_at: now, renewal: i64::MAX, epoch: 0, draining: true, drain_no: 0 };
                if self.processes.remove(process).is_none() {
                    self.processes.insert(*process, ended);
                }
                StatementAnswer::Nothing
            }
            Statement::ShortenLease { process, left } => {
                if let Some(row) = self.processes.get_mut(process) {
                    row.draining = true;
                    row.renewal = i64::MAX;
                    row.expires_at = row.expires_at.min(now.after(*left));
                }
                StatementAnswer::Nothing
            }
            Statement::BuryProcesses { gone } => {
                self.processes.retain(|process, row| {
                    !gone.contains(process) && row.expires_at.after(Duration::from_hours(1)) >= now
                });
                StatementAnswer::Nothing
            }
            Statement::SetDraining { process, draining, drain_no } => {
                let is_late = self.flaw != Some(Flaw::LateDrains);
                if let Some(row) = self.processes.get_mut(process)
                    && (!is_late || row.drain_no < *drain_no)
                {
                    (row.draining, row.drain_no) = (*draining, *drain_no);
                }
                StatementAnswer::Nothing
            }
            Statement::GiveAccountsBack { process, drain_no } => {
                let drained = self.processes.get(process).is_some_and(|row| row.draining && row.drain_no == *drain_no);
                let given = if drained || self.flaw == Some(Flaw::LateDrains) { self.give_back(*process) } else { 0 };
                StatementAnswer::Count(given)
            }
            Statement::Survey { process, running } => StatementAnswer::Survey(self.survey(*process, running, now)),
            Statement::ClaimAccounts { process, limit } => self.claim_accounts(*process, *limit, now),
            Statement::ReleaseAccount { process, account, fence } => {
                let held = self.held(*account, *process, *fence);
                if held {
                    self.set_owner(*account, None);
                    self.requeue_running(|command| command.account == Some(*account));
                }
                StatementAnswer::Found(held)
            }
            Statement::RetakeAccount { process, account, fence } => {
                let me = self.processes.get(process);
                let may_own = me.is_some_and(|me| me.expires_at > now && !me.draining);
                let row = self.accounts.get_mut(account).filter(|row| row.record.fence == *fence);
                let row = row.filter(|row| row.owner.map_or(may_own, |owner| owner == *process));
                let found = row.is_some();
                if let Some(row) = row {
                    row.owner = Some(*process);
                    row.record.fence.0 += 1;
                }
                StatementAnswer::Found(found)
            }
            Statement::LoadAccount { process, account } => {
                let row = self.accounts.get(account).filter(|row| row.owner == Some(*process));
                StatementAnswer::Loaded(row.map(|row| {
                    Box::new(Loaded { record: row.record.clone(), last_change: row.last_change, damage: None })
                }))
            }
            Statement::LoadConnectionSettings { process, account, fence } => {
                let held = self.held(*account, *process, *fence) && self.is_live(*process, now);
                StatementAnswer::Settings(self.accounts.get(account).filter(|_| held).map(|row| row.settings.clone()))
            }
            Statement::LoadTicket { process, ticket } => StatementAnswer::Ticket(self.load_ticket(*process, *ticket)),
            Statement::TakeCommands { process, taking, handed } => self.take_commands(*process, *taking, handed, now),
            Statement::FailOrphanedCommands => self.fail_orphaned_commands(),
            Statement::RequeueCommands { process, commands } => self.requeue_commands(*process, commands),
            Statement::RecordChange { process, write } => {
                StatementAnswer::Recorded(self.record_change(*process, write, now))
            }
            Statement::RetryTicket { process, ticket, attempts, error, next_retry_at } => {
                StatementAnswer::Retried(self.retry_ticket(*process, ticket, *attempts, error, *next_retry_at))
            }
            Statement::CloseTicket { process, ticket, is_abandoned, event } => {
                StatementAnswer::Closed(self.close_ticket(*process, ticket, *is_abandoned, event, now))
            }
            Statement::OpenKeyring { process, account, fence, keyring, opening } => {
                let is_asked = !matches!(self.flaw, Some(Flaw::DialsUnasked | Flaw::RevivesUnseen));
                let held = self.held(*account, *process, *fence) || !is_asked;
                let row = self.keyrings.get_mut(keyring).filter(|row| row.account == *account);
                let row = row.filter(|_| held);
                let found = row.is_some();
                let is_late =
                    |row: &StoredKeyring| row.opened.is_some_and(|(by, last)| by == *process && last >= *opening);
                let keyring = row.filter(|row| !is_late(row)).map(|row| {
                    row.epoch += 1;
                    row.opened = Some((*process, *opening));
                    row.clone()
                });
                StatementAnswer::Opened { held, found, keyring }
            }
            Statement::PutCredentials { process, account, fence, keyring, epoch, counter } => {
                let held = self.held(*account, *process, *fence);
                let is_checked = self.flaw != Some(Flaw::KeysWithoutEpoch);
                let row = self.keyrings.get_mut(keyring).filter(|row| row.account == *account);
                let found = row.as_ref().map(|row| row.epoch);
                let row = row.filter(|row| held && (row.epoch == *epoch || !is_checked));
                let written = row.map(|row| row.counter = *counter).is_some();
                StatementAnswer::Put { held, epoch: found, written }
            }
            Statement::TakeMessages { process, link, connection, held, room } => {
                if self.is_overtaken(*process, *link) {
                    return StatementAnswer::Overtaken;
                }
                StatementAnswer::Messages(self.take_messages(*process, *link, (*connection, held), *room, now))
            }
            Statement::SettleMessages { process, link, connection, outcomes } => {
                let told = self.settle_messages(*process, *link, *connection, outcomes, now);
                if told.is_some() && self.has_been_taken_since(link.account, *connection, outcomes) {
                    return StatementAnswer::Overtaken;
                }
                StatementAnswer::Told(told)
            }
            Statement::RecordReceipts { process, link, receipts } => {
                StatementAnswer::Told(self.record_receipts(*process, *link, receipts))
            }
            Statement::SweepMessages => StatementAnswer::Told(Some(self.sweep_messages(now))),
            Statement::ListRinging { process } => StatementAnswer::Ringing(self.list_ringing(*process, now)),
        }
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
