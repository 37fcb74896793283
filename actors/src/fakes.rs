//! A store and a gateway in memory, for this crate's own tests of the shells. What
//! Postgres and WhatsApp really do is tested elsewhere, against the real ones.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;

use crate::{
    domain::{
        AccountId, AccountRecord, ChangeId, CommandRow, ConnectionSettings, Fence, Group, GroupsError, Incarnation,
        KeyringId, Loaded, OnlineAnswer, OnlineError, OnlineOrder, OpenSession, Owned, PasskeyAnswer, PasskeyError,
        PendingAttempt, SealedKeys, Secret, SessionEvent, StoreError, Survey, Taken, TakingId, TicketId, TicketOutcome,
        TicketRecord, UnlinkAnswer, Write, Written,
    },
    ports::{
        AccountStore, ConnectionStore, FleetStore, Gateway, QrPainter, Session, SessionListener, TicketStore, WriteKeys,
    },
};

/// The contents of the fake store, open to tests.
#[derive(Default)]
pub struct FakeRows {
    pub accounts: BTreeMap<AccountId, AccountRecord>,
    pub queued: VecDeque<CommandRow>,
    pub running: Vec<CommandRow>,
    pub finished: BTreeMap<i64, Result<String, String>>,
    pub tickets: BTreeMap<TicketId, TicketRecord>,
    pub ticket_outcomes: Vec<TicketOutcome>,
    pub events: Vec<(AccountId, &'static str)>,
    pub last_changes: BTreeMap<AccountId, ChangeId>,
    /// Changes that end such a command well are refused for good.
    pub refused: Option<String>,
    /// The next writes fail this often.
    pub failing_writes: u32,
    /// Accounts whose rows cannot be read as they are.
    pub damaged: Vec<AccountId>,
    /// Other daemons that are alive.
    pub neighbours: u32,
    /// Accounts that were given up: a neighbour has them.
    pub released: Vec<AccountId>,
    /// Another daemon owns everything.
    pub fenced: bool,
}

#[derive(Default)]
pub struct FakeStore {
    rows: Mutex<FakeRows>,
}

impl FakeStore {
    pub fn rows(&self) -> MutexGuard<'_, FakeRows> {
        self.rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

pub struct FakePainter;

#[async_trait]
impl QrPainter for FakePainter {
    async fn png(&self, payload: &Secret) -> Result<Secret, StoreError> {
        Ok(payload.clone())
    }
}

#[async_trait]
impl ConnectionStore for FakeStore {
    async fn load_connection_settings(&self, _: AccountId, _: Fence) -> Result<ConnectionSettings, StoreError> {
        Ok(ConnectionSettings::default())
    }
}

#[async_trait]
impl AccountStore for FakeStore {
    async fn record(&self, write: &Write) -> Result<Written, StoreError> {
        let mut rows = self.rows();
        let change = &write.change;
        let account = write.record.id;
        if rows.fenced {
            return Err(StoreError::Fenced);
        }
        if rows.failing_writes > 0 {
            rows.failing_writes -= 1;
            return Err(StoreError::Unavailable("the database is away".to_owned()));
        }
        let last = rows.last_changes.get(&account).copied();
        if last != Some(write.id) && last != write.follows {
            return Err(StoreError::Overtaken);
        }
        let refuses = |kind: &String| change.finished.iter().any(|ended| ended.kind == *kind && ended.result.is_ok());
        if rows.refused.as_ref().is_some_and(refuses) {
            return Err(StoreError::Refused("the database never takes this".to_owned()));
        }
        if last != Some(write.id) {
            rows.last_changes.insert(account, write.id);
            rows.accounts.insert(account, write.record.clone());
            rows.events.extend(change.events.iter().map(|event| (account, event.kind().as_str())));
            for ended in &change.finished {
                rows.running.retain(|row| row.id != ended.command);
                rows.finished.insert(ended.command.0, ended.result.clone());
            }
        }
        Ok(Written::Done { settings: Some(ConnectionSettings::default()) })
    }
}

#[async_trait]
impl TicketStore for FakeStore {
    async fn record_ticket(&self, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError> {
        let mut rows = self.rows();
        rows.ticket_outcomes.push(outcome.clone());
        match outcome {
            TicketOutcome::Failed { .. } => {}
            TicketOutcome::Unlinked { .. } | TicketOutcome::Abandoned { .. } => drop(rows.tickets.remove(&ticket.id)),
        }
        Ok(())
    }
}

#[async_trait]
impl FleetStore for FakeStore {
    async fn survey(&self, _: &[AccountId]) -> Result<Survey, StoreError> {
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
        Ok(Survey { owned, needing, daemons: rows.neighbours + 1, least: 0 })
    }

    async fn claim_accounts(&self, _: u32) -> Result<u32, StoreError> {
        Ok(0)
    }

    async fn release_account(&self, account: AccountId, _: Fence) -> Result<(), StoreError> {
        let taken = self.handed_out(account);
        self.requeue_commands(&taken).await?;
        self.rows().released.push(account);
        Ok(())
    }

    async fn retake_account(&self, account: AccountId, _: Fence) -> Result<(), StoreError> {
        self.rows().released.retain(|released| *released != account);
        Ok(())
    }

