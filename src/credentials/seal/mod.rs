//! Sealing: what is written to Postgres is unreadable without the master key, and
//! opens only in the place it was written for.
//!
//! Two levels. A data key per keyring seals that keyring's records; the master key,
//! which is in a file and never in the database, wraps the data keys; it is replaced
//! by wrapping them anew, and no record needs to be touched for that. So deleting a
//! keyring's row shreds its records wherever copies of them may be.
//!
//! A sealed blob is `version (1 byte) ‖ nonce (24, random) ‖ ciphertext and tag`,
//! XChaCha20-Poly1305: its nonce is long enough to be drawn at random for every
//! write, for ever. The associated data say whose blob it is and what it is called,
//! so a blob moved to another row, keyring or account does not open. A blob put back
//! in its own place from an older copy does: sealing does not protect against that.

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
