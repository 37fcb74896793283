//! The console's token: a file of one line, mode 0600.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use paird_actors::domain::Secret;
use subtle::ConstantTimeEq as _;
use thiserror::Error;

/// Minimum length, in case the file was written by hand.
const SHORTEST: usize = 24;
const LONGEST: u64 = 1024;

/// Why the console has no token.
#[derive(Debug, Error)]
pub enum TokenError {
    #[error("{} cannot be {done}: {source}", path.display())]
    Io { path: PathBuf, done: &'static str, source: io::Error },
    #[error("{path} is open to others (mode {mode:04o}): run chmod 600 {path}", path = path.display())]
    OpenToOthers { path: PathBuf, mode: u32 },
    #[error("{} holds no token: it is one word of at least {SHORTEST} visible ASCII characters; remove the file to have one made", .0.display())]
    Malformed(PathBuf),
}

/// Gives access to everything that the console can do.
#[derive(Clone)]
pub struct Token(Secret);

impl Token {
    /// Reads the token, and creates one if there is none.
    ///
    /// # Errors
    /// The file cannot be read or made, others may read it, or it holds no token.
    pub fn read_or_make(path: &Path) -> Result<Self, TokenError> {
        if let Some(token) = Self::read(path)? {
            return Ok(token);
        }
        make(path).map_err(|source| TokenError::Io { path: path.to_owned(), done: "made", source })?;
        // Another daemon may have created it first.
        Self::read(path)?.ok_or_else(|| TokenError::Malformed(path.to_owned()))
    }

    fn read(path: &Path) -> Result<Option<Self>, TokenError> {
        let failed = |source| TokenError::Io { path: path.to_owned(), done: "read", source };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(TokenError::OpenToOthers { path: path.to_owned(), mode });
        }
        let mut text = String::new();
        match file.take(LONGEST).read_to_string(&mut text) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(TokenError::Malformed(path.to_owned())),
            Err(error) => return Err(failed(error)),
        }
        let text = text.trim();
        if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Malformed(path.to_owned()));
        }
        Ok(Some(Self(Secret::new(text.to_owned()))))
    }

    /// Compares in constant time.
    pub fn is(&self, said: &str) -> bool {
        self.0.expose().as_bytes().ct_eq(said.as_bytes()).into()
    }

    /// For deriving keys from it.
    pub fn bytes(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}

/// Writes the file under a temporary name and links it, so that it is never incomplete and
/// never replaces another.
fn make(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| *dir != Path::new("")).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let draft = dir.join(format!(".console-token.{}", uuid::Uuid::new_v4()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written =
        writeln!(file, "{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    });
    fs::remove_file(&draft)?;
    linked
}

#[cfg(test)]
impl Token {
    pub fn of(word: &str) -> Self {
        Self(Secret::new(word))
    }
}
