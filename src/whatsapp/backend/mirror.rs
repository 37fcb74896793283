//! The records of a link that was just made, still in memory: for a while every read is
//! answered from there, and every write goes to Postgres and then there, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use paird_actors::ports::StoreError;
use tokio::sync::{Mutex, MutexGuard};

use super::postgres::PostgresRecords;
use super::records::{Entry, Kind, Records, Selection};
use super::staged::StagedRecords;

/// The first login reads most of the keys within a second or two of their being made.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// Every record there is, of a keyring that nobody else can write: the fence sees to it.
pub(super) struct Mirror {
    records: StagedRecords,
    postgres: Arc<PostgresRecords>,
    /// Held through a write: what comes last there comes last here.
    writing: Mutex<()>,
    whole: AtomicBool,
    until: Instant,
}

impl Mirror {
    /// `records` are all that Postgres has.
    pub fn of(records: StagedRecords, postgres: Arc<PostgresRecords>) -> Self {
        let until = Instant::now() + KEPT_FOR;
        Self { records, postgres, writing: Mutex::default(), whole: AtomicBool::new(true), until }
    }

    /// Whether it can be believed. Once not, it never can again.
    pub fn serves(&self) -> bool {
        if self.whole.load(Ordering::Acquire) && Instant::now() > self.until {
            self.give_up();
        }
        self.whole.load(Ordering::Acquire)
    }

    fn give_up(&self) {
        self.whole.store(false, Ordering::Release);
        self.records.clear();
    }

    async fn write(&self) -> Writing<'_> {
        Writing { mirror: self, done: false, _alone: self.writing.lock().await }
    }
}

/// A write under way. One that fails or is dropped may have reached Postgres all the same.
struct Writing<'a> {
    mirror: &'a Mirror,
    done: bool,
    _alone: MutexGuard<'a, ()>,
}

impl Writing<'_> {
    fn finish(mut self) {
        self.done = true;
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.mirror.give_up();
        }
    }
}

#[async_trait]
impl Records for Mirror {
    async fn get(&self, kind: Kind, name: &str) -> Result<Option<Entry>, StoreError> {
        self.records.get(kind, name).await
    }

    async fn get_many(&self, kind: Kind, names: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        self.records.get_many(kind, names).await
    }

    async fn list(&self, kind: Kind, prefix: &str, stamp_below: i64) -> Result<Vec<Entry>, StoreError> {
        self.records.list(kind, prefix, stamp_below).await
    }

    async fn names(&self, kind: Kind) -> Result<Vec<String>, StoreError> {
        self.records.names(kind).await
    }

    async fn last_name(&self, kind: Kind) -> Result<Option<String>, StoreError> {
        self.records.last_name(kind).await
    }

    async fn has_prefix(&self, kinds: &[Kind], prefixes: Vec<String>) -> Result<bool, StoreError> {
        self.records.has_prefix(kinds, prefixes).await
    }

    async fn put(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let writing = self.write().await;
        // The library saves its device more often than that changes.
        if !self.records.hold(&entries) {
            self.postgres.put(entries.clone()).await?;
        }
        self.records.put(entries).await?;
        writing.finish();
        Ok(())
    }

    async fn stamp(&self, kind: Kind, names: Vec<String>, stamp: i64) -> Result<(), StoreError> {
        let writing = self.write().await;
        self.postgres.stamp(kind, names.clone(), stamp).await?;
        self.records.stamp(kind, names, stamp).await?;
        writing.finish();
        Ok(())
    }

    async fn take(&self, kind: Kind, name: &str) -> Result<Option<Entry>, StoreError> {
        let writing = self.write().await;
        let taken = self.postgres.take(kind, name).await?;
        self.records.take(kind, name).await?;
        writing.finish();
        Ok(taken)
    }

    async fn delete(&self, kind: Kind, which: Selection) -> Result<u64, StoreError> {
        let writing = self.write().await;
        let gone = self.postgres.delete(kind, which.clone()).await?;
        self.records.delete(kind, which).await?;
        writing.finish();
        Ok(gone)
    }
}
