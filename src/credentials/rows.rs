//! Records in Postgres: each call is one statement. Values are sealed before they are
//! written and opened after they are read; every write is checked against the account's
//! fence and the keyring's epoch.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Weak;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool};
use paird_actors::domain::{AccountId, Fence, KeyringId, SealedRecord, StoreError};
use paird_sql::client::Params;
use paird_sql::queries::credentials::{self as sql, PutCredentials, PutCredentialsParams};
use tokio::sync::{Mutex, MutexGuard, SetOnce};
use tokio::time::{Instant, timeout};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::carried::{Adding, CARRIED_WITHIN, Carried, Outlook};
use super::memory::Key;
use super::record_key;
use super::records::{Durability, Entry, RecordKind, Records, Selection};
use super::seal::{DataKey, MasterKey, Plain};
use crate::postgres::pool::{self, QUERY_TIMEOUT, connection};

/// How long what is to be added waits for rows of messages that are on their way. Without a database
/// they never come.
const ROWS_WITHIN: Duration = Duration::from_secs(3);
/// The least that it waits: keys with which something was sent are written within this.
const LOOK_EVERY: Duration = Duration::from_millis(60);

/// The epoch of a keyring that was never opened, only made: what the column has by default.
pub(super) const FIRST_EPOCH: i64 = 1;

/// The keyring, and the owner as which its records are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ownership {
    pub account: AccountId,
    pub keyring: KeyringId,
    /// The daemon's row in `processes`.
    pub owner: Uuid,
    pub fence: Fence,
    /// Of the opening that made these records; a later opening invalidates them.
    pub epoch: i64,
}

pub(super) struct Rows {
    pool: Pool,
    ownership: Ownership,
    key: DataKey,
    /// One write at a time: a record may be saved again before the previous save has
    /// returned, and the last value must be the one that stays.
    writing: Mutex<()>,
    carried: Carried,
    /// Why these records may no longer be used; set once and never cleared.
    failure: SetOnce<Failure>,
}

#[derive(Clone, Copy, Debug)]
enum Failure {
    /// The account has another owner: this daemon's client is out of date.
    Fenced,
    /// The outcome of a write is unknown, and it may still be applied over a newer one. A
    /// session that goes back in time is worse than one that is opened again, and opening
    /// the keyring again invalidates the write.
    Unanswered,
    /// A newer connection has opened the keyring: this one is out of date.
    Reopened,
    /// The keyring's row is gone.
    Erased,
    /// A record that was not read counts as none.
    Unread,
    /// A message that was read with these keys could not be written. Written without it, they could not
    /// read it again.
    MessageUnwritten,
}

impl Rows {
    pub fn new(pool: Pool, ownership: Ownership, key: DataKey) -> Self {
        Self { pool, ownership, key, writing: Mutex::default(), carried: Carried::default(), failure: SetOnce::new() }
    }

    /// Of a database that cannot be reached.
    #[cfg(test)]
    pub fn of_no_database(keyring: KeyringId) -> Self {
        let pool = crate::postgres::pool::Dsn::parse("host=/nowhere user=nobody").unwrap().pool().unwrap();
        let (account, owner) = (AccountId(Uuid::new_v4()), Uuid::new_v4());
        let ownership = Ownership { account, keyring, owner, fence: Fence(1), epoch: FIRST_EPOCH };
        Self::new(pool, ownership, DataKey::generate(account, keyring))
    }

    /// The epoch that every write follows.
    pub fn epoch(&self) -> i64 {
        self.ownership.epoch
    }

    /// The key of these records, sealed for the keyring's row.
    pub fn wrapped_by(&self, key: &MasterKey) -> Result<Vec<u8>, StoreError> {
        let keyring = self.ownership.keyring;
        key.wrap(&self.key).map_err(|error| StoreError::Poisoned(format!("keyring {keyring}: {error}")))
    }

    /// Why every call fails from now on, if it does.
    pub fn failure(&self) -> Option<StoreError> {
        self.failure.get().map(|failure| failure.to_error(self.ownership.keyring))
    }

    /// Waits until every call fails, and returns why.
    pub async fn failed(&self) -> StoreError {
        self.failure.wait().await.to_error(self.ownership.keyring)
    }

    /// Somebody goes on without a record that could not be read.
    pub fn unread(&self) {
        let _ = self.fail(Failure::Unread);
    }

    /// A message that was read with these keys has no row.
    pub fn message_unwritten(&self) {
        let _ = self.fail(Failure::MessageUnwritten);
    }

