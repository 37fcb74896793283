use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use paird_actors::domain::{KeyringId, SealedKeys, StoreError, Written};
use paird_actors::ports::WriteKeys;
use tokio::sync::{Mutex, Notify, RwLock, RwLockReadGuard};
use zeroize::Zeroizing;

use super::lid_memory::LidMemory;
use super::memory::StagedRecords;
use super::records::{RecordKind, Records, Selection};
use super::rows::Rows;
use super::seal::{CurrentKeys, Plain};
use super::token_memory::TokenMemory;
use super::write_behind::WriteBehind;

/// The kind, under which no record is sealed, of what is kept with a message.
const MEDIA: &str = "media";
/// What secrets of messages are derived for.
const MESSAGE_SECRET: &str = "message secret";

/// Says of a device whether it was given a group's key.
pub type KeyedDevices = Box<dyn Fn(&str) -> bool + Send>;

/// Where a message can be made again that was sent, should its copy be lost.
#[async_trait]
pub trait SentMessages: Send + Sync {
    /// The encoded message with this id of the chat that is named so, and when it was sent (seconds since
    /// 1970); `None` if it cannot be made.
    ///
    /// # Errors
    /// It is not known whether there is one.
    async fn sent(&self, chat: &str, wa_id: &str) -> Result<Option<(Vec<u8>, i64)>, StoreError>;
}

/// The keys of one link: see the module.
///
/// It is bound to one fence and one opening. Once the account has another owner, the keyring
/// was opened again, or the outcome of a write stayed unknown, every call fails, and the
/// account's owner must open the keyring again.
pub struct Keyring {
    id: KeyringId,
    /// Held for reading through each operation, and for writing through
    /// [`Keyring::secure`]: no write can slip between the copy and the switch.
    backing: RwLock<Backing>,
    rows: Arc<Rows>,
    durable: AtomicBool,
    /// Notified when there may be something to flush.
    changed: Arc<Notify>,
    /// Held through a merge, which reads, decides and writes. Fence and epoch exclude every
    /// other object, so only the users of this one have to be excluded from each other.
    pub(crate) merging: Merging,
    /// The name of the account's owner in the stored device, if it has one.
    pub(crate) push_name: std::sync::Mutex<String>,
    /// The histories that the phone has announced and nobody has read, by the ids of the messages
    /// that announced them. Stored in the device's record.
    histories: std::sync::Mutex<BTreeMap<String, Vec<u8>>>,
    /// Where messages are that have no copy here.
    sent_messages: std::sync::Mutex<Option<Weak<dyn SentMessages>>>,
    /// When messages were sent that devices asked for again, by their ids: the library stores them again,
    /// and they are not kept for longer by that.
    pub(crate) taken_again: std::sync::Mutex<BTreeMap<String, i64>>,
    /// Which LID has which number, of those asked for lately.
    pub(crate) lids: std::sync::Mutex<LidMemory>,
    /// The tokens that messages have asked for lately.
    tokens: std::sync::Mutex<TokenMemory>,
    /// The message with which the library tests its storage.
    probe: std::sync::Mutex<Option<Vec<u8>>>,
    /// By the group that a message is under way to.
    group_marks: std::sync::Mutex<BTreeMap<String, (String, KeyedDevices)>>,
}

/// One lock for each kind that is merged.
#[derive(Default)]
pub(crate) struct Merging {
    pub tc_tokens: Mutex<()>,
    pub message_secrets: Mutex<()>,
    pub device: Mutex<()>,
}

/// The place of the records.
enum Backing {
    Staged(Staged),
    WrittenBehind(WriteBehind),
    Stored,
}

/// A keyring that is not durable yet.
struct Staged {
    records: StagedRecords,
    master_keys: Arc<CurrentKeys>,
}

impl Keyring {
    pub(super) fn staged(id: KeyringId, rows: Rows, master_keys: Arc<CurrentKeys>) -> Self {
        let rows = Arc::new(rows);
        let records = StagedRecords::new(Arc::clone(&rows));
        Self::with_backing(id, Backing::Staged(Staged { records, master_keys }), rows)
    }

    pub(super) fn durable(id: KeyringId, rows: Rows) -> Self {
        Self::with_backing(id, Backing::Stored, Arc::new(rows))
    }

    fn with_backing(id: KeyringId, backing: Backing, rows: Arc<Rows>) -> Self {
        Self {
            id,
            durable: AtomicBool::new(matches!(backing, Backing::Stored)),
            backing: RwLock::new(backing),
            rows,
            changed: Arc::default(),
            merging: Merging::default(),
            push_name: std::sync::Mutex::default(),
            histories: std::sync::Mutex::default(),
            sent_messages: std::sync::Mutex::default(),
            taken_again: std::sync::Mutex::default(),
            lids: std::sync::Mutex::default(),
            tokens: std::sync::Mutex::default(),
            probe: std::sync::Mutex::default(),
            group_marks: std::sync::Mutex::default(),
        }
    }

