use std::path::{Path, PathBuf};
use std::sync::Arc;

use deadpool_postgres::Pool;
use paird_actors::domain::{AccountId, Fence, KeyringId, StoreError};
use paird_sql::client::Params;
use paird_sql::queries::keyrings::{self as sql, OpenKeyringParams};
use paird_sql::queries::settings::get_proxy_login;
use thiserror::Error;
use uuid::Uuid;

use super::keyring::Keyring;
use super::proxy_login::{ProxyLogin, open_login};
use super::records::RecordKind;
use super::rows::{FIRST_EPOCH, Ownership, Rows, answered};
use super::seal::{CurrentKeys, DataKey, KeyFileError, MasterKeys, SealError};
use crate::postgres::pool::connection;

/// Makes and opens the keyrings of one daemon.
#[derive(Clone)]
pub struct CredentialStore {
    pool: Pool,
    /// The daemon's row in `processes`.
    process: Uuid,
    master_keys: Arc<CurrentKeys>,
}

/// Why the daemon cannot start with this master key. One line each; nothing was changed.
#[derive(Debug, Error)]
pub enum MasterKeyError {
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error(
        "master key file {} does not exist, and {keyrings} keyrings are sealed with it: put it back",
        path.display()
    )]
    Missing { path: PathBuf, keyrings: i64 },
    #[error(
        "master key file {} holds key {ours}, but {keyrings} keyrings are sealed with key {theirs}: put that one back",
        path.display()
    )]
    Wrong { path: PathBuf, ours: String, theirs: String, keyrings: i64 },
    #[error(
        "the daemon with process id {pid} on {host} made a master key of its own, and nothing is sealed yet that would tell which is the right one: copy its master key file to {}",
        path.display()
    )]
    Strange { path: PathBuf, host: String, pid: i32 },
    /// The database did not answer: trying again may do.
    #[error("the master key could not be checked: {0}")]
    Unchecked(#[source] StoreError),
}

impl CredentialStore {
    /// Reads the master key, or makes its file while nothing is sealed yet, and checks
    /// that it is the one that every keyring is sealed with. Daemons that share a
    /// database on different machines must be given copies of one file.
    ///
    /// # Errors
    /// See [`MasterKeyError`].
    pub async fn open(pool: Pool, process: Uuid, master_key_file: &Path) -> Result<Self, MasterKeyError> {
        let keys = match check_keys(&pool, master_key_file).await {
            // Rotated between the two looks, perhaps.
            Err(MasterKeyError::Wrong { .. }) => check_keys(&pool, master_key_file).await?,
            checked => checked?,
        };
        Ok(Self { pool, process, master_keys: Arc::new(CurrentKeys::new(master_key_file.to_owned(), keys)) })
    }

    /// The ids of the master keys that open keyrings here.
    pub fn master_keys(&self) -> Vec<String> {
        self.master_keys.known().ids().map(str::to_owned).collect()
    }

    /// A new keyring with no keys yet, in memory only until [`Keyring::secure`].
    pub fn fresh(&self, account: AccountId, fence: Fence, keyring: KeyringId) -> Arc<Keyring> {
        let key = DataKey::generate(account, keyring);
        let records = self.records(account, fence, keyring, FIRST_EPOCH, key);
        Arc::new(Keyring::staged(keyring, records, Arc::clone(&self.master_keys)))
    }

    /// Opens the keyring of an existing link; it is durable from the start. Only this opening can
    /// write from now on: earlier ones fail permanently, and statements of theirs that arrive
    /// late write nothing.
    ///
    /// # Errors
    /// `Fenced`: the account is not this daemon's, by this fence. `Poisoned`: the keyring does
    /// not exist, belongs to another account, or does not decrypt. `Unavailable`: the database
    /// did not answer, or the key file is locked. An error never means that there are no keys.
    pub async fn open_keyring(
        &self,
        account: AccountId,
        fence: Fence,
        keyring: KeyringId,
    ) -> Result<Arc<Keyring>, StoreError> {
        let mut row = self.open_row(account, fence, keyring).await?;
        let mut keys = self.master_keys.known();
        if keys.find(&row.master_key).is_none() {
            // Rotated since the file was read, and the row perhaps since it was.
            keys = self.master_keys.read_again().await?;
            row = self.open_row(account, fence, keyring).await?;
        }
        let Some(master_key) = keys.find(&row.master_key) else {
            let theirs = row.master_key;
            let why = format!("keyring {keyring} is sealed with master key {theirs}, which the file does not hold");
            return Err(StoreError::Poisoned(why));
        };
        let unwrapped = master_key.unwrap(account, keyring, &row.wrapped_key);
        let key = unwrapped.map_err(|error| poisoned(keyring, error))?;
        let sealed = row.device.ok_or_else(|| StoreError::Poisoned(format!("keyring {keyring} has no device")))?;
        key.open(RecordKind::Device.as_str(), "", &sealed).map_err(|error| poisoned(keyring, error))?;
        Ok(Arc::new(Keyring::durable(keyring, self.records(account, fence, keyring, row.epoch, key))))
    }