    /// As they are to be written with the keyring's row.
    pub fn seal(&self, entries: Vec<Entry>) -> Result<Vec<SealedRecord>, StoreError> {
        let Columns { kinds, names, sealed, stamps } = self.columns(entries)?;
        let columns = kinds.into_iter().zip(names).zip(sealed).zip(stamps);
        Ok(columns.map(|(((kind, name), sealed), stamp)| SealedRecord { kind, name, sealed, stamp }).collect())
    }

    /// Seals something that belongs to these records and is kept elsewhere.
    pub fn seal_beside(&self, kind: &str, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.key.seal(kind, name, value).map_err(|error| StoreError::Poisoned(format!("{kind}: {error}")))
    }

    /// See [`DataKey::derive`].
    pub fn derive(&self, purpose: &str, name: &str) -> Zeroizing<[u8; 32]> {
        self.key.derive(purpose, name)
    }

    /// Opens what [`Self::seal_beside`] has sealed.
    pub fn open_beside(&self, kind: &str, name: &str, sealed: &[u8]) -> Result<Plain, StoreError> {
        let keyring = self.ownership.keyring;
        self.key
            .open(kind, name, sealed)
            .map_err(|error| StoreError::Poisoned(format!("{kind} of keyring {keyring}: {error}")))
    }

    /// Asks whether a write would be taken: whether the account is this daemon's still, and
    /// the keyring was not opened again.
    ///
    /// # Errors
    /// It would not, or the database did not answer.
    pub async fn check_ownership(&self) -> Result<(), StoreError> {
        self.write(Vec::new(), Vec::new()).await
    }

    /// Writes some records and removes others by their names, in one statement, with what waits for
    /// that. Keys that have read messages are written with those that have no row yet.
    ///
    /// # Errors
    /// Nothing was written. If that is not known, every later call fails: the write may
    /// still be applied, over newer ones.
    pub async fn write(&self, mut written: Vec<Entry>, mut gone: Vec<Key>) -> Result<(), StoreError> {
        let (_alone, client) = self.writer().await?;
        // Only now: what comes while the former write is under way goes along, too.
        let load = self.carried.load(written.iter().any(|entry| entry.kind.moves_on_with_messages()));
        written.extend(load.copies.iter().chain(&load.sent).cloned());
        gone.extend(load.gone.iter().map(|name| (RecordKind::PendingInbound, name.clone())));
        let (columns, added) = (self.columns(written)?, self.columns(load.added.clone())?);
        let outcome = self.outcome_of(self.put_and_remove(&client, columns, added, gone)).await?;
        self.check_write(outcome.held, outcome.epoch)?;
        self.carried.written(&load, &outcome.known);
        Ok(())
    }

    /// Waits until a write has taken it along, as long as one is to be expected.
    async fn carried_along(&self, adding: &mut Adding<'_>) -> Option<Vec<String>> {
        let began = Instant::now();
        let mut rows_until = began;
        loop {
            if let Ok(known) = timeout(LOOK_EVERY, &mut adding.known).await {
                return known.ok();
            }
            let may_come = match self.carried.outlook() {
                Outlook::RowsFirst => {
                    rows_until = Instant::now();
                    began.elapsed() < ROWS_WITHIN
                }
                Outlook::Soon => rows_until.elapsed() < CARRIED_WITHIN,
                Outlook::Unknown => false,
            };
            if !may_come {
                return None;
            }
        }
    }

    /// Writes the messages that were sent, and wait for another write.
    ///
    /// # Errors
    /// They may be in memory alone.
    pub async fn write_sent(&self) -> Result<(), StoreError> {
        if self.carried.has_sent() { self.write(Vec::new(), Vec::new()).await } else { Ok(()) }
    }

    /// Whether [`Self::write_late`] is to be called a moment later, in case no write comes before.
    pub fn leaves_something_to_write(&self) -> bool {
        self.carried.needs_looking_after()
    }

    /// Writes, a moment later, what no other write has taken along until then.
    pub async fn write_late(this: Weak<Self>) {
        tokio::time::sleep(CARRIED_WITHIN).await;
        if let Some(rows) = this.upgrade()
            && rows.carried.looked_after()
        {
            // Otherwise it goes with a later one, or when it expires.
            let _ = rows.write(Vec::new(), Vec::new()).await;
        }
    }

