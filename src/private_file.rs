//! Files that hold a secret: mode 0600, refused when others may read them, and there with
//! their whole content or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use thiserror::Error;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Why a file was not read.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("open to others (mode {0:04o})")]
    OpenToOthers(u32),
    #[error("not text")]
    NotText,
}

/// For its owner alone, who is this user or root. One of root's may be readable by a group, as
/// Postgres takes it, too: Kubernetes and systemd mount secrets so for an unprivileged user.
pub(crate) fn is_private(mode: u32, owner: u32, user: u32) -> bool {
    if owner == 0 && user != 0 {
        return mode & 0o037 == 0;
    }
    mode & 0o077 == 0 && (owner == user || user == 0)
}

/// Up to `limit` bytes of the file, as a guard against a device or a wrong, huge file;
/// `None` if the file does not exist.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Option<Zeroizing<String>>, ReadError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Of the open file, not of the path: nothing can be swapped in between.
    let metadata = file.metadata()?;
    let mode = metadata.permissions().mode() & 0o7777;
    if !is_private(mode, metadata.uid(), nix::unistd::geteuid().as_raw()) {
        return Err(ReadError::OpenToOthers(mode));
    }
    // Never grows, so no copy of the secret is left behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(limit).unwrap_or_default()));
    match file.take(limit).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(ReadError::NotText),
        Err(error) => Err(error.into()),
    }
}

/// Makes the file, and its directory if need be; durable before this returns. A file that
/// exists is left as it is: the content is written under another name and then linked, and
/// a link never replaces a file.
pub(crate) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let dir = directory(path);
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let draft = draft(path);
    let linked = write(&draft, content).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    });
    let removed = fs::remove_file(&draft);
    linked?;
    removed?;
    File::open(dir)?.sync_all()
}

/// Puts this content in the place of what is there: all of it or, after a crash, still
/// the former one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = draft(path);
    let swapped = write(&draft, content).and_then(|()| fs::rename(&draft, path));
    if swapped.is_err() {
        let _ = fs::remove_file(&draft);
    }
    swapped.and_then(|()| File::open(directory(path))?.sync_all())
}

pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if dir != Path::new("") => dir,
        Some(_) | None => Path::new("."),
    }
}

fn draft(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    directory(path).join(format!(".{name}.{}", Uuid::new_v4()))
}

fn write(draft: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn a_secret_that_is_mounted_for_a_group_by_root_is_taken() {
        const USER: u32 = 10_001;
        for (mode, owner) in [(0o600, USER), (0o400, USER), (0o440, 0), (0o640, 0), (0o400, 0), (0o600, 0)] {
            assert!(is_private(mode, owner, USER), "{mode:o} of {owner}");
        }
        for (mode, owner) in [(0o640, USER), (0o604, USER), (0o444, 0), (0o660, 0), (0o600, 500)] {
            assert!(!is_private(mode, owner, USER), "{mode:o} of {owner}");
        }
        assert!(is_private(0o600, 0, 0) && !is_private(0o640, 0, 0), "root's own file is like any user's");
    }
}
