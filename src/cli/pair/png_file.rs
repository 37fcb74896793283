//! `--png FILE`: the QR as a picture, for a terminal that is too small or for a program that shows it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use nix::unistd::{AccessFlags, access};

use crate::cli::exit::{Exit, failure};
use crate::private_file;

/// There whole (mode 0600) while a QR can be scanned, and gone when this is dropped.
pub(super) struct PngFile {
    path: PathBuf,
    /// The picture that was written last, or that could not be.
    last: Option<String>,
}

impl PngFile {
    /// # Errors
    /// Nothing can be written there: better said before a phone is waited for.
    pub(super) fn new(path: PathBuf) -> anyhow::Result<Self> {
        let wrong = |why: String| failure(Exit::Usage, format!("--png {}: {why}", path.display()));
        if path.is_dir() {
            return Err(wrong("is a directory".to_owned()));
        }
        access(private_file::directory(&path), AccessFlags::W_OK).map_err(|why| wrong(why.desc().to_owned()))?;
        Ok(Self { path, last: None })
    }

    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes the picture of the row, if it is another one. What went wrong is returned once for each.
    pub(super) fn show(&mut self, png_base64: Option<&str>) -> Option<String> {
        if self.last.as_deref() == png_base64 {
            return None;
        }
        self.last = png_base64.map(str::to_owned);
        let written = match png_base64 {
            Some(png) => write(&self.path, png),
            None => self.remove(),
        };
        written.err().map(|why| format!("the QR is not in {}: {why:#}", self.shown()))
    }

    fn remove(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(&self.path)?)
    }
}

impl Drop for PngFile {
    fn drop(&mut self) {
        if self.last.is_some() {
            // It may be gone with its directory.
            let _ = self.remove();
        }
    }
}

fn write(path: &Path, png_base64: &str) -> anyhow::Result<()> {
    let png = BASE64.decode(png_base64).context("the picture on the row is not base64")?;
    Ok(private_file::replace(path, &png)?)
}