    async fn put_and_remove(
        &self,
        client: &Object,
        columns: Columns,
        added: Columns,
        gone: Vec<Key>,
    ) -> Result<PutCredentials, tokio_postgres::Error> {
        let Ownership { account, keyring, owner, fence, epoch } = self.ownership;
        let (gone_kinds, gone_names): (Vec<_>, Vec<_>) =
            gone.into_iter().map(|(kind, name)| (kind.as_str(), name)).unzip();
        let params = PutCredentialsParams {
            account_id: account.0,
            owner,
            fence: fence.0,
            keyring_id: keyring.0,
            epoch,
            kinds: columns.kinds,
            names: columns.names,
            sealed: columns.sealed,
            stamps: columns.stamps,
            added_kinds: added.kinds,
            added_names: added.names,
            added_sealed: added.sealed,
            added_stamps: added.stamps,
            gone_kinds,
            gone_names,
        };
        sql::put_credentials().params(client, &params).one().await
    }

    /// Fails if a write had no effect: the account has another owner, the keyring is gone,
    /// or it was opened again.
    fn check_write(&self, held: bool, epoch: Option<i64>) -> Result<(), StoreError> {
        self.check_held(held)?;
        self.check_epoch(epoch)
    }

    fn check_held(&self, held: bool) -> Result<(), StoreError> {
        if held { Ok(()) } else { Err(self.fail(Failure::Fenced)) }
    }

    /// No epoch means that the keyring no longer exists.
    fn check_epoch(&self, epoch: Option<i64>) -> Result<(), StoreError> {
        match epoch {
            None => Err(self.fail(Failure::Erased)),
            Some(epoch) if epoch != self.ownership.epoch => Err(self.fail(Failure::Reopened)),
            Some(_) => Ok(()),
        }
    }

    fn fail(&self, failure: Failure) -> StoreError {
        // The first failure counts.
        let _ = self.failure.set(failure);
        self.failure.get().unwrap_or(&failure).to_error(self.ownership.keyring)
    }

    async fn client(&self) -> Result<Object, StoreError> {
        if let Some(error) = self.failure() {
            return Err(error);
        }
        connection(&self.pool).await
    }

    /// A connection for a write, and the lock that is held until it has ended.
    async fn writer(&self) -> Result<(MutexGuard<'_, ()>, Object), StoreError> {
        let alone = self.writing.lock().await;
        Ok((alone, self.client().await?))
    }

    /// Waits for the outcome of a write. If it stays unknown, because the write timed out,
    /// the connection broke or the caller was dropped, every later call fails.
    async fn outcome_of<T>(
        &self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        let outcome = FailOnDrop { records: Some(self), with: Failure::Unanswered };
        let answer = match timeout(QUERY_TIMEOUT, statement).await {
            // The connection's error, not the server's answer.
            Ok(Err(error)) if error.as_db_error().is_none() => return Err(self.fail(Failure::Unanswered)),
            Err(_) => return Err(self.fail(Failure::Unanswered)),
            Ok(answer) => answer,
        };
        outcome.done();
        answer.map_err(|error| unavailable(&error))
    }

    fn open(&self, kind: RecordKind, name: String, sealed: &[u8], stamp: i64) -> Result<Entry, StoreError> {
        let value = self.key.open(kind.as_str(), &name, sealed).map_err(|error| {
            // Without its name, which is often a phone number.
            let keyring = self.ownership.keyring;
            StoreError::Poisoned(format!("a {} record of keyring {keyring}: {error}", kind.as_str()))
        })?;
        Ok(Entry { kind, name, value, stamp, durability: Durability::BeforeSend })
    }

    fn columns(&self, entries: Vec<Entry>) -> Result<Columns, StoreError> {
        // A statement may not touch a row twice.
        let mut last = HashMap::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            last.insert((entry.kind, entry.name.as_str()), at);
        }
        let mut columns = Columns::default();
        for (at, entry) in entries.iter().enumerate() {
            if last.get(&(entry.kind, entry.name.as_str())) != Some(&at) {
                continue;
            }
            let kind = entry.kind.as_str();
            let sealed = self.key.seal(kind, &entry.name, &entry.value);
            columns.sealed.push(sealed.map_err(|error| StoreError::Poisoned(format!("a {kind} record: {error}")))?);
            columns.kinds.push(kind);
            columns.names.push(entry.name.clone());
            columns.stamps.push(entry.stamp);
        }
        Ok(columns)
    }
}

#[async_trait]
impl Records for Rows {
    async fn get(&self, kind: RecordKind, name: &str) -> Result<Option<Entry>, StoreError> {
        if let Some(known) = self.carried.get(kind, name) {
            return self.failure().map_or(Ok(known), Err);
        }
        let client = self.client().await?;
        let row = answered(sql::get_credential().bind(&client, &kind.as_str(), &name, &self.ownership.keyring.0).opt())
            .await?;
        self.check_epoch(row.as_ref().map(|row| row.epoch))?;
        match row.and_then(|row| row.sealed.zip(row.stamp)) {
            Some((sealed, stamp)) => {
                if kind == RecordKind::PendingInbound {
                    self.carried.found(name);
                }
                self.open(kind, name.to_owned(), &sealed, stamp).map(Some)
            }
            None => Ok(None),
        }
    }

