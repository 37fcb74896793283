//! Records in memory, of a link that is not one yet. Gone with the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use paird_actors::ports::StoreError;

use super::names;
use super::records::{Entry, Kind, Records, Selection};

type Map = BTreeMap<(Kind, String), Entry>;

#[derive(Default)]
pub(super) struct StagedRecords(Mutex<Map>);

impl StagedRecords {
    /// A copy of every record.
    pub fn all(&self) -> Vec<Entry> {
        self.lock().values().cloned().collect()
    }

    /// Whether these are there already, each as it is.
    pub fn hold(&self, entries: &[Entry]) -> bool {
        let map = self.lock();
        entries.iter().all(|entry| {
            let held = map.get(&(entry.kind, entry.name.clone()));
            held.is_some_and(|held| held.value == entry.value && held.stamp == entry.stamp)
        })
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Every method's change to the map is one call that cannot panic half-way, so
    /// a lock that a panic left behind still guards a whole map.
    fn lock(&self) -> MutexGuard<'_, Map> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Records for StagedRecords {
    async fn get(&self, kind: Kind, name: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.lock().get(&(kind, name.to_owned())).cloned())
    }

    async fn get_many(&self, kind: Kind, names: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        let map = self.lock();
        let mut found = BTreeMap::new();
        for name in names {
            let key = (kind, name);
            if let Some(entry) = map.get(&key) {
                found.insert(key, entry.clone());
            }
        }
        Ok(found.into_values().collect())
    }

    async fn list(&self, kind: Kind, prefix: &str, stamp_below: i64) -> Result<Vec<Entry>, StoreError> {
        let map = self.lock();
        let listed = map.values().filter(|e| e.kind == kind && e.name.starts_with(prefix) && e.stamp < stamp_below);
        Ok(listed.cloned().collect())
    }

    async fn names(&self, kind: Kind) -> Result<Vec<String>, StoreError> {
        Ok(self.lock().keys().filter(|(of, _)| *of == kind).map(|(_, name)| name.clone()).collect())
    }

    async fn last_name(&self, kind: Kind) -> Result<Option<String>, StoreError> {
        Ok(self.lock().keys().rfind(|(of, _)| *of == kind).map(|(_, name)| name.clone()))
    }

    async fn has_prefix(&self, kinds: &[Kind], prefixes: Vec<String>) -> Result<bool, StoreError> {
        let map = self.lock();
        Ok(map.keys().any(|(kind, name)| kinds.contains(kind) && prefixes.iter().any(|p| name.starts_with(p.as_str()))))
    }

    async fn put(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        self.lock().extend(entries.into_iter().map(|entry| ((entry.kind, entry.name.clone()), entry)));
        Ok(())
    }

    async fn stamp(&self, kind: Kind, names: Vec<String>, stamp: i64) -> Result<(), StoreError> {
        let mut map = self.lock();
        for name in names {
            if let Some(entry) = map.get_mut(&(kind, name)) {
                entry.stamp = stamp;
            }
        }
        Ok(())
    }

    async fn take(&self, kind: Kind, name: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.lock().remove(&(kind, name.to_owned())))
    }

    async fn delete(&self, kind: Kind, which: Selection) -> Result<u64, StoreError> {
        let mut map = self.lock();
        let before = map.len();
        map.retain(|_, entry| entry.kind != kind || !selects(&which, entry));
        Ok(u64::try_from(before - map.len()).unwrap_or(u64::MAX))
    }
}

fn selects(which: &Selection, entry: &Entry) -> bool {
    match which {
        Selection::Names(names) => names.contains(&entry.name),
        Selection::Prefix(prefix) => entry.name.starts_with(prefix.as_str()),
        Selection::SecondPart(parts) => names::part(&entry.name, 1).is_some_and(|part| parts.contains(&part)),
        Selection::StampBelow(bound) => entry.stamp != 0 && entry.stamp < *bound,
    }
}
