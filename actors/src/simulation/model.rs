//! The rows of the database, and every statement of the daemon that writes them, or that a
//! decision rests on. A test runs the same statements on Postgres and compares.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;
use uuid::Uuid;

use super::flaws::Flaw;
use crate::domain::{
    self, AccountId, AccountRecord, Change, ChangeId, CommandId, CommandKind, CommandRow, ConnectionSettings, Desired,
    Event, Fence, Finished, Instant, KeyringId, Loaded, OperatorId, Owned, QrChange, Reason, Secret, Status, Survey,
    Taken, TakingId, TicketId, TicketRecord, Unlinked, Write,
};

/// How long a ticket is worked on.
const ABANDONED_AFTER: Duration = Duration::from_hours(14 * 24);

/// A row of `processes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProcess {
    pub expires_at: Instant,
    pub renewal: i64,
    /// The renewal that refreshed the fences last.
    pub epoch: i64,
    pub draining: bool,
    pub drain_no: i64,
}

/// A row of `whatsapp_accounts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// Its fence is the row's.
    pub record: AccountRecord,
    pub owner: Option<Uuid>,
    pub last_change: Option<ChangeId>,
    pub event_seq: i64,
    pub qr: Option<Secret>,
    pub settings: ConnectionSettings,
}

/// The state of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandState {
    Queued,
    Running,
    Done,
    Failed,
}

/// A row of `commands`.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCommand {
    pub account: Option<AccountId>,
    pub kind: String,
    pub args: Value,
    pub source: String,
    pub state: CommandState,
    pub taken: Option<TakingId>,
    pub taken_by: Option<Uuid>,
    pub result: Option<String>,
}

impl StoredCommand {
    pub fn is_open(&self) -> bool {
        matches!(self.state, CommandState::Queued | CommandState::Running)
    }
}

/// A row of `events`.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    pub account: AccountId,
    pub seq: i64,
    pub event: Event,
}

/// A row of `unlink_tickets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTicket {
    pub account: AccountId,
    pub keyring: KeyringId,
    pub reason: String,
    pub attempts: u32,
    pub last_error: Option<String>,
    pub next_retry_at: Instant,
    pub abandon_at: Instant,
}

/// A row of `keyrings`. One number stands for all that a connection writes into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKeyring {
    pub account: AccountId,
    pub epoch: i64,
    /// The process that opened it for this epoch, and the number of that opening.
    pub opened: Option<(Uuid, u64)>,
    pub counter: i64,
    pub made_at: Instant,
}

/// One statement, by the name that it has in `sql/queries`.
#[derive(Clone, Debug)]
pub enum Statement {
    TakeLease {
        process: Uuid,
        ttl: Duration,
        renewal: i64,
        draining: bool,
        drain_no: i64,
    },
    RenewLease {
        process: Uuid,
        ttl: Duration,
        renewal: i64,
        refresh: bool,
        draining: bool,
        drain_no: i64,
    },
    SurveyDaemons {
        process: Uuid,
    },
    ReleaseLease {
        process: Uuid,
    },
    ShortenLease {
        process: Uuid,
        left: Duration,
    },
    BuryProcesses {
        gone: Vec<Uuid>,
    },
    SetDraining {
        process: Uuid,
        draining: bool,
        drain_no: i64,
    },
    GiveAccountsBack {
        process: Uuid,
        drain_no: i64,
    },
    /// `survey_fleet` and `list_owned_accounts`.
    Survey {
        process: Uuid,
        running: Vec<AccountId>,
    },
    ClaimAccounts {
        process: Uuid,
        limit: u32,
    },
    ReleaseAccount {
        process: Uuid,
        account: AccountId,
        fence: Fence,
    },
    RetakeAccount {
        process: Uuid,
        account: AccountId,
        fence: Fence,
    },
    LoadAccount {
        process: Uuid,
        account: AccountId,
    },
    LoadConnectionSettings {
        process: Uuid,
        account: AccountId,
        fence: Fence,
    },
    LoadTicket {
        process: Uuid,
        ticket: TicketId,
    },
    TakeCommands {
        process: Uuid,
        taking: TakingId,
        handed: Vec<Taken>,
    },
    FailOrphanedCommands,
    RequeueCommands {
        process: Uuid,
        commands: Vec<Taken>,
    },
    RecordChange {
        process: Uuid,
        write: Box<Write>,
    },
    RetryTicket {
        process: Uuid,
        ticket: TicketRecord,
        attempts: u32,
        error: String,
        next_retry_at: Instant,
    },
    CloseTicket {
        process: Uuid,
        ticket: TicketRecord,
        is_abandoned: bool,
        event: Event,
    },
    OpenKeyring {
        process: Uuid,
        account: AccountId,
        fence: Fence,
        keyring: KeyringId,
        opening: u64,
    },
    PutCredentials {
        process: Uuid,
        account: AccountId,
        fence: Fence,
        keyring: KeyringId,
        epoch: i64,
        counter: i64,
    },
}

