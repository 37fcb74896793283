//! Reads the history that a phone sends to a device which it has just linked, for what later messages
//! need: the tokens by which contacts let this account write to them, the salt that makes tokens for
//! others, and the LIDs of numbers. Everything else in it, what was said above all, is dropped.
//!
//! Nothing waits for it: the message that announces a file is acknowledged once that is noted in the
//! device's record, and the file is fetched beside everything else, a few at a time in the whole
//! daemon; after a crash, at the next login. The phone is a stranger: how much of a file is taken,
//! and how many files, has a limit. The phone is told that it was read once what was found
//! is stored. The library would do so before it fetches the file.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use paird_actors::domain::{Incarnation, StoreError};
use thiserror::Error;
use tokio::sync::{Notify, Semaphore, watch};
use wacore::{
    history_sync::{HistorySyncResult, TcTokenCandidate, process_history_sync_bytes_filtered},
    messages::DetachedHistorySyncNotification,
    store::commands::DeviceCommand,
    types::LearningSource,
};
use wacore_binary::{Jid, builder::NodeBuilder};
use waproto::{
    buffa::Message as _,
    whatsapp::message::{HistorySyncNotification, HistorySyncType},
};
use whatsapp_rust::{Client, async_channel::Receiver, bytes::Bytes, sync_task::MajorSyncTask};

use super::{
    super::keys::{LinkKeys, store_error},
    Shell,
};

/// Files that are fetched at the same time. A connection that is cut frees its place at once,
/// though its download may go on for some minutes.
const FETCHES_AT_ONCE: usize = 4;
/// Files that are inflated and stored at the same time, each up to 64 MiB in memory.
const READS_AT_ONCE: usize = 2;
/// Announcements of one connection that are heeded: a phone makes some dozens.
const MOST_ANNOUNCED: usize = 256;
const LONGEST_ANNOUNCEMENT: usize = 4096;
/// Of LIDs and of tokens, what is taken of one file.
const MOST: usize = 50_000;
/// LIDs that are learned at a time: the library holds a lock meanwhile that each message waits for.
const LIDS_AT_ONCE: usize = 256;
/// Bytes of a token, and of the salt.
const LONGEST_TOKEN: usize = 1024;
/// The pauses before a file is asked for again. Then it is given up.
const RETRIES: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(3),
];

/// How long an announcement may take to be noted. It is acknowledged after that all the same.
const NOTE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Error)]
enum ReadError {
    /// Trying again may do.
    #[error("not fetched")]
    NotFetched,
    #[error("not stored: {0}")]
    NotStored(#[from] StoreError),
    #[error("no history")]
    Unreadable,
    #[error("the connection is over")]
    Over,
}

/// The turns of all connections of a daemon.
pub(in crate::whatsapp) struct HistoryTurns {
    fetching: Semaphore,
    reading: Semaphore,
}

impl Default for HistoryTurns {
    fn default() -> Self {
        Self { fetching: Semaphore::new(FETCHES_AT_ONCE), reading: Semaphore::new(READS_AT_ONCE) }
    }
}

/// The histories of one connection.
pub(in crate::whatsapp) struct Histories {
    keys: Arc<dyn LinkKeys>,
    turns: Arc<HistoryTurns>,
    /// The messages whose announcements a crash would not lose.
    noted: watch::Sender<BTreeSet<String>>,
    /// What was left out and has been logged.
    left_out: Mutex<BTreeSet<&'static str>>,
    logged_in: Notify,
}

impl Histories {
    pub(in crate::whatsapp) fn new(keys: Arc<dyn LinkKeys>, turns: Arc<HistoryTurns>) -> Self {
        let noted = keys.unread_histories().into_keys().collect();
        let noted = watch::Sender::new(noted);
        Self { keys, turns, noted, left_out: Mutex::default(), logged_in: Notify::new() }
    }

    /// Takes over what the library leaves to a worker. Ends with the connection.
    pub(in crate::whatsapp) fn start(self: &Arc<Self>, shell: &Arc<Shell>, tasks: Receiver<MajorSyncTask>) {
        let (of, histories) = (Arc::clone(shell), Arc::clone(self));
        drop(shell.runtime.start(async move {
            while let Ok(task) = tasks.recv().await {
                let Some(client) = of.client() else { return };
                match task {
                    MajorSyncTask::HistorySync { message_id, notification, tracker } => {
                        let reader =
                            Reader { shell: Arc::clone(&of), histories: Arc::clone(&histories), id: message_id };
                        drop(of.runtime.start(async move {
                            reader.take(*notification).await;
                            drop(tracker);
                        }));
                    }
                    task @ MajorSyncTask::AppStateSync { .. } => client.process_sync_task(task).await,
                }
            }
        }));
        let (of, histories, left) = (Arc::clone(shell), Arc::clone(self), self.keys.unread_histories());
        drop(shell.runtime.start(async move {
            histories.logged_in.notified().await;
            for (id, announced) in left {
                let reader = Reader { shell: Arc::clone(&of), histories: Arc::clone(&histories), id };
                drop(of.runtime.start(async move { reader.take_up(&announced).await }));
            }
        }));
    }