    async fn get_many(&self, kind: RecordKind, names: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        let client = self.client().await?;
        let rows =
            answered(sql::get_credentials().bind(&client, &kind.as_str(), &names, &self.ownership.keyring.0).all())
                .await?;
        self.check_epoch(rows.first().map(|row| row.epoch))?;
        let found = rows.into_iter().filter_map(|row| Some((row.name?, row.sealed?, row.stamp?)));
        found.map(|(name, sealed, stamp)| self.open(kind, name, &sealed, stamp)).collect()
    }

    async fn list(&self, kind: RecordKind, prefix: &str, stamp_below: i64) -> Result<Vec<Entry>, StoreError> {
        let client = self.client().await?;
        let keyring = self.ownership.keyring.0;
        let rows =
            answered(sql::list_credentials().bind(&client, &kind.as_str(), &prefix, &stamp_below, &keyring).all())
                .await?;
        self.check_epoch(rows.first().map(|row| row.epoch))?;
        let found = rows.into_iter().filter_map(|row| Some((row.name?, row.sealed?, row.stamp?)));
        found.map(|(name, sealed, stamp)| self.open(kind, name, &sealed, stamp)).collect()
    }

    async fn newest(&self, kind: RecordKind, count: usize) -> Result<Vec<Entry>, StoreError> {
        let client = self.client().await?;
        let (keyring, count) = (self.ownership.keyring.0, i64::try_from(count).unwrap_or(i64::MAX));
        let rows =
            answered(sql::list_newest_credentials().bind(&client, &kind.as_str(), &count, &keyring).all()).await?;
        self.check_epoch(rows.first().map(|row| row.epoch))?;
        let found = rows.into_iter().filter_map(|row| Some((row.name?, row.sealed?, row.stamp?)));
        found.map(|(name, sealed, stamp)| self.open(kind, name, &sealed, stamp)).collect()
    }

    async fn names(&self, kind: RecordKind) -> Result<Vec<String>, StoreError> {
        let client = self.client().await?;
        let keyring = self.ownership.keyring.0;
        let rows = answered(sql::list_credential_names().bind(&client, &kind.as_str(), &keyring).all()).await?;
        self.check_epoch(rows.first().map(|row| row.epoch))?;
        Ok(rows.into_iter().filter_map(|row| row.name).collect())
    }

    async fn last_name(&self, kind: RecordKind) -> Result<Option<String>, StoreError> {
        let client = self.client().await?;
        let keyring = self.ownership.keyring.0;
        let row = answered(sql::get_last_credential_name().bind(&client, &kind.as_str(), &keyring).opt()).await?;
        self.check_epoch(row.as_ref().map(|row| row.epoch))?;
        Ok(row.and_then(|row| row.name))
    }

    async fn has_prefix(&self, kinds: &[RecordKind], prefixes: Vec<String>) -> Result<bool, StoreError> {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        let client = self.client().await?;
        let keyring = self.ownership.keyring.0;
        let row = answered(sql::has_credential_with_prefix().bind(&client, &prefixes, &kinds, &keyring).opt()).await?;
        self.check_epoch(row.as_ref().map(|row| row.epoch))?;
        Ok(row.is_some_and(|row| row.found))
    }

    async fn put(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let mut others = entries;
        self.carried.keep(others.extract_if(.., |entry| entry.kind == RecordKind::PendingInbound).collect());
        self.carried.keep_sent(others.extract_if(.., |entry| entry.kind == RecordKind::SentMessage).collect());
        if others.is_empty() { Ok(()) } else { self.write(others, Vec::new()).await }
    }

    async fn add(&self, entries: Vec<Entry>) -> Result<Vec<String>, StoreError> {
        let mut adding = self.carried.add(entries);
        if let Some(known) = self.carried_along(&mut adding).await {
            return Ok(known);
        }
        let written = self.write(Vec::new(), Vec::new()).await;
        match (adding.known.try_recv(), written) {
            (Ok(known), _) => Ok(known),
            (Err(_), Err(failure)) => Err(failure),
            (Err(_), Ok(())) => Err(StoreError::Unavailable("records were not added".to_owned())),
        }
    }

