//! Replaces the master key while daemons run.
//!
//! ```text
//! file:      old ──▶ new, old ─────────────────────────────────▶ new
//! keyrings:  old      old … re-wrapped, batch by batch … new      new
//! ```
//!
//! At every step the file's keys open every keyring, so a rotation may be interrupted
//! anywhere and resumed: a file with two keys is a rotation that has not finished. A daemon
//! that finds a keyring sealed with an unknown key reads the file again; one that seals a
//! new keyring reads the file first, and its lock delays the last step until that keyring
//! is written.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use paird_actors::domain::{AccountId, AuditAction, KeyringId};
use paird_sql::queries::audit::note_in_audit;
use paird_sql::queries::keyrings as sql;
use paird_sql::queries::processes::add_master_key;
use serde_json::json;
use thiserror::Error;
use tokio::time::Instant;
use tokio_postgres::Client;
use uuid::Uuid;

use super::seal::{KeyFileError, KeyFileLock, MasterKeys, SealError};

const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
const LOCK_RETRY: Duration = Duration::from_millis(100);
/// Keyrings read in one statement.
const PAGE: i64 = 500;

/// Re-wraps every keyring with a new master key, and drops the old one.
pub struct Rotation<'a> {
    client: &'a Client,
    file: &'a Path,
    /// Keyrings re-wrapped in one statement.
    batch: NonZeroU32,
}

/// The result of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    pub key: String,
    /// It continued one that was cut off.
    pub resumed: bool,
    pub keyrings: u64,
}

/// Why a rotation is not over. The file still opens all that it opened before.
#[derive(Debug, Error)]
pub enum RotationError {
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error("master key file {0} does not exist: paird serve makes it")]
    NoFile(String),
    #[error("another rotation runs on this database")]
    Busy,
    #[error(
        "{keyrings} keyrings are sealed with key {id}, which is not in the file: put that key back; nothing was changed"
    )]
    Foreign { id: String, keyrings: i64 },
    #[error(
        "the keys of {} do not open: all else is sealed with the new key, and the old one stays in the file until they do (put that account's rows of a backup back) or are gone (delete the account)",
        in_line(.0)
    )]
    Unopenable(Vec<Unopenable>),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("database: {0}")]
    Database(#[from] tokio_postgres::Error),
    #[error("{0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// A keyring that its master key is there for, and that does not open with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unopenable {
    pub keyring: Uuid,
    pub account: Uuid,
    pub label: String,
}

/// How many are named in one line.
const NAMED: usize = 10;

fn in_line(unopenable: &[Unopenable]) -> String {
    let named: Vec<String> = unopenable.iter().take(NAMED).map(|one| format!("{:?}", one.label)).collect();
    let more = unopenable.len().saturating_sub(NAMED);
    if more == 0 { named.join(", ") } else { format!("{} and {more} others", named.join(", ")) }
}

/// Tries every keyring whose master key the file holds; says which do not open.
///
/// # Errors
/// The database's.
pub async fn find_unopenable(client: &Client, keys: &MasterKeys) -> Result<Vec<Unopenable>, tokio_postgres::Error> {
    let mut unopenable = Vec::new();
    let mut after = Uuid::nil();
    loop {
        let rows = sql::list_keyrings().bind(client, &after, &PAGE).all().await?;
        let Some(last) = rows.last() else { return Ok(unopenable) };
        after = last.id;
        for row in rows {
            let (account, keyring) = (AccountId(row.account_id), KeyringId(row.id));
            let Some(key) = keys.find(&row.master_key) else { continue };
            if key.unwrap(account, keyring, &row.wrapped_key).is_err() {
                unopenable.push(Unopenable { keyring: row.id, account: row.account_id, label: row.label });
            }
        }
    }
}

impl<'a> Rotation<'a> {
    pub fn new(client: &'a Client, file: &'a Path, batch: NonZeroU32) -> Self {
        Self { client, file, batch }
    }

    /// The first step alone: a new key in front of the old one in the file, for copying
    /// the file to the other machines of a fleet before anything is sealed with it.
    ///
    /// # Errors
    /// See [`RotationError`]; nothing was changed.
    pub async fn prepare(&self) -> Result<Rotated, RotationError> {
        let (keys, resumed) = self.begin().await?;
        Ok(Rotated { key: keys.newest().id().to_owned(), resumed, keyrings: 0 })
    }