    /// A login is complete: what an earlier connection left is read.
    pub(super) fn logged_in(&self) {
        self.logged_in.notify_one();
    }

    /// Waits until what this message announced is noted, or is known not to be heeded.
    pub(super) async fn until_noted(&self, id: &str) {
        let mut noted = self.noted.subscribe();
        let waiting = noted.wait_for(|noted| noted.len() >= MOST_ANNOUNCED || noted.contains(id));
        if tokio::time::timeout(NOTE_TIMEOUT, waiting).await.is_err() {
            tracing::warn!("the history that the phone announced could not be noted in time");
        }
    }

    /// Logged once: the phone chooses how much there is.
    fn leave_out(&self, incarnation: Incarnation, what: &'static str) {
        if self.left_out.lock().unwrap_or_else(PoisonError::into_inner).insert(what) {
            tracing::warn!(%incarnation, "{what} in the history that the phone announces; the rest is left out");
        }
    }

    fn is_noted(&self, id: &str) {
        self.noted.send_modify(|noted| {
            noted.insert(id.to_owned());
        });
    }
}

struct Reader {
    shell: Arc<Shell>,
    histories: Arc<Histories>,
    /// Of the message that announced it.
    id: String,
}

impl Reader {
    /// What was just announced.
    async fn take(&self, announced: DetachedHistorySyncNotification) {
        let note = announced.notification.encode_to_vec();
        if self.histories.noted.borrow().len() >= MOST_ANNOUNCED {
            return self.leave_out("too many parts");
        }
        if note.len() > LONGEST_ANNOUNCEMENT {
            self.leave_out("too long an announcement");
            return self.histories.is_noted(&self.id);
        }
        // One that came with the message needs no note.
        if has_something(&announced) && announced.inline_payload.is_none() {
            match self.note(Some(note)).await {
                Ok(()) => self.histories.is_noted(&self.id),
                Err(why) => tracing::debug!(incarnation = %self.shell.incarnation, %why, "a history is not noted"),
            }
        }
        self.read(&announced).await;
        self.histories.is_noted(&self.id);
    }

    /// What an earlier connection had noted.
    async fn take_up(&self, announced: &[u8]) {
        match HistorySyncNotification::decode_from_slice(announced) {
            Ok(notification) => self.read(&notification.into()).await,
            Err(_) => self.forget().await,
        }
    }

    async fn read(&self, announced: &DetachedHistorySyncNotification) {
        if has_something(announced) && !self.is_read(announced).await {
            return self.forget().await;
        }
        // Before the receipt, which waits until this is durable: else it would be read again.
        self.forget().await;
        // If this is lost, the phone may send it again.
        let _ = self.confirm().await;
    }

    /// Reads it, sooner or later. Says whether the phone may hear that it was read.
    async fn is_read(&self, announced: &DetachedHistorySyncNotification) -> bool {
        let incarnation = self.shell.incarnation;
        let mut retries = RETRIES.into_iter();
        while let Err(why) = self.try_to_read(announced).await {
            if matches!(why, ReadError::Unreadable) {
                tracing::warn!(%incarnation, "the history that the phone sent cannot be read");
                return true;
            }
            let Some(pause) = retries.next() else {
                tracing::warn!(%incarnation, %why, "the history that the phone sent is given up");
                return false;
            };
            tracing::debug!(%incarnation, %why, "the history that the phone sent is not read yet");
            tokio::time::sleep(pause).await;
        }
        true
    }

    /// In the device's record, whose writes the frames wait for.
    async fn note(&self, announced: Option<Vec<u8>>) -> Result<(), ReadError> {
        let client = self.client()?;
        self.histories.keys.note_history(&self.id, announced);
        let kept = client.persistence_manager();
        let device = kept.get_device_snapshot().to_serializable();
        kept.backend().save(&device).await.map_err(|failure| store_error(&failure))?;
        Ok(())
    }

    /// If this fails, it is read once more.
    async fn forget(&self) {
        if self.histories.keys.unread_histories().contains_key(&self.id) {
            let _ = self.note(None).await;
        }
    }

