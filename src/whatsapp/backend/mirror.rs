//! The records of a link that was just made, still in memory: for a while they are read
//! there, and what is written is gathered and settled, that is, written to Postgres, in
//! one statement.
//!
//! Nobody outside sees the difference: nothing goes out to WhatsApp before what was
//! written earlier is durable ([`Mirror::sendable`]). So a crash forgets only what
//! nothing out there rests on, as if it had come a moment earlier.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use paird_actors::ports::StoreError;
use tokio::sync::{self, Notify};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::device;
use super::map::{Key, RecordMap};
use super::postgres::PostgresRecords;
use super::records::{Entry, Kind, Records, Selection};

/// The first login reads and writes most of the keys within seconds of their being made.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// Between two tries to settle what is to be sent upon.
const RETRY: Duration = Duration::from_millis(250);
/// Longer than this WhatsApp is not left without what is to be sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Every record there is, of a keyring that nobody else can write: fence and epoch see to it.
pub(super) struct Mirror {
    postgres: Arc<PostgresRecords>,
    /// Nothing when its time is over: then there is Postgres alone.
    held: Arc<Mutex<Option<Held>>>,
    /// One statement at a time: what comes last here comes last there.
    settling: sync::Mutex<()>,
    /// Rung at each change.
    changed: Arc<Notify>,
    _timer: AbortOnDropHandle<()>,
}

struct Held {
    map: RecordMap,
    unsettled: Unsettled,
    /// Some is on its way to Postgres.
    settling: bool,
    /// Its time is over: it goes as soon as all of it is settled.
    is_over: bool,
}

/// What Postgres does not have yet, each record as it is now; nothing where it went.
#[derive(Default)]
struct Unsettled {
    records: BTreeMap<Key, Option<Entry>>,
    /// Something among them must be durable before anything is sent.
    urgent: bool,
}

impl Mirror {
    /// `map` is all that Postgres has. Rings `changed` when there is something to settle.
    /// Keeps a task until the time of what is held is over.
    pub fn of(map: RecordMap, postgres: Arc<PostgresRecords>, changed: Arc<Notify>) -> Self {
        let held = Held { map, unsettled: Unsettled::default(), settling: false, is_over: false };
        let held = Arc::new(Mutex::new(Some(held)));
        let timed = Arc::clone(&held);
        let timer = tokio::spawn(async move {
            tokio::time::sleep(KEPT_FOR).await;
            let mut held = lock(&timed);
            if let Some(held) = held.as_mut() {
                held.is_over = true;
            }
            let_go_if_over(&mut held);
        });
        Self { postgres, held, settling: sync::Mutex::default(), changed, _timer: AbortOnDropHandle::new(timer) }
    }

    /// Waits until nothing that WhatsApp may come to rely on is in memory alone.
    ///
    /// # Errors
    /// It cannot be made durable, or not in time: nothing more may be sent.
    pub async fn sendable(&self) -> Result<(), StoreError> {
        let began = Instant::now();
        while self.lock().as_ref().is_some_and(Held::is_urgent) {
            match self.settle().await {
                Err(StoreError::Unavailable(_)) if self.may_try_again(began) => tokio::time::sleep(RETRY).await,
                settled => settled?,
            }
        }
        Ok(())
    }

    fn may_try_again(&self, began: Instant) -> bool {
        self.postgres.failure().is_none() && began.elapsed() < PATIENCE
    }

    /// Makes durable what was written so far.
    ///
    /// # Errors
    /// It is not. `Unavailable`: trying again may do.
    pub async fn settle(&self) -> Result<(), StoreError> {
        let _alone = self.settling.lock().await;
        let Some(batch) = Batch::take(self) else { return Ok(()) };
        self.postgres.settle(batch.written(), batch.gone()).await?;
        batch.settled();
        Ok(())
    }

    pub fn is_settled(&self) -> bool {
        self.lock().as_ref().is_none_or(Held::is_settled)
    }