    async fn load_account(&self, account: AccountId) -> Result<Option<Loaded>, StoreError> {
        let rows = self.rows();
        if rows.released.contains(&account) {
            return Ok(None);
        }
        let damage = rows.damaged.contains(&account).then(|| "unknown status \"wat\"".to_owned());
        let last_change = rows.last_changes.get(&account).copied();
        Ok(rows.accounts.get(&account).cloned().map(|record| Loaded { record, last_change, damage }))
    }

    async fn load_ticket(&self, ticket: TicketId) -> Result<Option<TicketRecord>, StoreError> {
        Ok(self.rows().tickets.get(&ticket).cloned())
    }

    async fn take_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        let mut rows = self.rows();
        let mut taken: Vec<CommandRow> = Vec::new();
        let taking = TakingId(uuid::Uuid::new_v4());
        let mut left = VecDeque::new();
        for row in std::mem::take(&mut rows.queued) {
            let busy = |other: &CommandRow| other.account == row.account;
            if rows.released.contains(&row.account) || rows.running.iter().any(busy) || taken.iter().any(busy) {
                left.push_back(row)
            } else {
                taken.push(CommandRow { taking, ..row })
            }
        }
        rows.queued = left;
        rows.running.extend(taken.iter().cloned());
        Ok(taken)
    }

    fn handed_out(&self, account: AccountId) -> Vec<Taken> {
        self.rows().running.iter().filter(|row| row.account == account).map(CommandRow::taken).collect()
    }

    async fn requeue_commands(&self, commands: &[Taken]) -> Result<(), StoreError> {
        let mut rows = self.rows();
        for taken in commands {
            if let Some(at) = rows.running.iter().position(|row| row.taken() == *taken) {
                let row = rows.running.remove(at);
                rows.queued.push_front(row);
            }
        }
        Ok(())
    }

    async fn list_pending(&self) -> Result<Vec<PendingAttempt>, StoreError> {
        Ok(Vec::new())
    }
}

/// A gateway whose connections are scripted by a test.
#[derive(Default)]
pub struct FakeGateway {
    opened: Mutex<Vec<(OpenSession, SessionListener)>>,
    live: Arc<Mutex<Vec<(AccountId, Incarnation)>>>,
    most_live: Arc<Mutex<usize>>,
    cut: Arc<AtomicUsize>,
    scan_panics: Arc<AtomicBool>,
    /// Openings stay pending until they are polled again, and wake nobody.
    slow: AtomicBool,
    slow_openings: AtomicUsize,
}

impl FakeGateway {
    /// From now on an opening proceeds only when its waiter is woken by something else.
    pub fn open_when_disturbed(&self) {
        self.slow.store(true, Ordering::Relaxed);
    }

    /// How many openings wait for that.
    pub fn slow_openings(&self) -> usize {
        self.slow_openings.load(Ordering::Relaxed)
    }

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

    /// How many connections were cut.
    pub fn cut(&self) -> usize {
        self.cut.load(Ordering::Relaxed)
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
        if self.slow.load(Ordering::Relaxed) {
            self.slow_openings.fetch_add(1, Ordering::Relaxed);
            let mut is_first = true;
            std::future::poll_fn(|_| {
                if std::mem::take(&mut is_first) { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
            })
            .await;
        }
        let key = (order.account, order.incarnation);
        let mut live = lock(&self.live);
        live.push(key);
        let of_one = live.iter().filter(|(account, _)| *account == order.account).count();
        drop(live);
        let mut most = lock(&self.most_live);
        *most = of_one.max(*most);
        drop(most);
        lock(&self.opened).push((order, listener));
        let (live, cut) = (Arc::clone(&self.live), Arc::clone(&self.cut));
        Ok(Arc::new(FakeSession { key, live, cut, panics: Arc::clone(&self.scan_panics) }))
    }
}

struct FakeSession {
    key: (AccountId, Incarnation),
    live: Arc<Mutex<Vec<(AccountId, Incarnation)>>>,
    cut: Arc<AtomicUsize>,
    panics: Arc<AtomicBool>,
}

#[async_trait]
impl Session for FakeSession {
    async fn secure_keys(&self, write: WriteKeys) -> Result<Written, StoreError> {
        assert!(!self.panics.swap(false, Ordering::Relaxed), "a bug in the middle of an actor");
        let keyring = KeyringId(uuid::Uuid::nil());
        write(SealedKeys { keyring, wrapped_key: Vec::new(), master_key: "m".to_owned(), records: Vec::new() }).await
    }

    async fn confirm_link(&self) {}

    async fn refuse_link(&self) {}

    async fn unlink(&self) -> UnlinkAnswer {
        UnlinkAnswer::Gone("ok".to_owned())
    }

    async fn groups(&self) -> Result<Vec<Group>, GroupsError> {
        Ok(Vec::new())
    }

    async fn ask(&self, _: OnlineOrder) -> Result<OnlineAnswer, OnlineError> {
        Ok(OnlineAnswer::TypingShown)
    }

    async fn answer_passkey(&self, _: PasskeyAnswer) -> Result<(), PasskeyError> {
        Ok(())
    }

    async fn close(&self) {
        lock(&self.live).retain(|key| *key != self.key);
    }

    async fn cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
        lock(&self.live).retain(|key| *key != self.key);
    }
}
