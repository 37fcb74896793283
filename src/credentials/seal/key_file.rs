//! The master key's file: a line `paird-master-key-v1 <base64>`, mode 0600. While a
//! rotation is under way it has a line for each key, newest first.
//!
//! Its directory is what is locked: shared by whoever seals with the newest key, until
//! that is written; exclusive by a rotation that takes the old key out.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::cipher::{KEY_BYTES, KeyBytes};

const HEADER: &str = "paird-master-key-v1";
/// More than a few keys' lines ever have; guards against reading a device or a wrong, huge file.
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

/// Newest first, never empty; `None` if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<KeyBytes>>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), done: "read", source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // Of the open file, not of the path: nothing can be swapped in between.
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::OpenToOthers { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES as usize));
    match file.take(MAX_BYTES).read_to_string(&mut text) {
        Ok(_) => parse(&text).map(Some).ok_or_else(|| KeyFileError::Malformed(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(KeyFileError::Malformed(path.to_owned())),
        Err(error) => Err(failed(error)),
    }
}

/// Leaves an existing file as it is, whoever made it.
pub(super) fn create(path: &Path, key: &KeyBytes) -> Result<(), KeyFileError> {
    place(path, key).map_err(|source| KeyFileError::Io { path: path.to_owned(), done: "made", source })
}

/// Puts these keys in the place of those that are there: all of them or, after a
/// crash, still the former ones.
pub(super) fn replace(path: &Path, keys: &[KeyBytes]) -> Result<(), KeyFileError> {
    let swap = || {
        let dir = directory(path);
        let draft = draft(dir);
        let swapped = write(&draft, keys).and_then(|()| fs::rename(&draft, path));
        if swapped.is_err() {
            let _ = fs::remove_file(&draft);
        }
        swapped.and_then(|()| File::open(dir)?.sync_all())
    };
    swap().map_err(|source| KeyFileError::Io { path: path.to_owned(), done: "replaced", source })
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

/// Written in full under a name of its own, then linked: the file is there with
/// its whole content or not at all, and a link never replaces another's file.
fn place(path: &Path, key: &KeyBytes) -> io::Result<()> {
    let dir = directory(path);
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let draft = draft(dir);
    let linked = write(&draft, std::slice::from_ref(key)).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    });
    let removed = fs::remove_file(&draft);
    linked?;
    removed?;
    File::open(dir)?.sync_all()
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if dir != Path::new("") => dir,
        Some(_) | None => Path::new("."),
    }
}

fn draft(dir: &Path) -> PathBuf {
    dir.join(format!(".master-key.{}", Uuid::new_v4()))
}

fn write(draft: &Path, keys: &[KeyBytes]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    for key in keys {
        let base64 = Zeroizing::new(STANDARD.encode(key.as_slice()));
        let line = Zeroizing::new(format!("{HEADER} {}\n", base64.as_str()));
        file.write_all(line.as_bytes())?;
    }
    file.sync_all()
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