    /// What is held says it; nothing when its time is over.
    fn read<T>(&self, read: impl FnOnce(&RecordMap) -> T) -> Result<Option<T>, StoreError> {
        Ok(self.held()?.as_ref().map(|held| read(&held.map)))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Held) -> T) -> Result<Option<T>, StoreError> {
        let done = self.held()?.as_mut().map(change);
        self.changed.notify_one();
        Ok(done)
    }

    fn held(&self) -> Result<MutexGuard<'_, Option<Held>>, StoreError> {
        if let Some(failure) = self.postgres.failure() {
            return Err(failure);
        }
        Ok(self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        lock(&self.held)
    }
}

/// A change is one call that cannot panic half-way.
fn lock(held: &Mutex<Option<Held>>) -> MutexGuard<'_, Option<Held>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is not settled yet is nowhere else.
fn let_go_if_over(held: &mut Option<Held>) {
    if held.as_ref().is_some_and(|held| held.is_over && held.is_settled()) {
        *held = None;
    }
}

impl Held {
    fn is_settled(&self) -> bool {
        self.unsettled.records.is_empty() && !self.settling
    }

    /// One that is being settled may not be settled in the end.
    fn is_urgent(&self) -> bool {
        self.unsettled.urgent || self.settling
    }

    fn put(&mut self, entry: Entry) {
        let former = self.map.put(entry.clone());
        if former.as_ref().is_some_and(|former| former.value == entry.value && former.stamp == entry.stamp) {
            // The library saves its device more often than that changes.
            return;
        }
        self.unsettled.urgent |= !may_wait(former.as_ref(), &entry);
        self.unsettled.records.insert((entry.kind, entry.name.clone()), Some(entry));
    }

    fn take(&mut self, kind: Kind, name: &str) -> Option<Entry> {
        let taken = self.map.take(kind, name);
        if taken.is_some() {
            self.gone(kind, name.to_owned());
        }
        taken
    }

    fn delete(&mut self, kind: Kind, which: &Selection) -> usize {
        let names = self.map.delete(kind, which);
        let count = names.len();
        names.into_iter().for_each(|name| self.gone(kind, name));
        count
    }

    fn gone(&mut self, kind: Kind, name: String) {
        self.unsettled.urgent = true;
        self.unsettled.records.insert((kind, name), None);
    }
}

/// Whether it may be sent upon before it is durable: what WhatsApp told, and tells again.
fn may_wait(former: Option<&Entry>, present: &Entry) -> bool {
    matches!(present.kind, Kind::AppVersion | Kind::DeviceList)
        || former.is_some_and(|former| device::may_wait(former, present))
}

/// What is being settled. Unless that is done it is put back, behind what was written since.
struct Batch<'a> {
    mirror: &'a Mirror,
    unsettled: Unsettled,
}

impl<'a> Batch<'a> {
    fn take(mirror: &'a Mirror) -> Option<Self> {
        let mut held = mirror.lock();
        let held = held.as_mut().filter(|held| !held.unsettled.records.is_empty())?;
        held.settling = true;
        Some(Self { mirror, unsettled: std::mem::take(&mut held.unsettled) })
    }

    fn written(&self) -> Vec<Entry> {
        self.unsettled.records.values().flatten().cloned().collect()
    }

    fn gone(&self) -> Vec<Key> {
        let gone = self.unsettled.records.iter().filter(|(_, entry)| entry.is_none());
        gone.map(|(key, _)| key.clone()).collect()
    }

    fn settled(mut self) {
        self.unsettled = Unsettled::default();
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let former = std::mem::take(&mut self.unsettled);
        let mut held = self.mirror.lock();
        if let Some(held) = held.as_mut() {
            held.settling = false;
            held.unsettled.urgent |= former.urgent;
            for (key, entry) in former.records {
                held.unsettled.records.entry(key).or_insert(entry);
            }
        }
        let_go_if_over(&mut held);
    }
}

#[async_trait]
impl Records for Mirror {
    async fn get(&self, kind: Kind, name: &str) -> Result<Option<Entry>, StoreError> {
        match self.read(|map| map.get(kind, name).cloned())? {
            Some(found) => Ok(found),
            None => self.postgres.get(kind, name).await,
        }
    }

