//! Records in memory, of a link that is not one yet. Gone with the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use paird_actors::ports::StoreError;

use super::map::RecordMap;
use super::records::{Entry, Kind, Records, Selection};

#[derive(Default)]
pub(super) struct StagedRecords(Mutex<RecordMap>);

impl StagedRecords {
    /// A copy of every record.
    pub fn all(&self) -> Vec<Entry> {
        self.lock().all().cloned().collect()
    }

    pub fn into_map(self) -> RecordMap {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every method's change to the map is one call that cannot panic half-way, so
    /// a lock that a panic left behind still guards a whole map.
    fn lock(&self) -> MutexGuard<'_, RecordMap> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Records for StagedRecords {
    async fn get(&self, kind: Kind, name: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.lock().get(kind, name).cloned())
    }

    async fn get_many(&self, kind: Kind, names: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        Ok(self.lock().get_many(kind, &names))
    }

    async fn list(&self, kind: Kind, prefix: &str, stamp_below: i64) -> Result<Vec<Entry>, StoreError> {
        Ok(self.lock().list(kind, prefix, stamp_below))
    }

    async fn names(&self, kind: Kind) -> Result<Vec<String>, StoreError> {
        Ok(self.lock().names(kind))
    }

    async fn last_name(&self, kind: Kind) -> Result<Option<String>, StoreError> {
        Ok(self.lock().last_name(kind))
    }

    async fn has_prefix(&self, kinds: &[Kind], prefixes: Vec<String>) -> Result<bool, StoreError> {
        Ok(self.lock().has_prefix(kinds, &prefixes))
    }

    async fn put(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut map = self.lock();
        for entry in entries {
            map.put(entry);
        }
        Ok(())
    }

    async fn take(&self, kind: Kind, name: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.lock().take(kind, name))
    }

    async fn delete(&self, kind: Kind, which: Selection) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.lock().delete(kind, &which).len()).unwrap_or(u64::MAX))
    }
}
