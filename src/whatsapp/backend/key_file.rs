use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use paird_actors::ports::StoreError;

use crate::whatsapp::seal::{KeyFileError, KeyFileLock, MasterKeys};

/// The master keys of one daemon: those that it read last, and where to look when
/// somebody rotated them since.
pub(super) struct KeyFile {
    path: PathBuf,
    known: RwLock<Arc<MasterKeys>>,
}

/// The keys that the file holds now. While this lives no rotation takes one out, so
/// what is sealed and written meanwhile is found by the rotation that will.
pub(super) struct HeldKeys {
    pub keys: Arc<MasterKeys>,
    _lock: KeyFileLock,
}

impl KeyFile {
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
    /// See [`KeyFile::hold`].
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
