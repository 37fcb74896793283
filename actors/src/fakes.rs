//! A store and a gateway in memory, for this crate's own tests of the shells. What
//! Postgres and WhatsApp really do is tested elsewhere, against the real ones.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    domain::{
        AccountId, AccountRecord, ChangeId, CommandId, CommandRow, ConnectionSettings, Fence, Group, Incarnation,
        Instant, PasskeyAnswer, Phone, Refuse, Swept, TicketId, TicketRecord,
    },
    ports::{
        Change, Claim, Gateway, OpenSession, Owned, Session, SessionEvent, SessionListener, Store, StoreError, Survey,
        TicketOutcome, UnlinkAnswer,
    },
};

/// What the fake store holds, in the open.
#[derive(Default)]
pub struct Rows {
    pub accounts: BTreeMap<AccountId, AccountRecord>,
    pub queued: VecDeque<CommandRow>,
    pub running: Vec<CommandRow>,
    pub finished: BTreeMap<i64, Result<String, String>>,
    pub tickets: BTreeMap<TicketId, TicketRecord>,
    pub ticket_outcomes: Vec<TicketOutcome>,
    pub events: Vec<(AccountId, &'static str)>,
    pub held: Vec<(AccountId, String)>,
    /// The next writes fail this often.
    pub failing_writes: u32,
    /// Accounts whose rows cannot be read as they are.
    pub poisoned: Vec<AccountId>,
    /// Other daemons that are alive.
    pub neighbours: u32,
    /// Accounts that were given up: a neighbour has them.
    pub released: Vec<AccountId>,
    /// Another daemon owns everything.
    pub fenced: bool,
}

#[derive(Default)]
pub struct FakeStore {
    rows: Mutex<Rows>,
}

impl FakeStore {
    pub fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for FakeStore {
    async fn survey(&self) -> Result<Survey, StoreError> {
        let rows = self.rows();
        let owned = |record: &AccountRecord| Owned {
            account: record.id,
            fence: record.fence,
            movable: true,
            active: record.desired == crate::domain::Desired::Paired,
            tickets: rows
                .tickets
                .values()
                .filter(|ticket| ticket.account == record.id)
                .map(|ticket| ticket.id)
                .collect(),
        };
        let released = |record: &&AccountRecord| rows.released.contains(&record.id);
        let owned: Vec<_> = rows.accounts.values().filter(|record| !released(record)).map(owned).collect();
        let needing = owned.iter().filter(|own| own.needs_daemon()).count() + rows.released.len();
        let needing = u32::try_from(needing).unwrap_or(u32::MAX);
        Ok(Survey { owned, needing, daemons: rows.neighbours + 1 })
    }

    async fn claim_accounts(&self, _: u32) -> Result<u32, StoreError> {
        Ok(0)
    }

    async fn release_account(&self, account: AccountId, _: Fence) -> Result<(), StoreError> {
        self.requeue_commands_of(account).await?;
        self.rows().released.push(account);
        Ok(())
    }

    async fn load_account(&self, account: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        let rows = self.rows();
        if rows.released.contains(&account) {
            return Ok(None);
        }
        if rows.poisoned.contains(&account) {
            return Err(StoreError::Poisoned("unknown status \"wat\"".to_owned()));
        }
        Ok(rows.accounts.get(&account).cloned())
    }

    async fn load_connection_settings(&self, _: AccountId) -> Result<ConnectionSettings, StoreError> {
        Ok(ConnectionSettings::default())
    }

    async fn load_ticket(&self, ticket: TicketId) -> Result<Option<TicketRecord>, StoreError> {
        Ok(self.rows().tickets.get(&ticket).cloned())
    }

    async fn take_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        let mut rows = self.rows();
        let mut taken: Vec<CommandRow> = Vec::new();
        let mut left = VecDeque::new();
        for row in std::mem::take(&mut rows.queued) {
            let busy = |other: &CommandRow| other.account == row.account;
            if rows.released.contains(&row.account) || rows.running.iter().any(busy) || taken.iter().any(busy) {
                left.push_back(row)
            } else {
                taken.push(row)
            }
        }
        rows.queued = left;
        rows.running.extend(taken.iter().cloned());
        Ok(taken)
    }

    async fn requeue_command(&self, command: CommandId) -> Result<(), StoreError> {
        let mut rows = self.rows();
        if let Some(at) = rows.running.iter().position(|row| row.id == command) {
            let row = rows.running.remove(at);
            rows.queued.push_front(row);
        }
        Ok(())
    }

    async fn requeue_commands_of(&self, account: AccountId) -> Result<(), StoreError> {
        let ids: Vec<_> = self.rows().running.iter().filter(|row| row.account == account).map(|row| row.id).collect();
        for id in ids {
            self.requeue_command(id).await?;
        }
        Ok(())
    }

