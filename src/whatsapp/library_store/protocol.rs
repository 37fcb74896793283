//! The client's knowledge of others: holders of our group keys, LIDs and their numbers, device
//! lists, groups, and messages that may have to be sent or read again.

use std::{collections::BTreeMap, sync::PoisonError, time::Duration};

use async_trait::async_trait;
use paird_actors::domain::StoreError;
use wacore::store::traits::{
    DeviceListRecord, LidPnMappingEntry, PendingInboundKey, PendingInboundRow, ProtocolStore, TcTokenEntry,
};
use wacore::time::now_secs;

use super::{Kept, refused};
use crate::credentials::Keyring;
use crate::credentials::lid_memory::Side;
use crate::credentials::record_key;
use crate::credentials::records::{ANY_STAMP, Durability, Entry, RecordKind, Selection, unreadable};

/// How long a message that was sent is kept, for devices that cannot read it and ask for it again.
/// The library drops the question, and the new keys that come with it, of one that it does not
/// have. It keeps them for two hours by default.
pub(in crate::whatsapp) const SENT_KEPT_FOR: Duration = Duration::from_hours(30 * 24);
/// Of so many messages that devices ask for again in one connection, it is known when they were sent.
const TAKEN_AGAIN_MAX: usize = 1_000;

/// At each start the library tests with such a message whether its storage returns what it
/// stored. The tests of this storage cover that; here it would cost three statements per login.
fn is_probe(chat: &str, id: &str) -> bool {
    chat == "0@s.whatsapp.net" && id.starts_with("__wa_durability_probe_")
}

#[async_trait]
impl ProtocolStore for Keyring {
    async fn get_sender_key_devices(&self, group_jid: &str) -> Kept<Vec<(String, bool)>> {
        let records = self.records().await;
        let entries = records
            .list(RecordKind::SenderKeyDevice, &record_key::under(group_jid), ANY_STAMP)
            .await
            .map_err(refused)?;
        entries.iter().map(sender_key_device).collect::<Result<_, _>>().map_err(refused)
    }

    async fn set_sender_key_status(&self, group_jid: &str, entries: &[(&str, bool)]) -> Kept<()> {
        let marked = entries.iter().filter(|(device, has_key)| !has_key || self.may_be_marked(group_jid, device));
        let entries = marked.map(|(device, has_key)| {
            let name = record_key::join(&[group_jid, device]);
            Entry::new(RecordKind::SenderKeyDevice, name, [u8::from(*has_key)])
        });
        self.put_all(entries.collect()).await
    }

    async fn clear_sender_key_devices(&self, group_jid: &str) -> Kept<()> {
        self.delete(RecordKind::SenderKeyDevice, Selection::Prefix(record_key::under(group_jid))).await?;
        Ok(())
    }

    async fn delete_sender_key_device_rows(&self, device_jids: &[&str]) -> Kept<()> {
        if device_jids.is_empty() {
            return Ok(());
        }
        let devices = device_jids.iter().map(|device| (*device).to_owned()).collect();
        self.delete(RecordKind::SenderKeyDevice, Selection::SecondPart(devices)).await?;
        Ok(())
    }

    async fn clear_all_sender_key_devices(&self) -> Kept<()> {
        self.delete(RecordKind::SenderKeyDevice, Selection::Prefix(String::new())).await?;
        Ok(())
    }

    async fn get_lid_mapping(&self, lid: &str) -> Kept<Option<LidPnMappingEntry>> {
        self.mapping(Side::Lid, lid).await
    }

    async fn get_pn_mapping(&self, phone: &str) -> Kept<Option<LidPnMappingEntry>> {
        self.mapping(Side::Phone, phone).await
    }

    async fn put_lid_mapping(&self, entry: &LidPnMappingEntry) -> Kept<()> {
        self.write_lid_mappings(std::slice::from_ref(entry)).await
    }

    async fn put_lid_mappings(&self, entries: &[LidPnMappingEntry]) -> Kept<()> {
        self.write_lid_mappings(entries).await
    }

    /// The library asks for this at its start alone, and for any other mapping when it needs it.
    async fn get_all_lid_mappings(&self) -> Kept<Vec<LidPnMappingEntry>> {
        self.newest_lid_mappings().await
    }

    async fn save_base_key(&self, address: &str, message_id: &str, base_key: &[u8]) -> Kept<()> {
        self.put(Entry::new(RecordKind::BaseKey, record_key::join(&[address, message_id]), base_key)).await
    }