    /// All of it. `told` hears how many keyrings were re-wrapped so far.
    ///
    /// # Errors
    /// See [`RotationError`]. Run again, it goes on where it was.
    pub async fn run(&self, mut told: impl FnMut(u64)) -> Result<Rotated, RotationError> {
        let (keys, resumed) = self.begin().await?;
        let mut keyrings = 0;
        let mut tell = |more| {
            keyrings += more;
            told(keyrings);
        };
        self.pass(&keys, &mut tell).await?;
        let path = self.file.to_owned();
        let lock = tokio::task::spawn_blocking(move || KeyFileLock::exclusive(&path)).await??;
        // Daemons sealed with the old key until they read the file again. None does now.
        let unopenable = self.pass(&keys, &mut tell).await?;
        if !unopenable.is_empty() {
            return Err(RotationError::Unopenable(unopenable));
        }
        // Before the old key is removed: if this fails, the rotation can still be resumed.
        let payload = json!({ "key": keys.newest().id(), "keyrings": keyrings });
        let (source, action) = ("cli", AuditAction::KeysRotated.as_str());
        note_in_audit().bind(self.client, &source, &action, &"master_key", &None, &payload, &source).await?;
        let keys = MasterKeys::drop_old(self.file, &lock)?;
        Ok(Rotated { key: keys.newest().id().to_owned(), resumed, keyrings })
    }

    /// The file holds a key that is to replace the others afterwards.
    async fn begin(&self) -> Result<(MasterKeys, bool), RotationError> {
        self.lock_out_others().await?;
        let keys = MasterKeys::read(self.file)?;
        let keys = keys.ok_or_else(|| RotationError::NoFile(self.file.display().to_string()))?;
        let in_use = sql::count_keyrings_by_master_key().bind(self.client).all().await?;
        if let Some(foreign) = in_use.into_iter().find(|row| keys.find(&row.master_key).is_none()) {
            return Err(RotationError::Foreign { id: foreign.master_key, keyrings: foreign.keyrings });
        }
        if keys.ids().len() > 1 {
            return Ok((keys, true));
        }
        let rotating = MasterKeys::add(self.file)?;
        add_master_key().bind(self.client, &rotating.newest().id(), &keys.newest().id()).await?;
        Ok((rotating, false))
    }

    /// A rotation that was killed a moment ago has the lock until Postgres notices.
    async fn lock_out_others(&self) -> Result<(), RotationError> {
        let deadline = Instant::now() + LOCK_TIMEOUT;
        while sql::try_lock_rotation().bind(self.client).one().await? == Some(false) {
            if Instant::now() >= deadline {
                return Err(RotationError::Busy);
            }
            tokio::time::sleep(LOCK_RETRY).await;
        }
        Ok(())
    }

    /// Re-wraps every keyring that is not sealed with the newest key; returns those
    /// that do not open.
    async fn pass(&self, keys: &MasterKeys, tell: &mut impl FnMut(u64)) -> Result<Vec<Unopenable>, RotationError> {
        let newest = keys.newest();
        let mut unopenable = Vec::new();
        let mut after = Uuid::nil();
        loop {
            let batch = i64::from(self.batch.get());
            let rows = sql::list_keyrings_to_rewrap().bind(self.client, &newest.id(), &after, &batch).all().await?;
            let Some(last) = rows.last() else { return Ok(unopenable) };
            after = last.id;
            let (mut ids, mut wrapped, mut former) = (Vec::new(), Vec::new(), Vec::new());
            for row in rows {
                let (account, keyring) = (AccountId(row.account_id), KeyringId(row.id));
                let opened = keys.find(&row.master_key).map(|key| key.unwrap(account, keyring, &row.wrapped_key));
                match opened {
                    Some(Ok(data_key)) => {
                        ids.push(row.id);
                        wrapped.push(newest.wrap(&data_key)?);
                        former.push(row.wrapped_key);
                    }
                    Some(Err(_)) | None => {
                        unopenable.push(Unopenable { keyring: row.id, account: row.account_id, label: row.label });
                    }
                }
            }
            let rewrapped =
                sql::rewrap_keyrings().bind(self.client, &ids, &wrapped, &former, &newest.id()).one().await?;
            tell(u64::try_from(rewrapped).unwrap_or_default());
        }
    }
}
