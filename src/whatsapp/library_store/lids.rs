//! Which LID has which number: what the library would otherwise keep in memory for all contacts and
//! members of groups that an account ever had, and read as a whole at each start. Here it asks for
//! each mapping when it needs it.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use futures_util::FutureExt as _;
use paird_actors::domain::StoreError;
use tokio::time::Instant;
use wacore::store::cache::CacheStore;
use wacore::store::error::StoreError as LibraryError;
use wacore::store::traits::LidPnMappingEntry;
use wacore::time::now_secs;
use wacore::types::{LearningSource, LidPnEntry};

use super::super::keys::store_error;
use super::{Kept, refused};
use crate::credentials::Keyring;
use crate::credentials::lid_memory::{LidMemory, LidOfNumber, Side};
use crate::credentials::record_key;
use crate::credentials::records::{Entry, RecordKind, unreadable};

/// How many mappings the library is given at a start: those that were written last. It keeps
/// hashes of them, by which WhatsApp names people whose devices have changed, and does not look
/// for their former sessions by number with their first message. The others cost that message
/// four reads, and a person whom nobody knows two; none where these are all.
const AT_START: usize = 512;
const SECONDS_A_DAY: i64 = 24 * 3600;
/// How long a mapping may stay unread before the connection ends.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
const READ_RETRY: Duration = Duration::from_millis(250);

/// Positions in this list are in memory alone.
const SOURCES: [LearningSource; 11] = [
    LearningSource::Other,
    LearningSource::Usync,
    LearningSource::PeerPnMessage,
    LearningSource::PeerLidMessage,
    LearningSource::RecipientLatestLid,
    LearningSource::MigrationSyncLatest,
    LearningSource::MigrationSyncOld,
    LearningSource::BlocklistActive,
    LearningSource::BlocklistInactive,
    LearningSource::Pairing,
    LearningSource::DeviceNotification,
];

#[async_trait]
impl CacheStore for Keyring {
    /// The library takes an error for a person whom nobody knows, and would use another of their
    /// names, under which there is no session. So what cannot be read ends the connection.
    async fn get(&self, namespace: &str, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let side = side(namespace)?;
        let began = Instant::now();
        let found = loop {
            match self.mapping(side, key).await {
                Err(failure) if began.elapsed() < READ_TIMEOUT && self.may_be_read_later(&failure) => {
                    tokio::time::sleep(READ_RETRY).await;
                }
                found => break found,
            }
        };
        let found = found.inspect_err(|_| self.unread())?;
        let entry = found.map(|found| {
            let source = LearningSource::parse(&found.learning_source);
            LidPnEntry::with_timestamp(found.lid, found.phone_number, found.created_at, source)
        });
        Ok(entry.map(|entry| serde_json::to_vec(&entry)).transpose()?)
    }

    /// What the library has learned, and perhaps stores later.
    async fn set(&self, namespace: &str, _: &str, value: &[u8], _: Option<Duration>) -> anyhow::Result<()> {
        let entry: LidPnEntry = serde_json::from_slice(value).context("a mapping of another form")?;
        let mapping = LidPnMappingEntry {
            lid: entry.lid.to_string(),
            phone_number: entry.phone_number.to_string(),
            created_at: entry.created_at,
            updated_at: entry.created_at,
            learning_source: entry.learning_source.as_str().to_owned(),
        };
        let Some(new) = remembered(&mapping, 0) else {
            return Ok(self.write_lid_mappings(&[mapping]).await?);
        };
        // The library cannot keep it elsewhere.
        let has_room = self.make_room_for_lids().await;
        self.lids().learn(side(namespace)?, new);
        Ok(has_room?)
    }

    /// The library only ever replaces mappings.
    async fn delete(&self, _: &str, _: &str) -> anyhow::Result<()> {
        bail!("a mapping cannot be deleted")
    }

    async fn clear(&self, _: &str) -> anyhow::Result<()> {
        bail!("mappings cannot be deleted")
    }

    async fn entry_count(&self, namespace: &str) -> anyhow::Result<u64> {
        Ok(self.lids().len(side(namespace)?) as u64)
    }
}

