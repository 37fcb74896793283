use std::path::{Path, PathBuf};

use super::EmbeddedError;

/// The directory of an installed Postgres.
#[derive(Clone, Debug)]
pub(super) struct Binaries(PathBuf);

impl Binaries {
    /// The named directory, or else one of those, or else the newest of Debian's directories.
    pub(super) fn find(named: Option<&Path>, executable_dirs: &[PathBuf]) -> Result<Self, EmbeddedError> {
        match named {
            Some(dir) if is_complete(dir) => Ok(Self(dir.to_owned())),
            Some(dir) => Err(EmbeddedError::NotThere(dir.to_owned())),
            None => with_servers(executable_dirs)
                .into_iter()
                .chain(packaged())
                .find(|dir| is_complete(dir))
                .map(Self)
                .ok_or(EmbeddedError::NotInstalled),
        }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.0
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

fn is_complete(dir: &Path) -> bool {
    ["initdb", "postgres", "createdb"].iter().all(|program| dir.join(program).is_file())
}

/// Those of the directories that have a server. Links there are followed, since the
/// server finds its own files relative to its real path.
fn with_servers(executable_dirs: &[PathBuf]) -> Vec<PathBuf> {
    executable_dirs
        .iter()
        .filter_map(|dir| dir.join("initdb").canonicalize().ok()?.parent().map(Path::to_owned))
        .collect()
}

fn packaged() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by(|left, right| right.cmp(left));
    versions.into_iter().map(|(_, dir)| dir).collect()
}