/// The answer of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementAnswer {
    /// The statement returns nothing of interest.
    Nothing,
    /// No epoch: a later renewal came first.
    Taken {
        epoch: Option<i64>,
        database_now: Instant,
    },
    Renewed {
        found: bool,
        epoch: Option<i64>,
        expired: bool,
        database_now: Instant,
    },
    Daemons {
        live: u32,
        next_end: Option<Duration>,
    },
    Count(u32),
    Survey(Survey),
    Claimed(Vec<AccountId>),
    /// Whether a row was found.
    Found(bool),
    Loaded(Option<Box<Loaded>>),
    Settings(Option<ConnectionSettings>),
    Ticket(Option<TicketRecord>),
    Commands {
        due: Vec<CommandRow>,
        orphans: bool,
    },
    Orphans(Vec<CommandId>),
    /// `None`: the account has another owner, or a newer fence.
    Recorded(Option<Recorded>),
    Retried(Option<Retried>),
    /// Whether the ticket is still open; `None`: the account is another's.
    Closed(Option<bool>),
    Opened {
        held: bool,
        found: bool,
        keyring: Option<StoredKeyring>,
    },
    /// The epoch of the keyring, if there is one, and whether the write was done.
    Put {
        held: bool,
        epoch: Option<i64>,
        written: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub in_turn: bool,
    pub was_written: bool,
    pub existing_label: Option<String>,
    /// More commands of the account wait.
    pub more: bool,
    pub is_live: bool,
    pub settings: ConnectionSettings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retried {
    pub is_written: bool,
    pub was_written: bool,
}

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
    /// An account stays where it is for so long after it was linked.
    pub stays_after_linking: Duration,
    /// The former defect that is brought back.
    pub(super) flaw: Option<Flaw>,
    /// The accounts of each daemon that kept their fence when it was raised last, since they
    /// were at rest.
    pub(super) spared: BTreeSet<(Uuid, AccountId)>,
    next_id: u64,
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
            stays_after_linking: Duration::from_mins(10),
            flaw: None,
            spared: BTreeSet::new(),
            next_id: 0,
        }
    }
}

impl Model {
    /// As a web app makes it.
    pub fn add_account(&mut self, id: AccountId, operator: OperatorId, label: &str, now: Instant) {
        let record = AccountRecord::new(id, operator, label, now);
        let settings = ConnectionSettings::default();
        self.accounts
            .insert(id, StoredAccount { record, owner: None, last_change: None, event_seq: 0, qr: None, settings });
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

    fn raise_fences(&mut self, process: Uuid) {
        let runs = |account: AccountId| {
            self.commands.values().any(|command| {
                matches!(command.state, CommandState::Queued | CommandState::Running)
                    && command.taken_by == Some(process)
                    && command.account == Some(account)
            })
        };
        let owned = self.accounts.iter().filter(|(_, account)| account.owner == Some(process));
        let (stirring, at_rest): (Vec<_>, Vec<_>) =
            owned.map(|(id, account)| (*id, self.needs_daemon(account) || runs(*id))).partition(|(_, stirs)| *stirs);
        for (id, _) in stirring {
            if let Some(account) = self.accounts.get_mut(&id) {
                account.record.fence.0 += 1;
            }
        }
        self.spared.retain(|(of, _)| *of != process);
        self.spared.extend(at_rest.into_iter().map(|(id, _)| (process, id)));
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
        }
    }

    fn take_lease(
        &mut self,
        process: Uuid,
        ttl: Duration,
        renewal: i64,
        (draining, drain_no): (bool, i64),
        now: Instant,
    ) -> StatementAnswer {
        let expires_at = now.after(ttl);
        let epoch = match self.processes.get_mut(&process) {
            Some(row) if row.renewal >= renewal => None,
            Some(row) => {
                (row.expires_at, row.renewal, row.epoch) = (expires_at, renewal, renewal);
                row.heed(draining, drain_no);
                Some(renewal)
            }
            None => {
                let row = StoredProcess { expires_at, renewal, epoch: renewal, draining, drain_no };
                self.processes.insert(process, row);
                Some(renewal)
            }
        };
        if epoch.is_some() {
            self.raise_fences(process);
        }
        StatementAnswer::Taken { epoch, database_now: now }
    }

