//! Secrets of messages, by which later reactions, votes and edits of them are read.

use std::collections::HashMap;

use async_trait::async_trait;
use wacore::store::traits::{
    MessageSecret, MsgSecretEntry, MsgSecretStore, merge_msg_secret_expiry, merge_msg_secret_message_ts,
};

use super::{Kept, refused};
use crate::credentials::Keyring;
use crate::credentials::record_key;
use crate::credentials::records::{Entry, RecordKind, Selection};

const SECRET_BYTES: usize = size_of::<MessageSecret>();

/// The secret, when its message was sent, and until when it is kept (0: without limit).
/// The first two are the sealed value; the last is the stamp, for the sweep.
struct DatedSecret {
    secret: MessageSecret,
    message_ts: i64,
    expires_at: i64,
}

#[async_trait]
impl MsgSecretStore for Keyring {
    async fn put_msg_secret(&self, chat: &str, sender: &str, msg_id: &str, secret: &MessageSecret) -> Kept<()> {
        let entry = MsgSecretEntry {
            chat: chat.into(),
            sender: sender.into(),
            msg_id: msg_id.into(),
            secret: *secret,
            expires_at: 0,
            message_ts: 0,
        };
        self.put_msg_secrets(vec![entry]).await?;
        Ok(())
    }

    /// The newer secret counts; its times never go back. Most are new, and are added without a look.
    /// Meanwhile the library answers for them from its memory.
    async fn put_msg_secrets(&self, entries: Vec<MsgSecretEntry>) -> Kept<usize> {
        if entries.is_empty() {
            return Ok(0);
        }
        let stored = entries.len();
        let _merging = self.merging.message_secrets.lock().await;
        let records = self.records().await;
        let mut merged = HashMap::with_capacity(stored);
        for entry in entries {
            let new = DatedSecret { secret: entry.secret, message_ts: entry.message_ts, expires_at: entry.expires_at };
            merged
                .entry(name(&entry.chat, &entry.sender, &entry.msg_id))
                .and_modify(|old| *old = new.after(old))
                .or_insert(new);
        }
        let written = |(name, dated): (&String, &DatedSecret)| dated.write(name.clone());
        let known = records.add(merged.iter().map(written).collect()).await.map_err(refused)?;
        if known.is_empty() {
            return Ok(stored);
        }
        let former = records.get_many(RecordKind::MessageSecret, known).await.map_err(refused)?;
        let mut newer = Vec::with_capacity(former.len());
        for former in former {
            if let Some(new) = merged.get(&former.name) {
                newer.push(new.after(&DatedSecret::read(&former)?).write(former.name.clone()));
            }
        }
        records.put(newer).await.map_err(refused)?;
        Ok(stored)
    }

    async fn get_msg_secret(&self, chat: &str, sender: &str, msg_id: &str) -> Kept<Option<Vec<u8>>> {
        Ok(self.get_msg_secret_with_ts(chat, sender, msg_id).await?.map(|(secret, _)| secret))
    }

    async fn get_msg_secret_with_ts(&self, chat: &str, sender: &str, msg_id: &str) -> Kept<Option<(Vec<u8>, i64)>> {
        let Some(entry) = self.get(RecordKind::MessageSecret, &name(chat, sender, msg_id)).await? else {
            return Ok(None);
        };
        let dated = DatedSecret::read(&entry)?;
        Ok(Some((dated.secret.to_vec(), dated.message_ts)))
    }

    /// The cutoff itself has expired.
    async fn delete_expired_msg_secrets(&self, cutoff_timestamp: i64) -> Kept<u32> {
        let _merging = self.merging.message_secrets.lock().await;
        self.delete(RecordKind::MessageSecret, Selection::StampBelow(cutoff_timestamp.saturating_add(1))).await
    }
}

impl DatedSecret {
    fn after(&self, old: &Self) -> Self {
        Self {
            secret: self.secret,
            message_ts: merge_msg_secret_message_ts(old.message_ts, self.message_ts),
            expires_at: merge_msg_secret_expiry(old.expires_at, self.expires_at),
        }
    }

    fn read(entry: &Entry) -> Kept<Self> {
        let value: [u8; SECRET_BYTES + 8] = entry.array().map_err(refused)?;
        let mut secret = [0; SECRET_BYTES];
        let mut message_ts = [0; 8];
        secret.copy_from_slice(&value[..SECRET_BYTES]);
        message_ts.copy_from_slice(&value[SECRET_BYTES..]);
        Ok(Self { secret, message_ts: i64::from_be_bytes(message_ts), expires_at: entry.stamp })
    }

    fn write(&self, name: String) -> Entry {
        let mut value = self.secret.to_vec();
        value.extend_from_slice(&self.message_ts.to_be_bytes());
        Entry::new(RecordKind::MessageSecret, name, value).stamped(self.expires_at)
    }
}

fn name(chat: &str, sender: &str, msg_id: &str) -> String {
    record_key::join(&[chat, sender, msg_id])
}
