//! Records in memory, as the rows would have them: those of a link that is not one yet,
//! and the copy that a write-behind keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use paird_actors::domain::StoreError;

use super::record_key;
use super::records::{ANY_STAMP, Entry, RecordKind, Records, Selection};
use super::rows::Rows;

/// Identifies a record.
pub(super) type Key = (RecordKind, String);

#[derive(Default)]
pub(super) struct RecordMap(BTreeMap<Key, Entry>);

impl RecordMap {
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.0.values()
    }

    pub fn get(&self, kind: RecordKind, name: &str) -> Option<&Entry> {
        self.0.get(&(kind, name.to_owned()))
    }

    pub fn get_many(&self, kind: RecordKind, names: &[String]) -> Vec<Entry> {
        let names: BTreeSet<&String> = names.iter().collect();
        names.into_iter().filter_map(|name| self.get(kind, name)).cloned().collect()
    }

    pub fn list(&self, kind: RecordKind, prefix: &str, stamp_below: i64) -> Vec<Entry> {
        let of_kind = self.0.values().filter(|entry| entry.kind == kind);
        of_kind.filter(|entry| entry.name.starts_with(prefix) && entry.stamp < stamp_below).cloned().collect()
    }

    pub fn newest(&self, kind: RecordKind, count: usize) -> Vec<Entry> {
        let mut all = self.list(kind, "", ANY_STAMP);
        all.sort_by_key(|entry| std::cmp::Reverse(entry.stamp));
        all.truncate(count);
        all
    }

    pub fn names(&self, kind: RecordKind) -> Vec<String> {
        self.0.keys().filter(|(of, _)| *of == kind).map(|(_, name)| name.clone()).collect()
    }

    pub fn last_name(&self, kind: RecordKind) -> Option<String> {
        self.0.keys().rfind(|(of, _)| *of == kind).map(|(_, name)| name.clone())
    }

    pub fn has_prefix(&self, kinds: &[RecordKind], prefixes: &[String]) -> bool {
        let starts = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()));
        self.0.keys().any(|(kind, name)| kinds.contains(kind) && starts(name))
    }

    /// Inserts or replaces; returns the former record.
    pub fn put(&mut self, entry: Entry) -> Option<Entry> {
        self.0.insert((entry.kind, entry.name.clone()), entry)
    }

    /// Whether there is none of its name.
    pub fn is_new(&self, entry: &Entry) -> bool {
        self.get(entry.kind, &entry.name).is_none()
    }

    /// The names of those that went.
    pub fn delete(&mut self, kind: RecordKind, which: &Selection) -> Vec<String> {
        let gone = self.0.values().filter(|entry| entry.kind == kind && selects(which, entry));
        let gone: Vec<String> = gone.map(|entry| entry.name.clone()).collect();
        for name in &gone {
            self.0.remove(&(kind, name.clone()));
        }
        gone
    }
}

fn selects(which: &Selection, entry: &Entry) -> bool {
    match which {
        Selection::Names(names) => names.contains(&entry.name),
        Selection::Prefix(prefix) => entry.name.starts_with(prefix.as_str()),
        Selection::SecondPart(parts) => record_key::part(&entry.name, 1).is_some_and(|part| parts.contains(&part)),
        Selection::StampBelow(bound) => entry.stamp != 0 && entry.stamp < *bound,
    }
}

/// The records of a staged keyring. Gone with the process.
pub(super) struct StagedRecords {
    map: Mutex<RecordMap>,
    /// Where they will be. Their failure is this one's.
    rows: Arc<Rows>,
}

impl StagedRecords {
    pub fn new(rows: Arc<Rows>) -> Self {
        Self { map: Mutex::default(), rows }
    }

    /// A copy of every record.
    pub fn all(&self) -> Vec<Entry> {
        self.lock().all().cloned().collect()
    }

    pub fn take_map(&mut self) -> RecordMap {
        std::mem::take(self.map.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    fn held(&self) -> Result<MutexGuard<'_, RecordMap>, StoreError> {
        self.rows.failure().map_or_else(|| Ok(self.lock()), Err)
    }

    /// Every method's change to the map is one call that cannot panic half-way, so
    /// a lock that a panic left behind still guards a whole map.
    fn lock(&self) -> MutexGuard<'_, RecordMap> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Records for StagedRecords {
    async fn get(&self, kind: RecordKind, name: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.held()?.get(kind, name).cloned())
    }

    async fn get_many(&self, kind: RecordKind, names: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        Ok(self.held()?.get_many(kind, &names))
    }

    async fn list(&self, kind: RecordKind, prefix: &str, stamp_below: i64) -> Result<Vec<Entry>, StoreError> {
        Ok(self.held()?.list(kind, prefix, stamp_below))
    }

    async fn newest(&self, kind: RecordKind, count: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(self.held()?.newest(kind, count))
    }

    async fn names(&self, kind: RecordKind) -> Result<Vec<String>, StoreError> {
        Ok(self.held()?.names(kind))
    }

    async fn last_name(&self, kind: RecordKind) -> Result<Option<String>, StoreError> {
        Ok(self.held()?.last_name(kind))
    }

    async fn has_prefix(&self, kinds: &[RecordKind], prefixes: Vec<String>) -> Result<bool, StoreError> {
        Ok(self.held()?.has_prefix(kinds, &prefixes))
    }

    async fn put(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut map = self.held()?;
        for entry in entries {
            map.put(entry);
        }
        Ok(())
    }

    async fn add(&self, entries: Vec<Entry>) -> Result<Vec<String>, StoreError> {
        let mut map = self.held()?;
        let (new, known): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| map.is_new(entry));
        for entry in new {
            map.put(entry);
        }
        Ok(known.into_iter().map(|entry| entry.name).collect())
    }

    async fn delete(&self, kind: RecordKind, which: Selection) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.held()?.delete(kind, &which).len()).unwrap_or(u64::MAX))
    }
}
