use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use paird_actors::domain::KeyringId;
use paird_actors::ports::{SealedKeys, StoreError, WriteKeys, Written};
use tokio::sync::{Mutex, Notify, RwLock, RwLockReadGuard};
use wacore::store::error::StoreError as LibraryError;

use super::key_file::KeyFile;
use super::mirror::Mirror;
use super::postgres::PostgresRecords;
use super::records::{Entry, Kind, Records, Selection};
use super::staged::StagedRecords;

/// What the protocol library's storage methods return.
pub(super) type Kept<T> = Result<T, LibraryError>;

/// The keys of one link, as the protocol library's `Backend`: see the module.
///
/// It belongs to one fence and one opening. Once it turns out that the account has another
/// owner, or that the keyring was opened again, or once nobody learnt whether a write was
/// done, everything fails, for ever: a new keyring must be opened, if at all.
pub struct Keyring {
    id: KeyringId,
    /// Held for reading through each operation, and for writing through
    /// [`Keyring::secure`]: no write can slip between the copy and the switch.
    place: RwLock<Place>,
    postgres: Arc<PostgresRecords>,
    durable: AtomicBool,
    /// Rung when there may be something to settle.
    changed: Arc<Notify>,
    /// Held through a merge, which reads, decides and writes. Others are kept out by fence
    /// and epoch, so what is left to exclude uses this object.
    pub(super) merging: Merging,
}

/// One lock for each kind that is merged.
#[derive(Default)]
pub(super) struct Merging {
    pub tc_tokens: Mutex<()>,
    pub message_secrets: Mutex<()>,
    pub device: Mutex<()>,
}

/// Where the records are.
enum Place {
    Staged(Staged),
    Mirrored(Mirror),
    Stored,
}

/// What is in memory of a keyring that is not durable yet.
struct Staged {
    records: StagedRecords,
    master_keys: Arc<KeyFile>,
}

impl Keyring {
    pub(super) fn staged(id: KeyringId, postgres: PostgresRecords, master_keys: Arc<KeyFile>) -> Self {
        let staged = Staged { records: StagedRecords::default(), master_keys };
        Self {
            id,
            place: RwLock::new(Place::Staged(staged)),
            postgres: Arc::new(postgres),
            durable: AtomicBool::new(false),
            changed: Arc::default(),
            merging: Merging::default(),
        }
    }

    pub(super) fn durable(id: KeyringId, postgres: PostgresRecords) -> Self {
        Self {
            id,
            place: RwLock::new(Place::Stored),
            postgres: Arc::new(postgres),
            durable: AtomicBool::new(true),
            changed: Arc::default(),
            merging: Merging::default(),
        }
    }

    pub fn id(&self) -> KeyringId {
        self.id
    }

    /// Whether its keys are in Postgres.
    pub fn is_durable(&self) -> bool {
        self.durable.load(Ordering::Acquire)
    }

    /// Waits until the keyring fails for good, and says why: the account belongs to
    /// another daemon, the keys were erased or opened again, or a write was never answered
    /// and may yet land. The session on it must end.
    pub async fn failed(&self) -> StoreError {
        self.postgres.failed().await
    }

    /// Makes the keyring durable: seals every staged record, and hands them to `write` with
    /// the keyring's own row. Writes that arrive meanwhile wait, and are settled later.
    ///
    /// # Errors
    /// Those of `write`: unless it says that it is done, the keyring is still staged.
    /// `Poisoned`: there are no keys, or they are durable already.
    pub async fn secure(&self, write: WriteKeys) -> Result<Written, StoreError> {
        let mut place = self.place.write().await;
        let Place::Staged(Staged { records, master_keys }) = &mut *place else {
            return Err(StoreError::Poisoned(format!("keyring {} is durable already", self.id)));
        };
        let entries = records.all();
        if !entries.iter().any(|entry| entry.kind == Kind::Device) {
            return Err(StoreError::Poisoned(format!("keyring {} has no device to secure", self.id)));
        }
        // Held until the row is written: no rotation ends in between.
        let held = master_keys.hold().await?;
        let master_key = held.keys.newest();
        let sealed = SealedKeys {
            keyring: self.id,
            wrapped_key: self.postgres.wrapped_by(master_key)?,
            master_key: master_key.id().to_owned(),
            records: self.postgres.seal(entries)?,
        };
        let written = write(sealed).await?;
        if let Written::NumberTaken { .. } = written {
            return Ok(written);
        }
        let map = std::mem::take(records).into_map();
        *place = Place::Mirrored(Mirror::of(map, Arc::clone(&self.postgres), Arc::clone(&self.changed)));
        self.durable.store(true, Ordering::Release);
        Ok(written)
    }