    fn renew_lease(
        &mut self,
        process: Uuid,
        ttl: Duration,
        (renewal, refresh): (i64, bool),
        (draining, drain_no): (bool, i64),
        now: Instant,
    ) -> StatementAnswer {
        let is_seen = self.flaw != Some(Flaw::RevivesUnseen);
        let heeds_drains = self.flaw != Some(Flaw::LateDrains);
        let mut answer = (false, None, false);
        if let Some(row) = self.processes.get_mut(&process) {
            answer.0 = true;
            let expired = row.expires_at <= now && is_seen;
            if row.renewal < renewal {
                let refreshes = refresh || expired;
                (row.expires_at, row.renewal) = (now.after(ttl), renewal);
                if refreshes {
                    row.epoch = renewal;
                }
                if heeds_drains {
                    row.heed(draining, drain_no);
                }
                answer = (true, Some(row.epoch), expired);
                if refreshes && self.flaw != Some(Flaw::LapseWithoutFences) {
                    self.raise_fences(process);
                }
            }
        }
        let (found, epoch, expired) = answer;
        StatementAnswer::Renewed { found, epoch, expired, database_now: now }
    }

    fn survey_daemons(&self, process: Uuid, now: Instant) -> StatementAnswer {
        let live = || self.processes.iter().filter(|(_, row)| row.expires_at > now);
        let next_end = live().filter(|(id, _)| **id != process).map(|(_, row)| now.until(row.expires_at)).min();
        StatementAnswer::Daemons { live: count(live().filter(|(_, row)| !row.draining).count()), next_end }
    }

    fn set_owner(&mut self, account: AccountId, owner: Option<Uuid>) {
        if let Some(row) = self.accounts.get_mut(&account) {
            row.owner = owner;
        }
    }

    fn give_back(&mut self, process: Uuid) -> u32 {
        self.requeue_running(|command| command.taken_by == Some(process));
        let mut given = 0;
        for account in self.accounts.values_mut().filter(|account| account.owner == Some(process)) {
            account.owner = None;
            given += 1;
        }
        given
    }

    fn survey(&self, process: Uuid, running: &[AccountId], now: Instant) -> Survey {
        let needing = || self.accounts.values().filter(|account| self.needs_daemon(account));
        let sharers = || self.processes.iter().filter(|(_, row)| row.expires_at > now && !row.draining);
        let loads = sharers().map(|(id, _)| needing().filter(|account| account.owner == Some(*id)).count());
        let mine =
            self.accounts.values().filter(|account| account.owner == Some(process) && self.is_live(process, now));
        let owned = mine.filter_map(|account| {
            let record = &account.record;
            if !self.needs_daemon(account) && !running.contains(&record.id) {
                return None;
            }
            let tickets: Vec<TicketId> = self.tickets_of(record.id).map(|(id, _)| id).collect();
            let ring = record.keyring().and_then(|keyring| self.keyrings.get(&keyring));
            let is_young = ring.is_some_and(|ring| ring.made_at.after(self.stays_after_linking) > now);
            // A deletion is its account's own business again when it has no ticket any more.
            let only_unlinks = record.status == Status::Deleting
                && record.linking().is_none()
                && record.keyring().is_none()
                && record.attempt().is_none()
                && !tickets.is_empty();
            Some(Owned {
                account: record.id,
                fence: record.fence,
                movable: record.status != Status::Pending && record.linking().is_none() && !is_young,
                active: Self::is_active(record) && !only_unlinks,
                tickets,
            })
        });
        Survey {
            owned: owned.collect(),
            needing: count(needing().count()),
            daemons: count(sharers().count()),
            least: count(loads.min().unwrap_or(0)),
        }
    }

    fn claim_accounts(&mut self, process: Uuid, limit: u32, now: Instant) -> StatementAnswer {
        if !self.takes_work(process, now) {
            return StatementAnswer::Claimed(Vec::new());
        }
        let free = self.accounts.values().filter(|account| self.is_free(account, now) && self.needs_daemon(account));
        let mut free: Vec<_> = free.map(|account| account.record.id).collect();
        free.sort_by_key(|id| (!self.has_open_command(*id), *id));
        free.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        for id in &free {
            self.claim(*id, process);
            self.requeue_running(|command| command.account == Some(*id));
        }
        StatementAnswer::Claimed(free)
    }

