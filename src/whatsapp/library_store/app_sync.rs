//! Keys, versions and MACs of app state: settings that the account's devices share.

use std::collections::HashMap;

use async_trait::async_trait;
use wacore::appstate::hash::HashState;
use wacore::appstate::processor::AppStateMutationMAC;
use wacore::store::traits::{AppStateSyncKey, AppSyncStore};

use super::{Kept, refused};
use crate::credentials::Keyring;
use crate::credentials::record_key;
use crate::credentials::records::{Durability, Entry, RecordKind, Selection};

#[async_trait]
impl AppSyncStore for Keyring {
    async fn get_sync_key(&self, key_id: &[u8]) -> Kept<Option<AppStateSyncKey>> {
        let entry = self.get(RecordKind::SyncKey, &record_key::hex(key_id)).await?;
        entry.map(|entry| entry.parse()).transpose().map_err(refused)
    }

    async fn set_sync_key(&self, key_id: &[u8], key: AppStateSyncKey) -> Kept<()> {
        let key = Entry::json(RecordKind::SyncKey, record_key::hex(key_id), &key).map_err(refused)?;
        let latest = Entry::new(RecordKind::LatestSyncKey, String::new(), key_id);
        self.put_all(vec![key, latest]).await
    }

    /// A collection that was never synced is at version 0.
    async fn get_version(&self, name: &str) -> Kept<HashState> {
        let entry = self.get(RecordKind::AppVersion, &record_key::one(name)).await?;
        entry.map_or_else(|| Ok(HashState::default()), |entry| entry.parse().map_err(refused))
    }

    async fn set_version(&self, name: &str, state: HashState) -> Kept<()> {
        let entry = Entry::json(RecordKind::AppVersion, record_key::one(name), &state).map_err(refused)?;
        // Synced again from the older version if it is lost.
        self.put(entry.durable(Durability::Later)).await
    }

    async fn put_mutation_macs(&self, name: &str, version: u64, mutations: &[AppStateMutationMAC]) -> Kept<()> {
        let stamp = i64::try_from(version).unwrap_or(i64::MAX);
        let entries = mutations.iter().map(|mutation| {
            let name = mac_name(name, &mutation.index_mac);
            Entry::new(RecordKind::MutationMac, name, mutation.value_mac.as_slice()).stamped(stamp)
        });
        self.put_all(entries.collect()).await
    }

    async fn get_mutation_mac(&self, name: &str, index_mac: &[u8]) -> Kept<Option<Vec<u8>>> {
        self.value(RecordKind::MutationMac, mac_name(name, index_mac)).await
    }

    async fn get_mutation_macs(&self, name: &str, index_macs: &[[u8; 32]]) -> Kept<HashMap<[u8; 32], Vec<u8>>> {
        if index_macs.is_empty() {
            return Ok(HashMap::new());
        }
        let asked: HashMap<String, [u8; 32]> = index_macs.iter().map(|mac| (mac_name(name, mac), *mac)).collect();
        let names = asked.keys().cloned().collect();
        let entries = self.records().await.get_many(RecordKind::MutationMac, names).await.map_err(refused)?;
        Ok(entries.into_iter().filter_map(|entry| Some((*asked.get(&entry.name)?, entry.into_value()))).collect())
    }

    async fn delete_mutation_macs(&self, name: &str, index_macs: &[Vec<u8>]) -> Kept<()> {
        if index_macs.is_empty() {
            return Ok(());
        }
        let names = index_macs.iter().map(|mac| mac_name(name, mac)).collect();
        self.delete(RecordKind::MutationMac, Selection::Names(names)).await?;
        Ok(())
    }

    async fn clear_mutation_macs(&self, name: &str) -> Kept<()> {
        self.delete(RecordKind::MutationMac, Selection::Prefix(record_key::under(name))).await?;
        Ok(())
    }

    async fn get_latest_sync_key_id(&self) -> Kept<Option<Vec<u8>>> {
        self.value(RecordKind::LatestSyncKey, String::new()).await
    }
}

fn mac_name(collection: &str, index_mac: &[u8]) -> String {
    record_key::join(&[collection, &record_key::hex(index_mac)])
}