    async fn try_to_read(&self, announced: &DetachedHistorySyncNotification) -> Result<(), ReadError> {
        let HistoryTurns { fetching, reading } = &*self.histories.turns;
        let file = match &announced.inline_payload {
            Some(file) => file.clone(),
            None => {
                let _turn = fetching.acquire().await.map_err(|_| ReadError::Over)?;
                self.fetch(announced).await?
            }
        };
        let _turn = reading.acquire().await.map_err(|_| ReadError::Over)?;
        let parsing = tokio::task::spawn_blocking(move || {
            // What it would keep of messages are secrets that paird has no use for.
            process_history_sync_bytes_filtered(file, None, false, |_| false)
        });
        let found = parsing.await.map_err(|_| ReadError::Unreadable)?.map_err(|_| ReadError::Unreadable)?;
        self.store(found).await
    }

    /// Through the account's proxy, if it has one: by its own HTTP client.
    async fn fetch(&self, announced: &DetachedHistorySyncNotification) -> Result<Bytes, ReadError> {
        let client = self.client()?;
        // Its error may contain the address, with the token that opens it.
        client.download(&announced.notification).await.map(Bytes::from).map_err(|_| ReadError::NotFetched)
    }

    /// LIDs first: tokens are found by them.
    async fn store(&self, found: HistorySyncResult) -> Result<(), ReadError> {
        let client = self.client()?;
        let HistorySyncResult { nct_salt, tc_token_candidates, lid_mappings, .. } = found;
        let (tokens, mappings) = (tc_token_candidates.len(), lid_mappings.len());
        if tokens > MOST {
            self.leave_out("too many tokens");
        }
        if mappings > MOST {
            self.leave_out("too many people");
        }
        let tokens_and_salt =
            tc_token_candidates.iter().map(|token| token.tc_token.len()).chain(nct_salt.iter().map(Vec::len));
        if tokens_and_salt.max().is_some_and(|longest| longest > LONGEST_TOKEN) {
            self.leave_out("too long a token");
        }
        let pairs = lid_mappings.into_iter().take(MOST).map(|mapping| (mapping.lid, mapping.phone_number));
        let pairs: Vec<_> = pairs.collect();
        for some in pairs.chunks(LIDS_AT_ONCE) {
            let learned = client.add_lid_pn_mappings(some.to_vec(), LearningSource::Other).await;
            learned.map_err(|failure| unavailable(&failure))?;
        }
        let short = tc_token_candidates.into_iter().filter(|token| token.tc_token.len() <= LONGEST_TOKEN);
        for token in short.take(MOST) {
            store_token(&client, token).await?;
        }
        if let Some(salt) = nct_salt.filter(|salt| salt.len() <= LONGEST_TOKEN) {
            let kept = client.persistence_manager();
            kept.process_command(DeviceCommand::SetNctSaltFromHistorySync(salt)).await;
            kept.flush().await.map_err(|failure| store_error(&failure))?;
        }
        tracing::debug!(incarnation = %self.shell.incarnation, tokens, mappings, "read the history that the phone sent");
        Ok(())
    }

    /// As the library does it.
    async fn confirm(&self) -> Result<(), ReadError> {
        let client = self.client()?;
        let Some(own) = client.pn() else { return Ok(()) };
        let receipt = NodeBuilder::new("receipt")
            .attr("id", self.id.as_str())
            .attr("type", "hist_sync")
            .attr("to", own.to_non_ad_string())
            .build();
        client.send_node(receipt).await.map_err(|_| ReadError::Over)
    }

    fn leave_out(&self, what: &'static str) {
        self.histories.leave_out(self.shell.incarnation, what);
    }

    fn client(&self) -> Result<Arc<Client>, ReadError> {
        self.shell.client().ok_or(ReadError::Over)
    }
}

/// Whether a history of this kind has chats or LIDs.
fn has_something(announced: &DetachedHistorySyncNotification) -> bool {
    match announced.notification.sync_type {
        Some(HistorySyncType::INITIAL_STATUS_V3 | HistorySyncType::PUSH_NAME) => false,
        Some(_) | None => true,
    }
}

async fn store_token(client: &Client, token: TcTokenCandidate) -> Result<(), ReadError> {
    let Ok(jid) = token.id.parse::<Jid>() else { return Ok(()) };
    let known = client.get_lid_pn_entry(&jid).await.map_err(|failure| unavailable(&failure))?;
    let name = known.map_or_else(|| jid.user.to_string(), |known| known.lid.to_string());
    let kept = client.persistence_manager().backend();
    let at = i64::try_from(token.tc_token_timestamp).unwrap_or_default();
    let stored = kept.store_received_tc_token(&name, &token.tc_token, at).await;
    stored.map_err(|failure| store_error(&failure))?;
    if let Some(given) = token.tc_token_sender_timestamp.and_then(|given| i64::try_from(given).ok()) {
        let stored = kept.touch_tc_token_sender_timestamp(&name, given).await;
        stored.map_err(|failure| store_error(&failure))?;
    }
    Ok(())
}

fn unavailable(failure: &whatsapp_rust::anyhow::Error) -> ReadError {
    ReadError::NotStored(StoreError::Unavailable(format!("{failure:#}")))
}