    /// Waits until nothing that WhatsApp may come to rely on is in memory alone. Before
    /// [`Self::secure`] there is nothing that it may rely on.
    ///
    /// # Errors
    /// It cannot be made durable, or not in time: nothing more may be sent.
    pub async fn sendable(&self) -> Result<(), StoreError> {
        match &*self.place.read().await {
            Place::Mirrored(mirror) => mirror.sendable().await,
            Place::Staged(_) | Place::Stored => Ok(()),
        }
    }

    /// Makes durable what was written since the link was made.
    ///
    /// # Errors
    /// It is not. `Unavailable`: trying again may do.
    pub async fn settle(&self) -> Result<(), StoreError> {
        match &*self.place.read().await {
            Place::Mirrored(mirror) => mirror.settle().await,
            Place::Staged(_) | Place::Stored => Ok(()),
        }
    }

    /// Waits until there is something to settle.
    pub async fn unsettled(&self) {
        // The place is not kept meanwhile: it must be free to become another.
        while self.is_settled().await {
            self.changed.notified().await;
        }
    }

    async fn is_settled(&self) -> bool {
        match &*self.place.read().await {
            Place::Mirrored(mirror) => mirror.is_settled(),
            Place::Staged(_) | Place::Stored => true,
        }
    }

    /// The records, wherever they are now. Take it once for an operation: a second
    /// one, while the first is held, waits for ever behind a `secure`.
    pub(super) async fn records(&self) -> HeldRecords<'_> {
        HeldRecords { place: self.place.read().await, postgres: &self.postgres }
    }

    pub(super) async fn get(&self, kind: Kind, name: &str) -> Kept<Option<Entry>> {
        self.records().await.get(kind, name).await.map_err(refused)
    }

    pub(super) async fn value(&self, kind: Kind, name: String) -> Kept<Option<Vec<u8>>> {
        Ok(self.get(kind, &name).await?.map(Entry::into_value))
    }

    pub(super) async fn put(&self, entry: Entry) -> Kept<()> {
        self.put_all(vec![entry]).await
    }

    pub(super) async fn put_all(&self, entries: Vec<Entry>) -> Kept<()> {
        if entries.is_empty() {
            return Ok(());
        }
        self.records().await.put(entries).await.map_err(refused)
    }

    pub(super) async fn remove(&self, kind: Kind, name: String) -> Kept<()> {
        self.delete(kind, Selection::Names(vec![name])).await?;
        Ok(())
    }

    /// How many went, as the library counts.
    pub(super) async fn delete(&self, kind: Kind, which: Selection) -> Kept<u32> {
        let gone = self.records().await.delete(kind, which).await.map_err(refused)?;
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

/// Keeps the records where they are for as long as it is held.
pub(super) struct HeldRecords<'a> {
    place: RwLockReadGuard<'a, Place>,
    postgres: &'a PostgresRecords,
}

impl std::ops::Deref for HeldRecords<'_> {
    type Target = dyn Records;

    fn deref(&self) -> &Self::Target {
        match &*self.place {
            Place::Staged(staged) => &staged.records,
            Place::Mirrored(mirror) => mirror,
            Place::Stored => self.postgres,
        }
    }
}

/// Our error in the library's: it hands on the text, and the source for who looks.
pub(super) fn refused(error: StoreError) -> LibraryError {
    LibraryError::Database(Box::new(error))
}
