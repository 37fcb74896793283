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

mod data_key;
mod key_file;
mod master_key;
mod master_keys;
#[cfg(test)]
mod tests;

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use thiserror::Error;
use zeroize::Zeroizing;

pub use data_key::DataKey;
pub use key_file::KeyFileError;
pub use master_key::MasterKey;
pub use master_keys::{KeyFileLock, MasterKeys};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// Bytes that no longer exist in memory once dropped.
pub type Plain = Zeroizing<Vec<u8>>;
type KeyBytes = Zeroizing<[u8; KEY_BYTES]>;

/// Why a blob was not sealed or opened. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    #[error("sealed with format {0}, this build knows format {VERSION}")]
    UnknownVersion(u8),
    #[error("cut short")]
    TooShort,
    /// Another key, another place, or another content than it was sealed with.
    #[error("does not open with its key in its place")]
    Broken,
    #[error("too large to seal")]
    TooLarge,
}

fn random_key() -> KeyBytes {
    let mut drawn = Key::generate();
    let key = Zeroizing::new(drawn.into());
    zeroize::Zeroize::zeroize(drawn.as_mut_slice());
    key
}

fn seal(key: &KeyBytes, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let nonce = XNonce::generate();
    let ciphertext =
        cipher(key).encrypt(&nonce, Payload { msg: plain, aad: place }).map_err(|_| SealError::TooLarge)?;
    let mut blob = Vec::with_capacity(1 + NONCE_BYTES + ciphertext.len());
    blob.push(VERSION);
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(&ciphertext);
    Ok(blob)
}

fn open(key: &KeyBytes, place: &[u8], blob: &[u8]) -> Result<Plain, SealError> {
    let (&version, rest) = blob.split_first().ok_or(SealError::TooShort)?;
    if version != VERSION {
        return Err(SealError::UnknownVersion(version));
    }
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::TooShort)?;
    cipher(key)
        .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: place })
        .map(Zeroizing::new)
        .map_err(|_| SealError::Broken)
}

fn cipher(key: &KeyBytes) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&**key).into())
}