/// The library's names of its two maps.
fn side(namespace: &str) -> anyhow::Result<Side> {
    match namespace {
        "lid_pn_by_lid" => Ok(Side::Lid),
        "lid_pn_by_pn" => Ok(Side::Phone),
        other => bail!("a map of LIDs is called {other:?}"),
    }
}

impl Keyring {
    fn may_be_read_later(&self, failure: &LibraryError) -> bool {
        matches!(store_error(failure), StoreError::Unavailable(_)) && self.failed().now_or_never().is_none()
    }

    /// Of a number through the LID that was last seen with it. If that LID has another number by
    /// now, the owner of this one is unknown.
    pub(super) async fn mapping(&self, side: Side, key: &str) -> Kept<Option<LidPnMappingEntry>> {
        if let Some(known) = self.remembered_mapping(side, key) {
            return Ok(known);
        }
        let since = self.lids().changes();
        let mut read = self.read_mapping(side, key).await?;
        let mut known = read.as_ref().map(|read| remembered(&read.mapping, read.written_on));
        // The record may be older than what the library has learned of this LID since.
        if let Some(Some(stale)) = known
            && side == Side::Phone
            && matches!(self.lids().get(Side::Lid, stale.lid), Some(Some(now)) if now.phone != stale.phone)
        {
            (known, read) = (None, None);
        }
        // One that cannot be kept is read again each time.
        if let (Some(digits), None | Some(Some(_))) = (digits(key), known) {
            self.make_room_for_lids().await?;
            let mut lids = self.lids();
            lids.fill(side, digits, known.flatten(), since);
            if let Some(known) = known.flatten() {
                lids.fill(Side::Lid, known.lid, Some(known), since);
            }
        }
        Ok(read.map(|read| read.mapping))
    }

    /// The outer `None`: it has to be read.
    fn remembered_mapping(&self, side: Side, key: &str) -> Option<Option<LidPnMappingEntry>> {
        let known = self.lids().get(side, digits(key)?)?;
        Some(known.as_ref().map(said))
    }

    async fn read_mapping(&self, side: Side, key: &str) -> Kept<Option<Read>> {
        let name = match side {
            Side::Lid => record_key::one(key),
            Side::Phone => {
                let Some(name) = self.value(RecordKind::LidOfPhone, record_key::one(key)).await? else {
                    return Ok(None);
                };
                String::from_utf8(name).map_err(|_| refused(unreadable(RecordKind::LidOfPhone)))?
            }
        };
        let Some(entry) = self.get(RecordKind::LidMapping, &name).await? else { return Ok(None) };
        let mapping: LidPnMappingEntry = entry.parse().map_err(refused)?;
        let is_asked_for = side == Side::Lid || mapping.phone_number == key;
        Ok(is_asked_for.then(|| Read { mapping, written_on: day(entry.stamp) }))
    }

    /// A mapping that stays as it is is written once a day, so that it is among the newest at the
    /// next start.
    pub(super) async fn write_lid_mappings(&self, entries: &[LidPnMappingEntry]) -> Kept<()> {
        let now = now_secs();
        let mut records = Vec::with_capacity(entries.len() * 2);
        let mut written = Vec::with_capacity(entries.len());
        let mut not_kept = Vec::new();
        for entry in entries {
            let new = remembered(entry, day(now));
            if new.is_some_and(|new| self.lids().has(new)) {
                continue;
            }
            let lid_name = record_key::one(&entry.lid);
            let is_outdated = self.has_newer_lid(entry).await?;
            if !is_outdated {
                let phone = record_key::one(&entry.phone_number);
                records.push(Entry::new(RecordKind::LidOfPhone, phone, lid_name.as_str()));
            }
            let record = Entry::json(RecordKind::LidMapping, lid_name, entry).map_err(refused)?;
            records.push(record.stamped(now));
            match new {
                Some(new) => written.push((new, !is_outdated)),
                None => not_kept.push((digits(&entry.lid), digits(&entry.phone_number))),
            }
        }
        self.put_all(records).await?;
        let mut lids = self.lids();
        for (new, for_phone) in written {
            lids.wrote(new, for_phone);
        }
        for (lid, phone) in not_kept {
            lids.forget(lid, phone);
        }
        Ok(())
    }