    async fn get_many(&self, kind: Kind, names: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        match self.read(|map| map.get_many(kind, &names))? {
            Some(found) => Ok(found),
            None => self.postgres.get_many(kind, names).await,
        }
    }

    async fn list(&self, kind: Kind, prefix: &str, stamp_below: i64) -> Result<Vec<Entry>, StoreError> {
        match self.read(|map| map.list(kind, prefix, stamp_below))? {
            Some(listed) => Ok(listed),
            None => self.postgres.list(kind, prefix, stamp_below).await,
        }
    }

    async fn names(&self, kind: Kind) -> Result<Vec<String>, StoreError> {
        match self.read(|map| map.names(kind))? {
            Some(names) => Ok(names),
            None => self.postgres.names(kind).await,
        }
    }

    async fn last_name(&self, kind: Kind) -> Result<Option<String>, StoreError> {
        match self.read(|map| map.last_name(kind))? {
            Some(name) => Ok(name),
            None => self.postgres.last_name(kind).await,
        }
    }

    async fn has_prefix(&self, kinds: &[Kind], prefixes: Vec<String>) -> Result<bool, StoreError> {
        match self.read(|map| map.has_prefix(kinds, &prefixes))? {
            Some(has) => Ok(has),
            None => self.postgres.has_prefix(kinds, prefixes).await,
        }
    }

    async fn put(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        match self.change(|held| entries.iter().for_each(|entry| held.put(entry.clone())))? {
            Some(()) => Ok(()),
            None => self.postgres.put(entries).await,
        }
    }

    async fn take(&self, kind: Kind, name: &str) -> Result<Option<Entry>, StoreError> {
        match self.change(|held| held.take(kind, name))? {
            Some(taken) => Ok(taken),
            None => self.postgres.take(kind, name).await,
        }
    }

    async fn delete(&self, kind: Kind, which: Selection) -> Result<u64, StoreError> {
        match self.change(|held| held.delete(kind, &which))? {
            Some(gone) => Ok(u64::try_from(gone).unwrap_or(u64::MAX)),
            None => self.postgres.delete(kind, which).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use paird_actors::domain::{AccountId, Fence, KeyringId};
    use tokio::runtime::Handle;
    use uuid::Uuid;

    use super::super::postgres::{FIRST_EPOCH, Ownership};
    use super::*;
    use crate::postgres::pool::Dsn;
    use crate::whatsapp::seal::DataKey;

    /// Of a database that is never asked.
    fn mirror() -> Mirror {
        let pool = Dsn::parse("host=/nowhere user=nobody").unwrap().pool().unwrap();
        let (account, keyring) = (AccountId(Uuid::new_v4()), KeyringId(Uuid::new_v4()));
        let ownership = Ownership { account, keyring, owner: Uuid::new_v4(), fence: Fence(1), epoch: FIRST_EPOCH };
        let postgres = PostgresRecords::new(pool, ownership, DataKey::generate(account, keyring));
        Mirror::of(RecordMap::default(), Arc::new(postgres), Arc::default())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_goes_after_its_minute_though_nobody_asks() {
        let mirror = mirror();
        tokio::time::sleep(KEPT_FOR - Duration::from_secs(1)).await;
        assert!(mirror.lock().is_some());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(mirror.lock().is_none());
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_settled_is_held_until_it_is() {
        let mirror = mirror();
        mirror.put(vec![Entry::new(Kind::Session, "a@lid".to_owned(), *b"one")]).await.unwrap();
        let settling = Batch::take(&mirror).unwrap();
        tokio::time::sleep(KEPT_FOR + Duration::from_secs(1)).await;
        assert!(mirror.lock().is_some(), "on its way");
        drop(settling);
        assert!(mirror.get(Kind::Session, "a@lid").await.unwrap().is_some(), "not settled after all");
        Batch::take(&mirror).unwrap().settled();
        assert!(mirror.lock().is_none());
    }

    #[tokio::test]
    async fn the_timer_ends_with_what_it_is_for() {
        drop(mirror());
        while Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    }
}
