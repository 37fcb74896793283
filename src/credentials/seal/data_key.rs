use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use paird_actors::domain::{AccountId, KeyringId};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::cipher::{KEY_BYTES, KeyBytes, Plain, SealError, open, random_key, seal};

const HMAC_BLOCK_BYTES: usize = 64;

/// The key of one keyring, bound to it and to its account. Zeroed when dropped.
pub struct DataKey {
    account: AccountId,
    keyring: KeyringId,
    key: KeyBytes,
}

impl DataKey {
    /// A fresh random key.
    pub fn generate(account: AccountId, keyring: KeyringId) -> Self {
        Self::from_bytes(account, keyring, random_key())
    }

    /// Seals one record of this keyring.
    ///
    /// # Errors
    /// [`SealError::TooLarge`] for a value that no record ever has (256 GiB).
    pub fn seal(&self, kind: &str, name: &str, value: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.key, &self.associated_data(kind, name), value)
    }

    /// Opens a record that was sealed under the same kind and name by this keyring.
    ///
    /// # Errors
    /// It was changed, moved here from another place, or written by a newer build.
    pub fn open(&self, kind: &str, name: &str, sealed: &[u8]) -> Result<Plain, SealError> {
        open(&self.key, &self.associated_data(kind, name), sealed)
    }

    /// A secret that follows from this key, a purpose and a name, and is stored nowhere.
    pub fn derive(&self, purpose: &str, name: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut block = Zeroizing::new([0; HMAC_BLOCK_BYTES]);
        block[..KEY_BYTES].copy_from_slice(&*self.key);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(b"paird derived\0");
        mac.update(&self.associated_data(purpose, name));
        Zeroizing::new(mac.finalize().into_bytes().into())
    }

    pub(super) fn from_bytes(account: AccountId, keyring: KeyringId, key: KeyBytes) -> Self {
        Self { account, keyring, key }
    }

    pub(super) fn account(&self) -> AccountId {
        self.account
    }

    pub(super) fn keyring(&self) -> KeyringId {
        self.keyring
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.key.as_slice()
    }

    /// The zero byte ends the kind, which has none: no kind and name read as another pair.
    fn associated_data(&self, kind: &str, name: &str) -> Vec<u8> {
        let mut data = b"paird record\0".to_vec();
        data.extend_from_slice(self.account.0.as_bytes());
        data.extend_from_slice(self.keyring.0.as_bytes());
        data.extend_from_slice(kind.as_bytes());
        data.push(0);
        data.extend_from_slice(name.as_bytes());
        data
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey(of keyring {})", self.keyring)
    }
}