    async fn has_same_base_key(&self, address: &str, message_id: &str, current_base_key: &[u8]) -> Kept<bool> {
        let saved = self.get(RecordKind::BaseKey, &record_key::join(&[address, message_id])).await?;
        Ok(saved.is_some_and(|saved| saved.value.as_slice() == current_base_key))
    }

    async fn delete_base_key(&self, address: &str, message_id: &str) -> Kept<()> {
        self.remove(RecordKind::BaseKey, record_key::join(&[address, message_id])).await
    }

    async fn update_device_list(&self, record: DeviceListRecord) -> Kept<()> {
        self.update_device_lists(vec![record]).await
    }

    async fn update_device_lists(&self, records: Vec<DeviceListRecord>) -> Kept<()> {
        let entries = records.iter().map(|record| {
            let entry = Entry::json(RecordKind::DeviceList, record_key::one(&record.user), record);
            // Fetched again if it is lost.
            entry.map(|entry| entry.durable(Durability::Later))
        });
        self.put_all(entries.collect::<Result<_, _>>().map_err(refused)?).await
    }

    async fn get_devices(&self, user: &str) -> Kept<Option<DeviceListRecord>> {
        let entry = self.get(RecordKind::DeviceList, &record_key::one(user)).await?;
        entry.map(|entry| entry.parse()).transpose().map_err(refused)
    }

    async fn delete_devices(&self, user: &str) -> Kept<()> {
        self.remove(RecordKind::DeviceList, record_key::one(user)).await
    }

    async fn get_group_metadata(&self, group_jid: &str) -> Kept<Option<Vec<u8>>> {
        self.value(RecordKind::GroupMetadata, record_key::one(group_jid)).await
    }

    async fn put_group_metadata(&self, group_jid: &str, blob: &[u8]) -> Kept<()> {
        self.put(Entry::new(RecordKind::GroupMetadata, record_key::one(group_jid), blob)).await
    }

    async fn delete_group_metadata(&self, group_jid: &str) -> Kept<()> {
        self.remove(RecordKind::GroupMetadata, record_key::one(group_jid)).await
    }

    async fn get_tc_token(&self, jid: &str) -> Kept<Option<TcTokenEntry>> {
        self.tc_token(jid).await.map_err(refused)
    }

    async fn put_tc_token(&self, jid: &str, entry: &TcTokenEntry) -> Kept<()> {
        self.replace_tc_token(jid, entry).await.map_err(refused)
    }

    async fn delete_tc_token(&self, jid: &str) -> Kept<()> {
        self.remove_tc_token(jid).await.map_err(refused)
    }

    async fn get_all_tc_token_jids(&self) -> Kept<Vec<String>> {
        let stored = self.records().await.names(RecordKind::TcToken).await.map_err(refused)?;
        let jids = stored.iter().map(|name| record_key::part(name, 0).ok_or_else(|| unreadable(RecordKind::TcToken)));
        jids.collect::<Result<_, _>>().map_err(refused)
    }

    async fn delete_expired_tc_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> Kept<u32> {
        let gone = self.sweep_tc_tokens(token_cutoff, sender_cutoff).await.map_err(refused)?;
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }

    async fn touch_tc_token_sender_timestamp(&self, jid: &str, sender_timestamp: i64) -> Kept<()> {
        self.advance_tc_sender(jid, sender_timestamp).await.map_err(refused)
    }

    async fn store_received_tc_token(&self, jid: &str, token: &[u8], token_timestamp: i64) -> Kept<()> {
        self.receive_tc_token(jid, token, token_timestamp).await.map_err(refused)
    }

    async fn store_sent_message(&self, chat_jid: &str, message_id: &str, payload: &[u8]) -> Kept<()> {
        let name = record_key::join(&[chat_jid, message_id]);
        let former = self.taken_again.lock().unwrap_or_else(PoisonError::into_inner).get(message_id).copied();
        let sent_at = former.unwrap_or_else(now_secs);
        self.put(Entry::new(RecordKind::SentMessage, name, payload).stamped(sent_at)).await?;
        self.write_soon();
        Ok(())
    }

