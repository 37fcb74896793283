//! A write-behind cache for the first minute of a link: records are read from memory, and
//! writes are gathered there and flushed to Postgres in one statement.
//!
//! The delay is not observable from outside: no frame is sent to WhatsApp before the writes
//! that it depends on are durable ([`WriteBehind::flush_before_send`]). A crash loses only
//! writes that no sent frame depends on, as if it had come a moment earlier.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use paird_actors::domain::StoreError;
use tokio::sync::{self, Notify};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::memory::{Key, RecordMap};
use super::records::{Entry, RecordKind, Records, Selection};
use super::rows::Rows;

/// The first login reads and writes most of the keys within seconds of their creation.
const KEPT_FOR: Duration = Duration::from_secs(60);
const FLUSH_RETRY: Duration = Duration::from_millis(250);
/// How long a send may be held up by flushes that fail.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// All records of a keyring. Fence and epoch ensure that this is their only writer.
pub(super) struct WriteBehind {
    rows: Arc<Rows>,
    /// `None` once the minute is over: then the rows alone are used.
    held: Arc<Mutex<Option<Held>>>,
    /// One statement at a time: the order of writes here is their order in the rows.
    flushing: sync::Mutex<()>,
    /// Notified at each change.
    changed: Arc<Notify>,
    _timer: AbortOnDropHandle<()>,
}

struct Held {
    map: RecordMap,
    pending: Pending,
    /// A flush is under way.
    flushing: bool,
    /// The minute is over: dropped as soon as everything is flushed.
    is_over: bool,
}

/// Records that the rows lack, as they are now; `None` for a deleted one.
#[derive(Default)]
struct Pending {
    records: BTreeMap<Key, Option<Entry>>,
    /// One of them must be durable before anything is sent.
    urgent: bool,
}

impl WriteBehind {
    /// `map` is what the rows hold now. Notifies `changed` when there is something to flush.
    /// Keeps a task until the minute is over.
    pub fn of(map: RecordMap, rows: Arc<Rows>, changed: Arc<Notify>) -> Self {
        let held = Held { map, pending: Pending::default(), flushing: false, is_over: false };
        let held = Arc::new(Mutex::new(Some(held)));
        let timed = Arc::clone(&held);
        let timer = tokio::spawn(async move {
            tokio::time::sleep(KEPT_FOR).await;
            let mut held = lock(&timed);
            if let Some(held) = held.as_mut() {
                held.is_over = true;
            }
            drop_if_over(&mut held);
        });
        Self { rows, held, flushing: sync::Mutex::default(), changed, _timer: AbortOnDropHandle::new(timer) }
    }

    /// Waits until nothing that WhatsApp may come to rely on is only in memory.
    ///
    /// # Errors
    /// It cannot be made durable, or not in time: nothing more may be sent.
    pub async fn flush_before_send(&self) -> Result<(), StoreError> {
        let began = Instant::now();
        if !self.lock().as_ref().is_some_and(Held::is_urgent) {
            return Ok(());
        }
        // One is enough: what is written meanwhile, no frame that waits here rests on. A history is
        // written for seconds.
        loop {
            match self.flush().await {
                Err(StoreError::Unavailable(_)) if self.may_try_again(began) => tokio::time::sleep(FLUSH_RETRY).await,
                flushed => return flushed,
            }
        }
    }

    fn may_try_again(&self, began: Instant) -> bool {
        self.rows.failure().is_none() && began.elapsed() < FLUSH_TIMEOUT
    }

    /// Makes durable everything that was written so far.
    ///
    /// # Errors
    /// It is not. `Unavailable`: trying again may do.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let _alone = self.flushing.lock().await;
        let Some(batch) = Batch::take(self) else { return Ok(()) };
        self.rows.write(batch.written(), batch.gone()).await?;
        batch.flushed();
        Ok(())
    }

    pub fn has_pending(&self) -> bool {
        self.lock().as_ref().is_some_and(Held::has_pending)
    }

    /// Reads from memory; `None` once the minute is over.
    fn read<T>(&self, read: impl FnOnce(&RecordMap) -> T) -> Result<Option<T>, StoreError> {
        Ok(self.held()?.as_ref().map(|held| read(&held.map)))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Held) -> T) -> Result<Option<T>, StoreError> {
        let done = self.held()?.as_mut().map(change);
        self.changed.notify_one();
        Ok(done)
    }

    fn held(&self) -> Result<MutexGuard<'_, Option<Held>>, StoreError> {
        if let Some(failure) = self.rows.failure() {
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

/// Pending records are nowhere else, so they are kept until they are flushed.
fn drop_if_over(held: &mut Option<Held>) {
    if held.as_ref().is_some_and(|held| held.is_over && !held.has_pending()) {
        *held = None;
    }
}

impl Held {
    fn has_pending(&self) -> bool {
        !self.pending.records.is_empty() || self.flushing
    }

    /// A flush that is under way may still fail.
    fn is_urgent(&self) -> bool {
        self.pending.urgent || self.flushing
    }

    fn put(&mut self, entry: Entry) {
        let former = self.map.put(entry.clone());
        if former.as_ref().is_some_and(|former| former.value == entry.value && former.stamp == entry.stamp) {
            // The library saves its device more often than that changes.
            return;
        }
        self.pending.urgent |= !entry.may_wait(former.as_ref());
        self.pending.records.insert((entry.kind, entry.name.clone()), Some(entry));
    }

    fn delete(&mut self, kind: RecordKind, which: &Selection) -> usize {
        let names = self.map.delete(kind, which);
        let count = names.len();
        names.into_iter().for_each(|name| self.gone(kind, name));
        count
    }

    fn gone(&mut self, kind: RecordKind, name: String) {
        self.pending.urgent = true;
        self.pending.records.insert((kind, name), None);
    }
}

/// The records being flushed. If that fails they become pending again, unless they were
/// written since.
struct Batch<'a> {
    cache: &'a WriteBehind,
    pending: Pending,
}