    /// The number has a LID that was learned later. What the library knows to be old it dates 1970.
    async fn has_newer_lid(&self, entry: &LidPnMappingEntry) -> Kept<bool> {
        let known = match self.remembered_mapping(Side::Phone, &entry.phone_number) {
            Some(known) => known,
            None => self.read_mapping(Side::Phone, &entry.phone_number).await?.map(|read| read.mapping),
        };
        Ok(known.is_some_and(|known| known.lid != entry.lid && known.created_at > entry.created_at))
    }

    /// Those that were written last, which the library hands back to [`CacheStore::set`] at once.
    pub(super) async fn newest_lid_mappings(&self) -> Kept<Vec<LidPnMappingEntry>> {
        let since = self.lids().changes();
        let mut entries = self.records().await.newest(RecordKind::LidMapping, AT_START).await.map_err(refused)?;
        entries.sort_by_key(|entry| entry.stamp);
        let mut are_all = entries.len() < AT_START;
        let mut mappings = Vec::with_capacity(entries.len());
        let mut of_phones: HashMap<u64, LidOfNumber> = HashMap::with_capacity(entries.len());
        for entry in entries {
            let mapping: LidPnMappingEntry = entry.parse().map_err(refused)?;
            if let Some(known) = remembered(&mapping, day(entry.stamp)) {
                self.lids().fill(Side::Lid, known.lid, Some(known), since);
                // The number of a mapping that is dated 1970 may have a newer one.
                let is_newest = of_phones.get(&known.phone).is_none_or(|other| other.created_at <= known.created_at);
                if known.created_at > 0 && is_newest {
                    of_phones.insert(known.phone, known);
                }
                are_all &= known.created_at > 0;
            } else {
                are_all = false;
            }
            mappings.push(mapping);
        }
        let mut lids = self.lids();
        for (phone, known) in of_phones {
            lids.fill(Side::Phone, phone, Some(known), since);
        }
        if are_all {
            lids.complete(since);
        }
        Ok(mappings)
    }

    async fn make_room_for_lids(&self) -> Kept<()> {
        let unwritten: Vec<_> = self.lids().unwritten_oldest().iter().map(said).collect();
        if !unwritten.is_empty() {
            self.write_lid_mappings(&unwritten).await?;
        }
        self.lids().make_room();
        Ok(())
    }

    /// A change is one call that cannot panic half-way.
    fn lids(&self) -> MutexGuard<'_, LidMemory> {
        self.lids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mapping out of its record.
struct Read {
    mapping: LidPnMappingEntry,
    written_on: u32,
}

/// `None` for what cannot be kept in so little: no real mapping is like that.
fn remembered(mapping: &LidPnMappingEntry, written_on: u32) -> Option<LidOfNumber> {
    let source = LearningSource::parse(&mapping.learning_source);
    let known = LidOfNumber {
        lid: digits(&mapping.lid)?,
        phone: digits(&mapping.phone_number)?,
        created_at: mapping.created_at,
        source: SOURCES.iter().position(|one| *one == source).and_then(|at| u8::try_from(at).ok())?,
        written_on,
    };
    let is_all = mapping.updated_at == mapping.created_at && mapping.learning_source == source.as_str();
    is_all.then_some(known)
}

fn said(known: &LidOfNumber) -> LidPnMappingEntry {
    let source = SOURCES.get(usize::from(known.source)).unwrap_or(&LearningSource::Other);
    LidPnMappingEntry {
        lid: known.lid.to_string(),
        phone_number: known.phone.to_string(),
        created_at: known.created_at,
        updated_at: known.created_at,
        learning_source: source.as_str().to_owned(),
    }
}

/// Only what is written in the same way again.
fn digits(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// Never 0, which says that there is no record.
fn day(stamp: i64) -> u32 {
    u32::try_from(stamp / SECONDS_A_DAY).unwrap_or_default().max(1)
}