    /// It stays until it expires, since more devices may ask for it, and the library, which stores
    /// it again, perhaps under another name of the chat, may be cut off before. The library deletes what
    /// has expired after some minutes of a connection. Without a copy it is made again from its row.
    async fn take_sent_message(&self, chat_jid: &str, message_id: &str) -> Kept<Option<Vec<u8>>> {
        let oldest = now_secs().saturating_sub_unsigned(SENT_KEPT_FOR.as_secs());
        let found = self.find_sent(chat_jid, message_id).await.map_err(refused)?;
        let Some((sent, sent_at)) = found.filter(|(_, sent_at)| *sent_at >= oldest) else { return Ok(None) };
        let mut taken_again = self.taken_again.lock().unwrap_or_else(PoisonError::into_inner);
        if taken_again.len() >= TAKEN_AGAIN_MAX && !taken_again.contains_key(message_id) {
            *taken_again = BTreeMap::new();
        }
        taken_again.insert(message_id.to_owned(), sent_at);
        Ok(Some(sent))
    }

    async fn delete_expired_sent_messages(&self, cutoff_timestamp: i64) -> Kept<u32> {
        self.delete(RecordKind::SentMessage, Selection::StampBelow(cutoff_timestamp)).await
    }

    async fn store_pending_inbound(&self, chat: &str, sender: &str, id: &str, message: &[u8]) -> Kept<()> {
        if is_probe(chat, id) {
            self.put_probe(Some(message.to_vec()));
            return Ok(());
        }
        self.store_pending_inbound_batch(&[PendingInboundRow { chat, sender, id, message }]).await
    }

    /// The library asks for this when a message arrives that was decrypted before, and without
    /// one acknowledges it. But the sessions may have been written without the message, so an
    /// unknown one is answered with an empty message: what writes the messages then knows
    /// whether it has this one. If none can be read, the library acknowledges nothing and goes on,
    /// but WhatsApp delivers the message again at the next login only: so the connection ends.
    async fn get_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Kept<Option<Vec<u8>>> {
        if is_probe(chat, id) {
            return Ok(self.put_probe(None));
        }
        let pending = self.value(RecordKind::PendingInbound, record_key::join(&[chat, sender, id])).await;
        let pending = pending.inspect_err(|_| self.unread())?;
        Ok(Some(pending.unwrap_or_default()))
    }

    async fn delete_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Kept<()> {
        if is_probe(chat, id) {
            return Ok(());
        }
        self.delete_pending_inbound_batch(&[PendingInboundKey { chat, sender, id }]).await
    }

    async fn delete_expired_pending_inbound(&self, cutoff_timestamp: i64) -> Kept<u32> {
        self.delete(RecordKind::PendingInbound, Selection::StampBelow(cutoff_timestamp)).await
    }

    /// The library has decrypted these messages, and may write the sessions that it used at any
    /// time, for example when a message of another chat arrives. They are written with those
    /// sessions, unless they have been deleted before: then they have rows of their own.
    async fn store_pending_inbound_batch(&self, rows: &[PendingInboundRow<'_>]) -> Kept<()> {
        let now = now_secs();
        let entries = rows.iter().map(|row| {
            let name = record_key::join(&[row.chat, row.sender, row.id]);
            Entry::new(RecordKind::PendingInbound, name, row.message).stamped(now)
        });
        self.put_all(entries.collect()).await
    }

    async fn delete_pending_inbound_batch(&self, keys: &[PendingInboundKey<'_>]) -> Kept<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let names = keys.iter().map(|key| record_key::join(&[key.chat, key.sender, key.id])).collect();
        self.delete(RecordKind::PendingInbound, Selection::Names(names)).await?;
        self.write_soon();
        Ok(())
    }
}

impl Keyring {
    /// A sent message and when it was, from its copy or from its row.
    async fn find_sent(&self, chat: &str, wa_id: &str) -> Result<Option<(Vec<u8>, i64)>, StoreError> {
        let name = record_key::join(&[chat, wa_id]);
        match self.records().await.get(RecordKind::SentMessage, &name).await? {
            Some(copy) => {
                let sent_at = copy.stamp;
                Ok(Some((copy.into_value(), sent_at)))
            }
            None => self.made_from_its_row(chat, wa_id).await,
        }
    }
}

fn sender_key_device(entry: &Entry) -> Result<(String, bool), StoreError> {
    let device = record_key::part(&entry.name, 1).ok_or_else(|| unreadable(entry.kind))?;
    match entry.array()? {
        [0u8] => Ok((device, false)),
        [1] => Ok((device, true)),
        [_] => Err(unreadable(entry.kind)),
    }
}