    async fn delete(&self, kind: RecordKind, which: Selection) -> Result<u64, StoreError> {
        let mut in_memory = 0;
        match &which {
            Selection::Names(names) if kind == RecordKind::PendingInbound => {
                self.carried.delete_copies(names.clone());
                return self.failure().map_or(Ok(0), Err);
            }
            Selection::StampBelow(bound) if kind == RecordKind::PendingInbound => {
                in_memory = self.carried.expire_copies(*bound);
            }
            Selection::Names(_) | Selection::Prefix(_) | Selection::SecondPart(_) | Selection::StampBelow(_) => {}
        }
        if kind == RecordKind::SentMessage {
            self.write_sent().await?;
        }
        let Ownership { account, keyring, owner, fence, epoch } = self.ownership;
        let (account, keyring, fence, epoch, kind) = (&account.0, &keyring.0, &fence.0, &epoch, &kind.as_str());
        let (_alone, client) = self.writer().await?;
        let (held, epoch, written) = match &which {
            Selection::Names(names) => {
                let statement = sql::delete_credentials();
                let bound = statement.bind(&client, account, &owner, fence, keyring, epoch, kind, names);
                let outcome = self.outcome_of(bound.one()).await?;
                (outcome.held, outcome.epoch, outcome.written)
            }
            Selection::Prefix(prefix) => {
                let statement = sql::delete_credentials_with_prefix();
                let bound = statement.bind(&client, account, &owner, fence, keyring, epoch, kind, prefix);
                let outcome = self.outcome_of(bound.one()).await?;
                (outcome.held, outcome.epoch, outcome.written)
            }
            Selection::SecondPart(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| record_key::one(part)).collect();
                let statement = sql::delete_credentials_with_second_part();
                let bound = statement.bind(&client, account, &owner, fence, keyring, epoch, kind, &parts);
                let outcome = self.outcome_of(bound.one()).await?;
                (outcome.held, outcome.epoch, outcome.written)
            }
            Selection::StampBelow(bound) => {
                let statement = sql::delete_expired_credentials();
                let bound = statement.bind(&client, account, &owner, fence, keyring, epoch, kind, bound);
                let outcome = self.outcome_of(bound.one()).await?;
                (outcome.held, outcome.epoch, outcome.written)
            }
        };
        self.check_write(held, epoch)?;
        Ok(u64::try_from(written).unwrap_or(0) + in_memory)
    }
}

/// Held while something is under way. Dropped before [`FailOnDrop::done`], for example because its
/// task was cancelled, it fails the records.
struct FailOnDrop<'a> {
    records: Option<&'a Rows>,
    with: Failure,
}

impl FailOnDrop<'_> {
    fn done(mut self) {
        self.records = None;
    }
}

impl Drop for FailOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(records) = self.records {
            records.fail(self.with);
        }
    }
}

/// The rows of a write, a vector for each column.
#[derive(Default)]
struct Columns {
    kinds: Vec<&'static str>,
    names: Vec<String>,
    sealed: Vec<Vec<u8>>,
    stamps: Vec<i64>,
}

impl Failure {
    fn to_error(self, keyring: KeyringId) -> StoreError {
        match self {
            Self::Fenced => StoreError::Fenced,
            Self::Unanswered => StoreError::Unavailable(format!(
                "the database never answered a write; keyring {keyring} must be opened again"
            )),
            Self::Reopened => StoreError::Unavailable(format!(
                "keyring {keyring} was opened by a newer connection; this one may write no more and must end"
            )),
            Self::Erased => StoreError::Poisoned(format!("keyring {keyring} was erased")),
            Self::Unread => {
                StoreError::Unavailable(format!("a record could not be read; keyring {keyring} must be opened again"))
            }
            Self::MessageUnwritten => StoreError::Unavailable(format!(
                "a message could not be written; keyring {keyring} must be opened again"
            )),
        }
    }
}

/// Waits for a read, or for a write that may safely land late. One that is not answered
/// fails nothing else.
pub(super) async fn answered<T>(
    statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    pool::bounded(statement).await.map_err(may_pass)
}

fn unavailable(error: &tokio_postgres::Error) -> StoreError {
    may_pass(pool::store_error(error))
}

/// No content of a record can be invalid for the database. A refusal comes from something
/// that can be removed (a trigger, a constraint), so the keys are retried until then.
fn may_pass(error: StoreError) -> StoreError {
    match error {
        StoreError::Refused(said) => StoreError::Unavailable(said),
        other @ (StoreError::Fenced | StoreError::Overtaken | StoreError::Poisoned(_) | StoreError::Unavailable(_)) => {
            other
        }
    }
}
