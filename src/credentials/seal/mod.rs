//! Sealing: data in Postgres is unreadable without the master key, and decrypts only in the
//! place it was written for.
//!
//! Two levels. A data key per keyring seals that keyring's records. The master key, which is
//! in a file and never in the database, wraps the data keys; replacing it means wrapping them
//! again, without touching any record. Deleting a keyring's row shreds its records, including
//! all copies of them.
//!
//! A sealed blob is `version (1 byte) ‖ nonce (24, random) ‖ ciphertext and tag`,
//! XChaCha20-Poly1305, whose nonce is long enough to draw a random one for each of an
//! unlimited number of writes. The associated data name the blob and its owner, so a blob
//! that was moved to another row, keyring or account does not decrypt. An older copy put back
//! in its own place does: sealing does not protect against that.

mod cipher;
mod data_key;
mod key_file;
mod master_key;
mod master_keys;
#[cfg(test)]
mod tests;

pub use cipher::{Plain, SealError};
pub use data_key::DataKey;
pub use key_file::KeyFileError;
pub use master_key::MasterKey;
pub(super) use master_keys::CurrentKeys;
pub use master_keys::{KeyFileLock, MasterKeys};