    pub fn id(&self) -> KeyringId {
        self.id
    }

    /// Which opening of the keyring this is: `keyrings.epoch`, unless it was opened again.
    pub fn epoch(&self) -> i64 {
        self.rows.epoch()
    }

    /// Whether its keys are in Postgres.
    pub fn is_durable(&self) -> bool {
        self.durable.load(Ordering::Acquire)
    }

    /// Waits until the keyring fails for good, and says why: the account belongs to
    /// another daemon, the keys were erased or opened again, or a write was never answered
    /// and may yet land. The session on it must end.
    pub async fn failed(&self) -> StoreError {
        self.rows.failed().await
    }

    /// Why every call fails from now on, if it does.
    pub(crate) fn failure(&self) -> Option<StoreError> {
        self.rows.failure()
    }

    /// Makes the keyring durable: seals every staged record, and hands them to `write` with
    /// the keyring's own row. Writes that arrive meanwhile wait, and are flushed later.
    ///
    /// # Errors
    /// Those of `write`: unless it reports success, the keyring is still staged.
    /// `Poisoned`: there are no keys, or they are durable already.
    pub async fn secure(&self, write: WriteKeys) -> Result<Written, StoreError> {
        let mut backing = self.backing.write().await;
        let Backing::Staged(Staged { records, master_keys }) = &mut *backing else {
            return Err(StoreError::Poisoned(format!("keyring {} is durable already", self.id)));
        };
        let entries = records.all();
        if !entries.iter().any(|entry| entry.kind == RecordKind::Device) {
            return Err(StoreError::Poisoned(format!("keyring {} has no device to secure", self.id)));
        }
        // Held until the row is written: no rotation ends in between.
        let held = master_keys.hold().await?;
        let master_key = held.keys.newest();
        let sealed = SealedKeys {
            keyring: self.id,
            wrapped_key: self.rows.wrapped_by(master_key)?,
            master_key: master_key.id().to_owned(),
            records: self.rows.seal(entries)?,
        };
        let written = write(sealed).await?;
        if let Written::NumberTaken { .. } = written {
            return Ok(written);
        }
        let map = records.take_map();
        *backing = Backing::WrittenBehind(WriteBehind::of(map, Arc::clone(&self.rows), Arc::clone(&self.changed)));
        self.durable.store(true, Ordering::Release);
        Ok(written)
    }

    /// Waits until nothing that WhatsApp may come to rely on is only in memory. Before
    /// [`Self::secure`] there is nothing that it may rely on.
    ///
    /// # Errors
    /// It cannot be made durable, or not in time: nothing more may be sent.
    pub async fn flush_before_send(&self) -> Result<(), StoreError> {
        match &*self.backing.read().await {
            Backing::WrittenBehind(cache) => cache.flush_before_send().await,
            Backing::Staged(_) | Backing::Stored => Ok(()),
        }
    }

    /// Makes durable what was written since the link was made, but for copies of messages that were
    /// read: their keys are not written without them.
    ///
    /// # Errors
    /// It is not. `Unavailable`: trying again may do.
    pub async fn flush(&self) -> Result<(), StoreError> {
        if let Backing::WrittenBehind(cache) = &*self.backing.read().await {
            cache.flush().await?;
        }
        self.rows.write_sent().await
    }

    /// Asks whether the keys are this daemon's still. Keys that are not durable yet are.
    ///
    /// # Errors
    /// They are not, or the database did not answer.
    pub async fn check_ownership(&self) -> Result<(), StoreError> {
        if self.is_durable() { self.rows.check_ownership().await } else { Ok(()) }
    }

    /// Seals what is needed to fetch the media of a message. It opens for this message's id alone.
    ///
    /// # Errors
    /// `Poisoned`: it is too large, which no message is.
    pub fn seal_media(&self, wa_id: &str, keys: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.rows.seal_beside(MEDIA, wa_id, keys)
    }

    /// Opens what [`Self::seal_media`] has sealed.
    ///
    /// # Errors
    /// `Poisoned`: it was sealed for another message or another link, or was changed.
    pub fn open_media(&self, wa_id: &str, sealed: &[u8]) -> Result<Plain, StoreError> {
        self.rows.open_beside(MEDIA, wa_id, sealed)
    }

    /// The secret of the message that this account sends under this id. It follows from the key of
    /// the keyring, so it is the same in every try, and durable before the first one.
    pub fn message_secret(&self, wa_id: &str) -> Zeroizing<[u8; 32]> {
        self.rows.derive(MESSAGE_SECRET, wa_id)
    }

