//! The master key's file: a line `paird-master-key-v1 <base64>`, mode 0600. While a
//! rotation is under way it has a line for each key, newest first.
//!
//! The lock is on its directory: shared while something is sealed with the newest key and
//! written; exclusive while a rotation removes the old key.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::Zeroizing;

use super::cipher::{KEY_BYTES, KeyBytes};
use crate::private_file::{self, ReadError, directory};

const HEADER: &str = "paird-master-key-v1";
/// More than a few keys' lines ever have.
const MAX_BYTES: u64 = 4096;

/// Why the master key's file is of no use.
#[derive(Debug, Error)]
pub enum KeyFileError {
    #[error("master key file {} cannot be {done}: {source}", path.display())]
    Io { path: PathBuf, done: &'static str, source: io::Error },
    #[error("master key file {path} is open to others (mode {mode:04o}): run chmod 600 {path}", path = path.display())]
    OpenToOthers { path: PathBuf, mode: u32 },
    #[error("master key file {} holds no key: a key is a line, {HEADER} and 32 bytes in base64", .0.display())]
    Malformed(PathBuf),
    #[error("master key file {} is not there any more", .0.display())]
    Vanished(PathBuf),
    #[error(
        "master key file {} is locked by a rotation that does not end: let `paird keys rotate` go on, or end it and run it again",
        .0.display()
    )]
    Locked(PathBuf),
}

/// Newest first, never empty; `None` if the file does not exist.
pub(super) fn read(path: &Path) -> Result<Option<Vec<KeyBytes>>, KeyFileError> {
    match private_file::read(path, MAX_BYTES) {
        Ok(None) => Ok(None),
        Ok(Some(text)) => parse(&text).map(Some).ok_or_else(|| KeyFileError::Malformed(path.to_owned())),
        Err(ReadError::NotText) => Err(KeyFileError::Malformed(path.to_owned())),
        Err(ReadError::OpenToOthers(mode)) => Err(KeyFileError::OpenToOthers { path: path.to_owned(), mode }),
        Err(ReadError::Io(source)) => Err(KeyFileError::Io { path: path.to_owned(), done: "read", source }),
    }
}

/// Never changes an existing file.
pub(super) fn create(path: &Path, key: &KeyBytes) -> Result<(), KeyFileError> {
    let created = private_file::create(path, lines(std::slice::from_ref(key)).as_bytes());
    created.map_err(|source| KeyFileError::Io { path: path.to_owned(), done: "made", source })
}

/// Puts these keys in the place of those that are there.
pub(super) fn replace(path: &Path, keys: &[KeyBytes]) -> Result<(), KeyFileError> {
    let replaced = private_file::replace(path, lines(keys).as_bytes());
    replaced.map_err(|source| KeyFileError::Io { path: path.to_owned(), done: "replaced", source })
}

/// Waits for the exclusive lock; it is given up when the file is dropped, or with the process.
pub(super) fn lock_exclusive(path: &Path) -> Result<File, KeyFileError> {
    let locked = File::open(directory(path)).and_then(|dir| dir.lock().map(|()| dir));
    locked.map_err(|source| KeyFileError::Io { path: path.to_owned(), done: "locked", source })
}

/// The shared lock, given up likewise; `None` while a rotation has the exclusive one.
pub(super) fn try_lock_shared(path: &Path) -> Result<Option<File>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), done: "locked", source };
    let dir = File::open(directory(path)).map_err(failed)?;
    match dir.try_lock_shared() {
        Ok(()) => Ok(Some(dir)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn lines(keys: &[KeyBytes]) -> Zeroizing<String> {
    // Never grows, so no copy of a key is left behind.
    let mut lines = Zeroizing::new(String::with_capacity(keys.len() * (HEADER.len() + 2 * KEY_BYTES)));
    for key in keys {
        let base64 = Zeroizing::new(STANDARD.encode(key.as_slice()));
        lines.push_str(HEADER);
        lines.push(' ');
        lines.push_str(&base64);
        lines.push('\n');
    }
    lines
}

/// All lines, or nothing.
fn parse(text: &str) -> Option<Vec<KeyBytes>> {
    let keys: Vec<_> = text.trim().lines().map(parse_line).collect::<Option<_>>()?;
    (!keys.is_empty()).then_some(keys)
}

fn parse_line(line: &str) -> Option<KeyBytes> {
    let base64 = line.trim().strip_prefix(HEADER)?.strip_prefix(' ')?;
    let bytes = Zeroizing::new(STANDARD.decode(base64.trim()).ok()?);
    <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new)
}