    /// The login that was sealed for the account's proxy at this address, if one was.
    ///
    /// # Errors
    /// `Poisoned`: it does not open. `Unavailable`: the database or the key file did not answer.
    pub async fn proxy_login(&self, account: AccountId, address: &str) -> Result<Option<ProxyLogin>, StoreError> {
        let client = connection(&self.pool).await?;
        let row = answered(get_proxy_login().bind(&client, &account.0, &address).opt()).await?;
        let Some(row) = row else { return Ok(None) };
        let mut keys = self.master_keys.known();
        if keys.find(&row.master_key).is_none() {
            keys = self.master_keys.read_again().await?;
        }
        open_login(account, address, &row, &keys).map(Some).map_err(|error| StoreError::Poisoned(error.to_string()))
    }

    /// Raises the epoch: each call ends what was opened before. The calls of a process are
    /// ordered by their ids, whose order no set clock changes.
    async fn open_row(&self, account: AccountId, fence: Fence, keyring: KeyringId) -> Result<OpenRow, StoreError> {
        let client = connection(&self.pool).await?;
        let params = OpenKeyringParams {
            account_id: account.0,
            owner: self.process,
            fence: fence.0,
            keyring_id: keyring.0,
            opening: Uuid::now_v7(),
            device_kind: RecordKind::Device.as_str(),
            device_name: "",
        };
        let row = answered(sql::open_keyring().params(&client, &params).one()).await?;
        if !row.held {
            return Err(StoreError::Fenced);
        }
        let (Some(wrapped_key), Some(master_key), Some(epoch)) = (row.wrapped_key, row.master_key, row.epoch) else {
            return Err(if row.found {
                StoreError::Unavailable(format!("keyring {keyring} was opened again meanwhile"))
            } else {
                StoreError::Poisoned(format!("keyring {keyring} does not exist"))
            });
        };
        Ok(OpenRow { wrapped_key, master_key, epoch, device: row.device })
    }

    fn records(&self, account: AccountId, fence: Fence, keyring: KeyringId, epoch: i64, key: DataKey) -> Rows {
        Rows::new(self.pool.clone(), Ownership { account, keyring, owner: self.process, fence, epoch }, key)
    }
}

/// A keyring's row as this opening found it, and its device.
struct OpenRow {
    wrapped_key: Vec<u8>,
    master_key: String,
    epoch: i64,
    device: Option<Vec<u8>>,
}

/// The keys of the file, which open every keyring; a fresh one if there is none.
async fn check_keys(pool: &Pool, file: &Path) -> Result<MasterKeys, MasterKeyError> {
    let in_use = count_keyrings(pool).await.map_err(MasterKeyError::Unchecked)?;
    let path = || file.to_owned();
    let keys = match MasterKeys::read(file)? {
        Some(keys) => keys,
        None if in_use.is_empty() => MasterKeys::create(file)?,
        None => {
            let keyrings = in_use.iter().map(|(_, keyrings)| keyrings).sum();
            return Err(MasterKeyError::Missing { path: path(), keyrings });
        }
    };
    match in_use.into_iter().find(|(id, _)| keys.find(id).is_none()) {
        None => Ok(keys),
        Some((theirs, keyrings)) => {
            let ours = keys.ids().collect::<Vec<_>>().join(" and ");
            Err(MasterKeyError::Wrong { path: path(), ours, theirs, keyrings })
        }
    }
}

/// Every master key that something is sealed with, and how many keyrings.
async fn count_keyrings(pool: &Pool) -> Result<Vec<(String, i64)>, StoreError> {
    let client = connection(pool).await?;
    let counted = answered(sql::count_keyrings_by_master_key().bind(&client).all()).await?;
    Ok(counted.into_iter().map(|row| (row.master_key, row.keyrings)).collect())
}

fn poisoned(keyring: KeyringId, error: SealError) -> StoreError {
    StoreError::Poisoned(format!("keyring {keyring}: {error}"))
}
