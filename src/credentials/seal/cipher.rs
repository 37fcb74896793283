//! XChaCha20-Poly1305 with a random nonce, and the format of a sealed blob.

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use thiserror::Error;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
pub(super) const KEY_BYTES: usize = 32;

/// Bytes that no longer exist in memory once dropped.
pub type Plain = Zeroizing<Vec<u8>>;
pub(super) type KeyBytes = Zeroizing<[u8; KEY_BYTES]>;

/// Why a blob was not sealed or opened. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    #[error("sealed with format {0}, this build knows format {VERSION}")]
    UnknownVersion(u8),
    #[error("too short to be sealed data")]
    TooShort,
    /// Another key, another place, or another content than it was sealed with.
    #[error("authentication failed: wrong key, wrong row, or modified data")]
    Broken,
    #[error("too large to seal")]
    TooLarge,
}

pub(super) fn random_key() -> KeyBytes {
    let mut drawn = Key::generate();
    let key = Zeroizing::new(drawn.into());
    zeroize::Zeroize::zeroize(drawn.as_mut_slice());
    key
}

/// `associated_data` says whose blob it is: it opens with the same alone.
pub(super) fn seal(key: &KeyBytes, associated_data: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let nonce = XNonce::generate();
    let ciphertext =
        cipher(key).encrypt(&nonce, Payload { msg: plain, aad: associated_data }).map_err(|_| SealError::TooLarge)?;
    let mut blob = Vec::with_capacity(1 + NONCE_BYTES + ciphertext.len());
    blob.push(VERSION);
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(&ciphertext);
    Ok(blob)
}

pub(super) fn open(key: &KeyBytes, associated_data: &[u8], blob: &[u8]) -> Result<Plain, SealError> {
    let (&version, rest) = blob.split_first().ok_or(SealError::TooShort)?;
    if version != VERSION {
        return Err(SealError::UnknownVersion(version));
    }
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::TooShort)?;
    cipher(key)
        .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: associated_data })
        .map(Zeroizing::new)
        .map_err(|_| SealError::Broken)
}

fn cipher(key: &KeyBytes) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&**key).into())
}
