use std::fmt::{self, Write as _};

use paird_actors::domain::{AccountId, KeyringId};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::DataKey;
use super::cipher::{KEY_BYTES, KeyBytes, SealError, open, seal};

/// A key that wraps keyrings' data keys. Zeroed when dropped.
pub struct MasterKey {
    id: String,
    key: KeyBytes,
}

impl MasterKey {
    /// Names the key without telling it: kept beside what it wraps.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals a keyring's data key for its row.
    ///
    /// # Errors
    /// None in practice: see [`DataKey::seal`].
    pub fn wrap(&self, data_key: &DataKey) -> Result<Vec<u8>, SealError> {
        seal(&self.key, &associated_data(data_key.account(), data_key.keyring()), data_key.bytes())
    }

    /// Opens a data key that was wrapped for this account and keyring.
    ///
    /// # Errors
    /// It was wrapped by another master key, changed, or moved from another row.
    pub fn unwrap(&self, account: AccountId, keyring: KeyringId, wrapped: &[u8]) -> Result<DataKey, SealError> {
        let plain = open(&self.key, &associated_data(account, keyring), wrapped)?;
        let key = <[u8; KEY_BYTES]>::try_from(plain.as_slice()).map_err(|_| SealError::Broken)?;
        Ok(DataKey::from_bytes(account, keyring, Zeroizing::new(key)))
    }

    pub(super) fn bytes(&self) -> &KeyBytes {
        &self.key
    }

    pub(super) fn from_bytes(key: KeyBytes) -> Self {
        let digest = Sha256::new().chain_update(b"paird master key id\0").chain_update(key.as_slice()).finalize();
        let mut id = String::with_capacity(16);
        for byte in digest.iter().take(8) {
            // Writing to a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self { id, key }
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

fn associated_data(account: AccountId, keyring: KeyringId) -> Vec<u8> {
    let mut data = b"paird data key\0".to_vec();
    data.extend_from_slice(account.0.as_bytes());
    data.extend_from_slice(keyring.0.as_bytes());
    data
}