impl<'a> Batch<'a> {
    fn take(cache: &'a WriteBehind) -> Option<Self> {
        let mut held = cache.lock();
        let held = held.as_mut().filter(|held| !held.pending.records.is_empty())?;
        held.flushing = true;
        Some(Self { cache, pending: std::mem::take(&mut held.pending) })
    }

    fn written(&self) -> Vec<Entry> {
        self.pending.records.values().flatten().cloned().collect()
    }

    fn gone(&self) -> Vec<Key> {
        let gone = self.pending.records.iter().filter(|(_, entry)| entry.is_none());
        gone.map(|(key, _)| key.clone()).collect()
    }

    fn flushed(mut self) {
        self.pending = Pending::default();
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let former = std::mem::take(&mut self.pending);
        let mut held = self.cache.lock();
        if let Some(held) = held.as_mut() {
            held.flushing = false;
            held.pending.urgent |= former.urgent;
            for (key, entry) in former.records {
                held.pending.records.entry(key).or_insert(entry);
            }
        }
        drop_if_over(&mut held);
    }
}

#[async_trait]
impl Records for WriteBehind {
    async fn get(&self, kind: RecordKind, name: &str) -> Result<Option<Entry>, StoreError> {
        match self.read(|map| map.get(kind, name).cloned())? {
            Some(found) => Ok(found),
            None => self.rows.get(kind, name).await,
        }
    }

    async fn get_many(&self, kind: RecordKind, names: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        match self.read(|map| map.get_many(kind, &names))? {
            Some(found) => Ok(found),
            None => self.rows.get_many(kind, names).await,
        }
    }

    async fn list(&self, kind: RecordKind, prefix: &str, stamp_below: i64) -> Result<Vec<Entry>, StoreError> {
        match self.read(|map| map.list(kind, prefix, stamp_below))? {
            Some(listed) => Ok(listed),
            None => self.rows.list(kind, prefix, stamp_below).await,
        }
    }

    async fn newest(&self, kind: RecordKind, count: usize) -> Result<Vec<Entry>, StoreError> {
        match self.read(|map| map.newest(kind, count))? {
            Some(listed) => Ok(listed),
            None => self.rows.newest(kind, count).await,
        }
    }

    async fn names(&self, kind: RecordKind) -> Result<Vec<String>, StoreError> {
        match self.read(|map| map.names(kind))? {
            Some(names) => Ok(names),
            None => self.rows.names(kind).await,
        }
    }

    async fn last_name(&self, kind: RecordKind) -> Result<Option<String>, StoreError> {
        match self.read(|map| map.last_name(kind))? {
            Some(name) => Ok(name),
            None => self.rows.last_name(kind).await,
        }
    }

    async fn has_prefix(&self, kinds: &[RecordKind], prefixes: Vec<String>) -> Result<bool, StoreError> {
        match self.read(|map| map.has_prefix(kinds, &prefixes))? {
            Some(has) => Ok(has),
            None => self.rows.has_prefix(kinds, prefixes).await,
        }
    }

    async fn put(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        match self.change(|held| entries.iter().for_each(|entry| held.put(entry.clone())))? {
            Some(()) => Ok(()),
            None => self.rows.put(entries).await,
        }
    }

    async fn add(&self, entries: Vec<Entry>) -> Result<Vec<String>, StoreError> {
        let add = |held: &mut Held| {
            let (new, known): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| held.map.is_new(entry));
            new.into_iter().for_each(|entry| held.put(entry.clone()));
            known.into_iter().map(|entry| entry.name.clone()).collect()
        };
        match self.change(add)? {
            Some(known) => Ok(known),
            None => self.rows.add(entries).await,
        }
    }

    async fn delete(&self, kind: RecordKind, which: Selection) -> Result<u64, StoreError> {
        match self.change(|held| held.delete(kind, &which))? {
            Some(gone) => Ok(u64::try_from(gone).unwrap_or(u64::MAX)),
            None => self.rows.delete(kind, which).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use paird_actors::domain::KeyringId;
    use tokio::runtime::Handle;
    use uuid::Uuid;

    use super::*;

    /// Of a database that is never asked.
    fn cache() -> WriteBehind {
        let rows = Rows::of_no_database(KeyringId(Uuid::new_v4()));
        WriteBehind::of(RecordMap::default(), Arc::new(rows), Arc::default())
    }

    #[tokio::test(start_paused = true)]
    async fn the_cache_is_dropped_after_a_minute() {
        let cache = cache();
        tokio::time::sleep(KEPT_FOR - Duration::from_secs(1)).await;
        assert!(cache.lock().is_some());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(cache.lock().is_none());
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn pending_records_outlive_the_minute_until_flushed() {
        let cache = cache();
        cache.put(vec![Entry::new(RecordKind::Session, "a@lid".to_owned(), *b"one")]).await.unwrap();
        let flushing = Batch::take(&cache).unwrap();
        tokio::time::sleep(KEPT_FOR + Duration::from_secs(1)).await;
        assert!(cache.lock().is_some(), "on its way");
        drop(flushing);
        assert!(cache.get(RecordKind::Session, "a@lid").await.unwrap().is_some(), "not flushed after all");
        Batch::take(&cache).unwrap().flushed();
        assert!(cache.lock().is_none());
    }

    #[tokio::test]
    async fn the_timer_ends_with_the_cache() {
        drop(cache());
        while Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    }
}
