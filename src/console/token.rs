//! The console's token: a file of one line, mode 0600.

use std::{
    io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use paird_actors::domain::Secret;
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use crate::private_file::{self, ReadError};

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
        let text = match private_file::read(path, LONGEST) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(ReadError::NotText) => return Err(TokenError::Malformed(path.to_owned())),
            Err(ReadError::OpenToOthers(mode)) => {
                return Err(TokenError::OpenToOthers { path: path.to_owned(), mode });
            }
            Err(ReadError::Io(source)) => return Err(TokenError::Io { path: path.to_owned(), done: "read", source }),
        };
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

/// Never replaces another's file.
fn make(path: &Path) -> io::Result<()> {
    private_file::create(path, format!("{}\n", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())).as_bytes())
}

#[cfg(test)]
impl Token {
    pub fn of(word: &str) -> Self {
        Self(Secret::new(word))
    }
}
