//! Identities, sessions, prekeys and sender keys, for the encryption of messages.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use paird_actors::domain::StoreError;
use wacore::store::traits::SignalStore;

use super::{Kept, refused};
use crate::credentials::Keyring;
use crate::credentials::record_key;
use crate::credentials::records::{ANY_STAMP, Entry, RecordKind, unreadable};

impl Keyring {
    async fn put_by_address(&self, kind: RecordKind, records: &[(Arc<str>, Bytes)]) -> Kept<()> {
        let entries = records.iter().map(|(address, value)| Entry::new(kind, record_key::one(address), value.as_ref()));
        self.put_all(entries.collect()).await
    }
}

#[async_trait]
impl SignalStore for Keyring {
    async fn put_identity(&self, address: &str, key: [u8; 32]) -> Kept<()> {
        self.put(Entry::new(RecordKind::Identity, record_key::one(address), key)).await
    }

    async fn put_identities_batch(&self, identities: &[(Arc<str>, [u8; 32])]) -> Kept<()> {
        let entries =
            identities.iter().map(|(address, key)| Entry::new(RecordKind::Identity, record_key::one(address), *key));
        self.put_all(entries.collect()).await
    }

    async fn load_identity(&self, address: &str) -> Kept<Option<[u8; 32]>> {
        let entry = self.get(RecordKind::Identity, &record_key::one(address)).await?;
        entry.map(|entry| entry.array()).transpose().map_err(refused)
    }

    async fn delete_identity(&self, address: &str) -> Kept<()> {
        self.remove(RecordKind::Identity, record_key::one(address)).await
    }

    async fn get_session(&self, address: &str) -> Kept<Option<Bytes>> {
        Ok(self.value(RecordKind::Session, record_key::one(address)).await?.map(Bytes::from))
    }

    async fn put_session(&self, address: &str, session: &[u8]) -> Kept<()> {
        self.put(Entry::new(RecordKind::Session, record_key::one(address), session)).await
    }

    async fn put_sessions_batch(&self, sessions: &[(Arc<str>, Bytes)]) -> Kept<()> {
        self.put_by_address(RecordKind::Session, sessions).await
    }

    async fn delete_session(&self, address: &str) -> Kept<()> {
        self.remove(RecordKind::Session, record_key::one(address)).await
    }

    async fn has_session(&self, address: &str) -> Kept<bool> {
        Ok(self.get(RecordKind::Session, &record_key::one(address)).await?.is_some())
    }

    /// Addresses are `user@server` for the phone itself and `user:device@server`.
    async fn has_signal_state_for_user(&self, user: &str) -> Kept<bool> {
        let user = record_key::one(user);
        let prefixes = vec![format!("{user}@"), format!("{user}:")];
        let records = self.records().await;
        records.has_prefix(&[RecordKind::Session, RecordKind::Identity], prefixes).await.map_err(refused)
    }

    async fn store_prekey(&self, id: u32, record: &[u8], _uploaded: bool) -> Kept<()> {
        self.put(prekey(id, record)).await
    }

    async fn store_prekeys_batch(&self, keys: &[(u32, Bytes)], _uploaded: bool) -> Kept<()> {
        self.put_all(keys.iter().map(|(id, record)| prekey(*id, record)).collect()).await
    }

    async fn load_prekey(&self, id: u32) -> Kept<Option<Bytes>> {
        Ok(self.value(RecordKind::Prekey, record_key::number(id)).await?.map(Bytes::from))
    }

    async fn load_prekeys_batch(&self, ids: &[u32]) -> Kept<Vec<(u32, Bytes)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let names = ids.iter().map(|id| record_key::number(*id)).collect();
        let entries = self.records().await.get_many(RecordKind::Prekey, names).await.map_err(refused)?;
        entries.into_iter().map(|entry| Ok((id_of(&entry)?, Bytes::from(entry.into_value())))).collect()
    }

    /// Nothing asks for the mark: the device's watermarks say what was uploaded.
    async fn mark_prekeys_uploaded(&self, _: &[u32]) -> Kept<()> {
        Ok(())
    }

    async fn remove_prekey(&self, id: u32) -> Kept<()> {
        self.remove(RecordKind::Prekey, record_key::number(id)).await
    }

    async fn get_max_prekey_id(&self) -> Kept<u32> {
        let name = self.records().await.last_name(RecordKind::Prekey).await.map_err(refused)?;
        name.map_or(Ok(0), |name| parse_id(RecordKind::Prekey, &name))
    }

    async fn store_signed_prekey(&self, id: u32, record: &[u8]) -> Kept<()> {
        self.put(Entry::new(RecordKind::SignedPrekey, record_key::number(id), record)).await
    }

    async fn load_signed_prekey(&self, id: u32) -> Kept<Option<Vec<u8>>> {
        self.value(RecordKind::SignedPrekey, record_key::number(id)).await
    }

    async fn load_all_signed_prekeys(&self) -> Kept<Vec<(u32, Vec<u8>)>> {
        let entries = self.records().await.list(RecordKind::SignedPrekey, "", ANY_STAMP).await.map_err(refused)?;
        entries.into_iter().map(|entry| Ok((id_of(&entry)?, entry.into_value()))).collect()
    }

    async fn remove_signed_prekey(&self, id: u32) -> Kept<()> {
        self.remove(RecordKind::SignedPrekey, record_key::number(id)).await
    }

    async fn put_sender_key(&self, address: &str, record: &[u8]) -> Kept<()> {
        self.put(Entry::new(RecordKind::SenderKey, record_key::one(address), record)).await
    }

    async fn put_sender_keys_batch(&self, sender_keys: &[(Arc<str>, Bytes)]) -> Kept<()> {
        self.put_by_address(RecordKind::SenderKey, sender_keys).await
    }

    async fn get_sender_key(&self, address: &str) -> Kept<Option<Vec<u8>>> {
        self.value(RecordKind::SenderKey, record_key::one(address)).await
    }

    async fn delete_sender_key(&self, address: &str) -> Kept<()> {
        self.remove(RecordKind::SenderKey, record_key::one(address)).await
    }
}

fn prekey(id: u32, record: &[u8]) -> Entry {
    Entry::new(RecordKind::Prekey, record_key::number(id), record)
}

fn id_of(entry: &Entry) -> Kept<u32> {
    parse_id(entry.kind, &entry.name)
}

fn parse_id(kind: RecordKind, name: &str) -> Kept<u32> {
    let id: Result<u32, StoreError> = record_key::parse_number(name).ok_or_else(|| unreadable(kind));
    id.map_err(refused)
}