    fn claim(&mut self, account: AccountId, process: Uuid) {
        if let Some(row) = self.accounts.get_mut(&account) {
            row.owner = Some(process);
            row.record.fence.0 += 1;
        }
    }

    fn load_ticket(&self, process: Uuid, ticket: TicketId) -> Option<TicketRecord> {
        let row = self.tickets.get(&ticket)?;
        let account = self.accounts.get(&row.account).filter(|account| account.owner == Some(process))?;
        Some(TicketRecord {
            id: ticket,
            account: row.account,
            label: account.record.label.clone(),
            fence: account.record.fence,
            keyring: row.keyring,
            reason: row.reason.clone(),
            attempts: row.attempts,
            last_error: row.last_error.clone(),
            next_retry_at: row.next_retry_at,
            abandon_at: row.abandon_at,
        })
    }

    fn take_commands(&mut self, process: Uuid, taking: TakingId, handed: &[Taken], now: Instant) -> StatementAnswer {
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
        due.sort_by_key(|row| row.id);
        StatementAnswer::Commands { due, orphans: self.orphans().next().is_some() }
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
        })
    }

    fn orphans(&self) -> impl Iterator<Item = CommandId> {
        let of_nobody = |command: &StoredCommand| command.account.is_none_or(|id| !self.accounts.contains_key(&id));
        let queued = self.commands.iter().filter(|(_, command)| command.state == CommandState::Queued);
        queued.filter(move |(_, command)| of_nobody(command)).map(|(id, _)| *id)
    }

    fn fail_orphaned_commands(&mut self) -> StatementAnswer {
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

    fn requeue_commands(&mut self, process: Uuid, left: &[Taken]) -> StatementAnswer {
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

    fn record_change(&mut self, process: Uuid, write: &Write, now: Instant) -> Option<Recorded> {
        let Write { id, follows, record, change, keys, qr_png: _ } = write;
        let account = record.id;
        if !self.held(account, process, record.fence) {
            return None;
        }
        let row = self.accounts.get(&account)?;
        let was_written = row.last_change == Some(*id);
        let in_turn = row.last_change == *follows || self.flaw == Some(Flaw::ForgetsPredecessor);
        let existing_label = if in_turn { self.incumbent(row, record) } else { None };
        let settings = row.settings.clone();
        let ends = |id: &CommandId| change.finished.iter().any(|ended| ended.command == *id);
        let more = self.commands.iter().any(|(id, command)| {
            command.account == Some(account) && command.state == CommandState::Queued && !ends(id)
        });
        if in_turn && !was_written && existing_label.is_none() {
            self.change(*id, (record, change), keys.as_ref().map(|keys| keys.keyring), now);
        }
        Some(Recorded { in_turn, was_written, existing_label, more, is_live: self.is_live(process, now), settings })
    }

    /// The oldest other live account of the operator that has the number that this one gets.
    fn incumbent(&self, row: &StoredAccount, record: &AccountRecord) -> Option<String> {
        let phone = record.phone()?;
        let is_it = |record: &AccountRecord| record.phone().is_some_and(|other| other.is_same_number(phone));
        if is_it(&row.record) {
            return None;
        }
        let mut others = self.accounts.values().filter(|other| {
            other.record.id != row.record.id
                && other.record.operator == row.record.operator
                && other.record.deleted_at.is_none()
                && is_it(&other.record)
        });
        others.next().map(|other| other.record.label.clone())
    }

    fn change(
        &mut self,
        id: ChangeId,
        (record, change): (&AccountRecord, &Change),
        new_keyring: Option<KeyringId>,
        now: Instant,
    ) {
        let account = record.id;
        let sees_tickets = self.flaw != Some(Flaw::DeletionIgnoresTickets);
        let has_tickets = sees_tickets && self.tickets_of(account).next().is_some();
        let unlinks = change.deletes && (!change.tickets.is_empty() || has_tickets);
        let Some(row) = self.accounts.get_mut(&account) else { return };
        let former = (row.record.status, row.record.since);
        row.record = AccountRecord { label: row.record.label.clone(), operator: row.record.operator, ..record.clone() };
        if unlinks {
            row.record.status = Status::Deleting;
            row.record.reason = Reason::Unlinking.into();
            if former.0 == Status::Deleting {
                row.record.since = former.1;
            }
        }
        row.last_change = Some(id);
        match &change.qr {
            QrChange::Keep => {}
            QrChange::Clear => row.qr = None,
            QrChange::Show { payload, .. } => row.qr = Some(payload.clone()),
        }
        for event in &change.events {
            row.event_seq += 1;
            let event = match event {
                Event::AccountDeleted { .. } if unlinks => Event::AccountDeleted { unlinked: Unlinked::Pending },
                event => event.clone(),
            };
            self.events.push(StoredEvent { account, seq: row.event_seq, event });
        }
        // Statements of one WITH do not see each other's rows: a ticket is opened for, and
        // keys are erased of, keyrings that were there before.
        let before: BTreeSet<KeyringId> =
            self.keyrings.iter().filter(|(_, ring)| ring.account == account).map(|(id, _)| *id).collect();
        let ticketed: BTreeSet<KeyringId> = self.tickets.values().map(|ticket| ticket.keyring).collect();
        if let Some(keyring) = new_keyring {
            self.keyrings.insert(keyring, StoredKeyring { account, epoch: 1, opened: None, counter: 0, made_at: now });
        }
        for keyring in change.erase.iter().filter(|keyring| before.contains(keyring)) {
            if !ticketed.contains(keyring) && !change.tickets.iter().any(|(ticket, _)| ticket == keyring) {
                self.keyrings.remove(keyring);
            }
        }
        for (keyring, reason) in change.tickets.iter().filter(|(keyring, _)| before.contains(keyring)) {
            if !self.tickets.values().any(|ticket| ticket.keyring == *keyring) {
                let id = TicketId(self.fresh_id());
                let ticket = StoredTicket {
                    account,
                    keyring: *keyring,
                    reason: reason.to_string(),
                    attempts: 0,
                    last_error: None,
                    next_retry_at: now,
                    abandon_at: now.after(ABANDONED_AFTER),
                };
                self.tickets.insert(id, ticket);
            }
        }
        for Finished { command, result, .. } in &change.finished {
            let row = self.commands.get_mut(command);
            if let Some(row) = row.filter(|row| row.account == Some(account) && row.is_open()) {
                row.state = if result.is_ok() { CommandState::Done } else { CommandState::Failed };
                row.result = Some(match result {
                    Ok(said) | Err(said) => said.clone(),
                });
            }
        }
    }

    /// Grows, so that what was made first comes first.
    fn fresh_id(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(u128::from(self.next_id))
    }

    fn retry_ticket(
        &mut self,
        process: Uuid,
        ticket: &TicketRecord,
        attempts: u32,
        error: &str,
        next_retry_at: Instant,
    ) -> Option<Retried> {
        if !self.held(ticket.account, process, ticket.fence) {
            return None;
        }
        let Some(row) = self.tickets.get_mut(&ticket.id) else {
            return Some(Retried { is_written: false, was_written: false });
        };
        let was_written = row.attempts == attempts && row.last_error.as_deref() == Some(error);
        let is_written = row.account == ticket.account && row.attempts + 1 == attempts;
        if is_written {
            (row.attempts, row.last_error, row.next_retry_at) = (attempts, Some(error.to_owned()), next_retry_at);
        }
        Some(Retried { is_written, was_written })
    }

    fn close_ticket(
        &mut self,
        process: Uuid,
        ticket: &TicketRecord,
        is_abandoned: bool,
        event: &Event,
        now: Instant,
    ) -> Option<bool> {
        if !self.held(ticket.account, process, ticket.fence) {
            return None;
        }
        let is_timed = self.flaw != Some(Flaw::AbandonsByLocalClock);
        let row = self.tickets.get(&ticket.id);
        let is_there = row.is_some();
        let closed =
            row.filter(|row| row.account == ticket.account && (!is_abandoned || !is_timed || row.abandon_at <= now));
        let Some(keyring) = closed.map(|row| row.keyring) else { return Some(is_there) };
        self.tickets.remove(&ticket.id);
        self.keyrings.remove(&keyring);
        let is_last = self.tickets_of(ticket.account).next().is_none();
        if let Some(account) = self.accounts.get_mut(&ticket.account) {
            account.event_seq += 1;
            self.events.push(StoredEvent { account: ticket.account, seq: account.event_seq, event: event.clone() });
            let settles = self.flaw == Some(Flaw::TicketSettlesDeletion) && is_last;
            if settles && account.record.status == Status::Deleting {
                account.record.set_status(Status::Unpaired, Reason::Deleted, now);
            }
        }
        Some(false)
    }
}

impl StoredProcess {
    fn heed(&mut self, draining: bool, drain_no: i64) {
        if drain_no > self.drain_no {
            (self.draining, self.drain_no) = (draining, drain_no);
        }
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