    /// While this message is under way to this group, only the devices that `to` names are recorded
    /// as having its key; with none, which ends that, all that the library says. It counts those,
    /// too, for which it could encrypt nothing.
    pub fn limit_group_marks(&self, group: &str, wa_id: &str, to: Option<KeyedDevices>) {
        let mut marks = self.group_marks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(to) = to {
            marks.insert(group.to_owned(), (wa_id.to_owned(), to));
        } else if marks.get(group).is_some_and(|(of, _)| of == wa_id) {
            marks.remove(group);
        }
    }

    /// Whether a device of a group may be recorded as having its key.
    pub(crate) fn may_be_marked(&self, group: &str, device: &str) -> bool {
        let marks = self.group_marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.get(group).is_none_or(|(_, is_keyed)| is_keyed(device))
    }

    /// From now on messages that have no copy here are asked for there.
    pub fn ask_for_lost_copies(&self, messages: Weak<dyn SentMessages>) {
        *self.sent_messages.lock().unwrap_or_else(PoisonError::into_inner) = Some(messages);
    }

    /// See [`SentMessages::sent`].
    pub(crate) async fn made_from_its_row(
        &self,
        chat: &str,
        wa_id: &str,
    ) -> Result<Option<(Vec<u8>, i64)>, StoreError> {
        let messages = self.sent_messages.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(messages) = messages else { return Ok(None) };
        match messages.upgrade() {
            Some(messages) => messages.sent(chat, wa_id).await,
            None => Err(StoreError::Unavailable("the connection is over".to_owned())),
        }
    }

    /// Deletes the copies of messages that were made before `secs` (since 1970).
    ///
    /// # Errors
    /// They may still be there.
    pub async fn delete_copies_before(&self, secs: i64) -> Result<(), StoreError> {
        self.records().await.delete(RecordKind::PendingInbound, Selection::StampBelow(secs)).await?;
        Ok(())
    }

    /// Waits until there is something to flush.
    pub async fn until_pending(&self) {
        // The lock is not held meanwhile: `secure` must be able to switch the backing.
        while !self.has_pending().await {
            self.changed.notified().await;
        }
    }

    async fn has_pending(&self) -> bool {
        match &*self.backing.read().await {
            Backing::WrittenBehind(cache) => cache.has_pending(),
            Backing::Staged(_) | Backing::Stored => false,
        }
    }

    /// To be called after copies of messages were deleted, or messages to be sent were stored: the rows
    /// follow with the next write, and at the latest a moment from now.
    pub(crate) fn write_soon(&self) {
        if self.rows.leaves_something_to_write() {
            tokio::spawn(Rows::write_late(Arc::downgrade(&self.rows)));
        }
    }

    /// See the field.
    pub(crate) fn unread_histories(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See the field.
    pub(crate) fn tokens(&self) -> MutexGuard<'_, TokenMemory> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record could not be read by somebody who will go on as if there were none: every later
    /// call fails.
    pub(crate) fn unread(&self) {
        self.rows.unread();
    }

    /// A message that was read with these keys could not be written: every later call fails, so
    /// that the next opening reads it with the same keys.
    pub fn message_unwritten(&self) {
        self.rows.message_unwritten();
    }

    /// Keeps the library's test of its storage in memory, and returns the previous one.
    pub(crate) fn put_probe(&self, probe: Option<Vec<u8>>) -> Option<Vec<u8>> {
        std::mem::replace(&mut *self.probe.lock().unwrap_or_else(PoisonError::into_inner), probe)
    }

    /// The records, from their current place. Take it once per operation: a second one, while
    /// the first is held, deadlocks with a waiting `secure`.
    pub(crate) async fn records(&self) -> HeldRecords<'_> {
        HeldRecords { backing: self.backing.read().await, rows: &self.rows }
    }
}

#[cfg(all(test, feature = "sandbox"))]
impl Keyring {
    /// In memory alone: it is never secured.
    pub(crate) fn in_memory(id: KeyringId) -> Self {
        let master_keys = CurrentKeys::new(std::path::PathBuf::new(), super::seal::MasterKeys::generate());
        Self::staged(id, Rows::of_no_database(id), Arc::new(master_keys))
    }

    /// The next opening, with the records that this one has now.
    pub(crate) async fn opened_again(&self) -> Result<Self, StoreError> {
        let again = Self::in_memory(self.id);
        let backing = self.backing.read().await;
        let Backing::Staged(Staged { records, .. }) = &*backing else { panic!("it was secured") };
        again.records().await.put(records.all()).await?;
        Ok(again)
    }
}

/// Keeps the records where they are for as long as it is held.
pub(crate) struct HeldRecords<'a> {
    backing: RwLockReadGuard<'a, Backing>,
    rows: &'a Rows,
}

impl std::ops::Deref for HeldRecords<'_> {
    type Target = dyn Records;

    fn deref(&self) -> &Self::Target {
        match &*self.backing {
            Backing::Staged(staged) => &staged.records,
            Backing::WrittenBehind(cache) => cache,
            Backing::Stored => self.rows,
        }
    }
}