    async fn record(&self, _: ChangeId, change: &Change) -> Result<ConnectionSettings, StoreError> {
        let mut rows = self.rows();
        if rows.fenced {
            return Err(StoreError::Fenced);
        }
        if rows.failing_writes > 0 {
            rows.failing_writes -= 1;
            return Err(StoreError::Unavailable("the database is away".to_owned()));
        }
        rows.accounts.insert(change.record.id, change.record.clone());
        rows.events.extend(change.events.iter().map(|event| (change.record.id, event.kind())));
        for (id, result) in &change.finished {
            rows.running.retain(|row| row.id != *id);
            rows.finished.insert(id.0, result.clone());
        }
        Ok(ConnectionSettings::default())
    }

    async fn claim_number(&self, _: AccountId, _: Fence, _: &Phone) -> Result<Claim, StoreError> {
        Ok(Claim::Granted)
    }

    async fn record_ticket(&self, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError> {
        let mut rows = self.rows();
        rows.ticket_outcomes.push(outcome.clone());
        match outcome {
            TicketOutcome::Failed { .. } => {}
            TicketOutcome::Unlinked { .. } | TicketOutcome::Abandoned { .. } => drop(rows.tickets.remove(&ticket.id)),
        }
        Ok(())
    }

    async fn sweep(&self, _: Duration, _: Instant, _: bool) -> Result<Vec<Swept>, StoreError> {
        Ok(Vec::new())
    }

    async fn hold_account(&self, account: AccountId, reason: &str) -> Result<(), StoreError> {
        self.rows().held.push((account, reason.to_owned()));
        Ok(())
    }
}

/// Connections that do what a test tells them.
#[derive(Default)]
pub struct FakeGateway {
    opened: Mutex<Vec<(OpenSession, SessionListener)>>,
    live: Arc<Mutex<Vec<(AccountId, Incarnation)>>>,
    most_live: Arc<Mutex<usize>>,
    scan_panics: Arc<AtomicBool>,
}

impl FakeGateway {
    /// Every connection that was ever opened for the account.
    pub fn opened(&self, account: AccountId) -> usize {
        lock(&self.opened).iter().filter(|(order, _)| order.account == account).count()
    }

    /// Lets the newest connection of the account say something.
    pub fn say(&self, account: AccountId, event: SessionEvent) {
        let said = lock(&self.opened)
            .iter()
            .rev()
            .find(|(order, _)| order.account == account)
            .map(|(order, listener)| (order.incarnation, Arc::clone(listener)));
        if let Some((incarnation, listener)) = said {
            listener(incarnation, event);
        }
    }

    /// The next scan meets a bug in the middle of its actor.
    pub fn panic_at_next_scan(&self) {
        self.scan_panics.store(true, Ordering::Relaxed);
    }

    pub fn live(&self) -> usize {
        lock(&self.live).len()
    }

    /// The most connections that one account ever had at once.
    pub fn most_live_of_one(&self) -> usize {
        *lock(&self.most_live)
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[async_trait]
impl Gateway for FakeGateway {
    async fn open(&self, order: OpenSession, listener: SessionListener) -> Result<Arc<dyn Session>, StoreError> {
        let key = (order.account, order.incarnation);
        let mut live = lock(&self.live);
        live.push(key);
        let of_one = live.iter().filter(|(account, _)| *account == order.account).count();
        drop(live);
        let mut most = lock(&self.most_live);
        *most = of_one.max(*most);
        drop(most);
        lock(&self.opened).push((order, listener));
        Ok(Arc::new(FakeSession { key, live: Arc::clone(&self.live), panics: Arc::clone(&self.scan_panics) }))
    }
}

struct FakeSession {
    key: (AccountId, Incarnation),
    live: Arc<Mutex<Vec<(AccountId, Incarnation)>>>,
    panics: Arc<AtomicBool>,
}

#[async_trait]
impl Session for FakeSession {
    async fn secure_keys(&self, _: Refuse, _: &str) -> Result<Claim, StoreError> {
        assert!(!self.panics.swap(false, Ordering::Relaxed), "a bug in the middle of an actor");
        Ok(Claim::Granted)
    }

    async fn confirm_link(&self) {}

    async fn refuse_link(&self) {}

    async fn unlink(&self) -> UnlinkAnswer {
        UnlinkAnswer::Gone("ok".to_owned())
    }

    async fn groups(&self) -> Result<Vec<Group>, String> {
        Ok(Vec::new())
    }

    async fn answer_passkey(&self, _: PasskeyAnswer) -> Result<(), String> {
        Ok(())
    }

    async fn close(&self) {
        lock(&self.live).retain(|key| *key != self.key);
    }
}
