use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use paird_actors::domain::StoreError;
use tokio::time::Instant;

use super::cipher::{KeyBytes, random_key};
use super::key_file;
use super::{KeyFileError, MasterKey};

/// How long a rotation may take for its last step. One that was stopped in the middle of
/// it must not make a link wait until WhatsApp gives it up.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// The keys of a master key file, newest first: one, or two while a rotation is
/// under way. New data is sealed with the newest.
#[derive(Debug)]
pub struct MasterKeys(Vec<MasterKey>);

/// While it lives, what it locks out waits: see [`key_file`].
#[derive(Debug)]
pub struct KeyFileLock(#[expect(dead_code, reason = "held, not read")] File);

impl MasterKeys {
    /// The keys in the file; `None` if the file does not exist.
    ///
    /// # Errors
    /// The file cannot be read, others can read it, or it holds no key.
    pub fn read(path: &Path) -> Result<Option<Self>, KeyFileError> {
        Ok(key_file::read(path)?.map(Self::from_bytes))
    }

    /// Reads the keys under a lock: while that lives no rotation takes one of them out.
    ///
    /// # Errors
    /// As [`Self::read`]. `Locked`: a rotation did not end its last step within 5 s.
    pub async fn read_locked(path: &Path) -> Result<(Option<Self>, KeyFileLock), KeyFileError> {
        let deadline = Instant::now() + LOCK_TIMEOUT;
        loop {
            let file = path.to_owned();
            let tried = tokio::task::spawn_blocking(move || match key_file::try_lock_shared(&file)? {
                Some(lock) => Ok(Some((Self::read(&file)?, KeyFileLock(lock)))),
                None => Ok(None),
            });
            let failed =
                |failed| KeyFileError::Io { path: path.to_owned(), done: "read", source: io::Error::other(failed) };
            match tried.await.map_err(failed)?? {
                Some(read) => return Ok(read),
                None if Instant::now() >= deadline => return Err(KeyFileError::Locked(path.to_owned())),
                None => tokio::time::sleep(LOCK_RETRY).await,
            }
        }
    }

    /// Makes a file with a fresh key, mode 0600, durable before this returns. Of
    /// several daemons that do so at once one wins, and all get the winner's key.
    ///
    /// # Errors
    /// The file cannot be made, or the winner's cannot be read.
    pub fn create(path: &Path) -> Result<Self, KeyFileError> {
        key_file::create(path, &random_key())?;
        Self::read_existing(path)
    }

    /// Puts a fresh key in front of those in the file. Durable before this returns.
    ///
    /// # Errors
    /// The file is as it was.
    pub fn add(path: &Path) -> Result<Self, KeyFileError> {
        let former = Self::read_existing(path)?;
        let keys: Vec<KeyBytes> =
            std::iter::once(random_key()).chain(former.0.iter().map(|key| key.bytes().clone())).collect();
        key_file::replace(path, &keys)?;
        Ok(Self::from_bytes(keys))
    }

    /// Leaves only the newest key in the file. Only under [`KeyFileLock::exclusive`],
    /// and when nothing is sealed with another one any more.
    ///
    /// # Errors
    /// The file is as it was.
    pub fn drop_old(path: &Path, _: &KeyFileLock) -> Result<Self, KeyFileError> {
        let mut keys = Self::read_existing(path)?;
        keys.0.truncate(1);
        let bytes: Vec<KeyBytes> = keys.0.iter().map(|key| key.bytes().clone()).collect();
        key_file::replace(path, &bytes)?;
        Ok(keys)
    }

    /// A fresh key that is in no file.
    #[cfg(all(test, feature = "sandbox"))]
    pub fn generate() -> Self {
        Self::from_bytes(vec![random_key()])
    }

    /// The key that seals new data.
    pub fn newest(&self) -> &MasterKey {
        // Never empty: see `key_file::read`.
        &self.0[0]
    }

    pub fn find(&self, id: &str) -> Option<&MasterKey> {
        self.0.iter().find(|key| key.id() == id)
    }

    /// Newest first.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(MasterKey::id)
    }

    fn read_existing(path: &Path) -> Result<Self, KeyFileError> {
        Self::read(path)?.ok_or_else(|| KeyFileError::Vanished(path.to_owned()))
    }

    fn from_bytes(keys: Vec<KeyBytes>) -> Self {
        Self(keys.into_iter().map(MasterKey::from_bytes).collect())
    }
}

impl KeyFileLock {
    /// Blocks while another process holds the lock.
    ///
    /// # Errors
    /// The file's directory cannot be opened.
    pub fn exclusive(path: &Path) -> Result<Self, KeyFileError> {
        key_file::lock_exclusive(path).map(Self)
    }
}

/// The master keys of one daemon: those that it read last, and the file to read again after
/// a rotation.
pub(in crate::credentials) struct CurrentKeys {
    path: PathBuf,
    known: RwLock<Arc<MasterKeys>>,
}

/// The keys that the file holds now. While this lives, no rotation removes one, so data that
/// is sealed and written meanwhile is found by the next rotation.
pub(in crate::credentials) struct HeldKeys {
    pub keys: Arc<MasterKeys>,
    _lock: KeyFileLock,
}

impl CurrentKeys {
    pub fn new(path: PathBuf, keys: MasterKeys) -> Self {
        Self { path, known: RwLock::new(Arc::new(keys)) }
    }

    /// As they were read last.
    pub fn known(&self) -> Arc<MasterKeys> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// As the file has them now.
    ///
    /// # Errors
    /// See [`Self::hold`].
    pub async fn read_again(&self) -> Result<Arc<MasterKeys>, StoreError> {
        Ok(self.hold().await?.keys)
    }

    /// # Errors
    /// `Unavailable`: the file cannot be read, or a rotation holds its lock for longer than
    /// 5 s, which may pass. `Poisoned`: it is gone, open to others, or holds no key.
    pub async fn hold(&self) -> Result<HeldKeys, StoreError> {
        let (keys, lock) = MasterKeys::read_locked(&self.path).await.map_err(refused)?;
        let keys = keys.ok_or_else(|| refused(KeyFileError::Vanished(self.path.clone())))?;
        let held = HeldKeys { keys: Arc::new(keys), _lock: lock };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&held.keys);
        Ok(held)
    }
}

fn refused(error: KeyFileError) -> StoreError {
    match &error {
        KeyFileError::Io { .. } | KeyFileError::Locked(_) => StoreError::Unavailable(error.to_string()),
        KeyFileError::OpenToOthers { .. } | KeyFileError::Malformed(_) | KeyFileError::Vanished(_) => {
            StoreError::Poisoned(error.to_string())
        }
    }
}
