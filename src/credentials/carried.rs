//! What the next write of keys carries along, so that it takes no statement of its own.
//!
//! A message that was decrypted has its row before the keys that read it are written, as a rule.
//! So its copy is kept in memory, and goes with the first such write that comes before its row: the
//! keys are never durable without the message, and most copies are never written at all.
//!
//! A message that is sent is kept for devices that ask for it again, also once its row has no body any
//! more. Until then it can be made from the row, so it goes with the keys that encrypted it, and is lost
//! with the process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::records::{Entry, RecordKind};

/// How long something waits for a write to go with, if one is to be expected. The library writes
/// the keys that read a message 25 ms after it is done with it.
pub(super) const CARRIED_WITHIN: Duration = Duration::from_millis(500);

/// Of one keyring.
#[derive(Default)]
pub(super) struct Carried(Mutex<Waiting>);

/// `copies` and `gone` have no name in common.
#[derive(Default)]
struct Waiting {
    /// Of messages that were decrypted, by name.
    copies: BTreeMap<String, KeptCopy>,
    /// Copies to be deleted from the rows.
    gone: BTreeSet<String>,
    /// Copies of former connections, that were read from the rows and are to be kept anew.
    found: BTreeSet<String>,
    additions: Vec<Addition>,
    /// Messages that are being sent, with their numbers, by name.
    sent: BTreeMap<String, (u64, Entry)>,
    /// Numbers copies, additions and messages that are being sent.
    last: u64,
    /// Messages were read or encrypted since keys were last written: they will be.
    expects_keys: bool,
    /// Somebody looks after those that are gone and those that are sent, should no write come.
    is_looked_after: bool,
}

struct KeptCopy {
    entry: Entry,
    number: u64,
    /// A row of this name may exist.
    may_be_written: bool,
}

struct Addition {
    number: u64,
    entries: Vec<Entry>,
    /// Hears which of the names there were already.
    done: oneshot::Sender<Vec<String>>,
}

/// What one write carries.
pub(super) struct Load {
    pub copies: Vec<Entry>,
    pub gone: Vec<String>,
    pub sent: Vec<Entry>,
    pub added: Vec<Entry>,
    has_keys: bool,
    copy_numbers: Vec<u64>,
    addition_numbers: Vec<u64>,
    /// Of the last message in it that is being sent.
    last_sent: u64,
}

/// When keys that read messages will be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Not before the rows of messages are, which are on their way.
    RowsFirst,
    Soon,
    /// Nothing is known to have been read.
    Unknown,
}

/// Records that wait to be added. Dropped, they are not.
pub(super) struct Adding<'a> {
    carried: &'a Carried,
    number: u64,
    pub known: oneshot::Receiver<Vec<String>>,
}

impl Carried {
    /// Keeps copies of messages until they are deleted, or in the rows.
    pub fn keep(&self, copies: Vec<Entry>) {
        let mut waiting = self.lock();
        waiting.expects_keys |= !copies.is_empty();
        for entry in copies {
            waiting.last += 1;
            let number = waiting.last;
            let was_written = waiting.gone.remove(&entry.name) | waiting.found.remove(&entry.name);
            let former = waiting.copies.get(&entry.name).is_some_and(|former| former.may_be_written);
            let copy = KeptCopy { may_be_written: was_written || former, number, entry };
            waiting.copies.insert(copy.entry.name.clone(), copy);
        }
    }

    /// Keeps messages that are about to be encrypted, until they are in the rows: the keys with which
    /// they are will be written.
    pub fn keep_sent(&self, messages: Vec<Entry>) {
        let mut waiting = self.lock();
        waiting.expects_keys |= !messages.is_empty();
        for entry in messages {
            waiting.last += 1;
            let number = waiting.last;
            waiting.sent.insert(entry.name.clone(), (number, entry));
        }
    }

    /// The record of this kind and name, unless it is to be read from the rows; the inner `None` if it was
    /// deleted.
    pub fn get(&self, kind: RecordKind, name: &str) -> Option<Option<Entry>> {
        if kind == RecordKind::PendingInbound {
            return self.copy(name);
        }
        let is_sent = kind == RecordKind::SentMessage;
        is_sent.then(|| self.sent(name)).flatten().map(Some)
    }

    fn sent(&self, name: &str) -> Option<Entry> {
        self.lock().sent.get(name).map(|(_, entry)| entry.clone())
    }

    pub fn has_sent(&self) -> bool {
        !self.lock().sent.is_empty()
    }

    fn copy(&self, name: &str) -> Option<Option<Entry>> {
        let waiting = self.lock();
        let copy = waiting.copies.get(name).map(|copy| Some(copy.entry.clone()));
        copy.or_else(|| waiting.gone.contains(name).then_some(None))
    }

    /// A copy of this name was read from the rows.
    pub fn found(&self, name: &str) {
        self.lock().found.insert(name.to_owned());
    }

    /// Deletes copies. Those that are in the rows, or may be, go from there with the next write.
    pub fn delete_copies(&self, names: Vec<String>) {
        let mut waiting = self.lock();
        for name in names {
            let is_in_memory_alone = waiting.copies.remove(&name).is_some_and(|copy| !copy.may_be_written);
            if !is_in_memory_alone {
                waiting.gone.insert(name);
            }
        }
    }

    /// Deletes the copies that were stamped below this from memory; how many were there alone.
    pub fn expire_copies(&self, stamp_below: i64) -> u64 {
        let mut waiting = self.lock();
        let mut expired = 0;
        waiting.copies.retain(|_, copy| {
            let has_expired = copy.entry.stamp != 0 && copy.entry.stamp < stamp_below;
            expired += u64::from(has_expired && !copy.may_be_written);
            !has_expired
        });
        expired
    }

    /// Adds records with the next write.
    pub fn add(&self, entries: Vec<Entry>) -> Adding<'_> {
        let (done, known) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.last += 1;
        let number = waiting.last;
        waiting.additions.push(Addition { number, entries, done });
        Adding { carried: self, number, known }
    }

    /// What the next write of keys that read messages waits for.
    pub fn outlook(&self) -> Outlook {
        let waiting = self.lock();
        match (waiting.expects_keys, waiting.copies.is_empty()) {
            (true, false) => Outlook::RowsFirst,
            (true, true) => Outlook::Soon,
            (false, _) => Outlook::Unknown,
        }
    }

    /// Whether the caller is to see, [`CARRIED_WITHIN`] from now, that everything has been written.
    pub fn needs_looking_after(&self) -> bool {
        let mut waiting = self.lock();
        waiting.has_something_to_write() && !std::mem::replace(&mut waiting.is_looked_after, true)
    }

    /// The time is over. Whether something is left.
    pub fn looked_after(&self) -> bool {
        let mut waiting = self.lock();
        waiting.is_looked_after = false;
        waiting.has_something_to_write()
    }

    /// For the next write, of which there is one at a time. `with_copies`: it writes keys with which
    /// messages were read.
    pub fn load(&self, with_copies: bool) -> Load {
        let mut waiting = self.lock();
        let mut load = Load {
            copies: Vec::new(),
            gone: waiting.gone.iter().cloned().collect(),
            sent: waiting.sent.values().map(|(_, entry)| entry.clone()).collect(),
            added: waiting.additions.iter().flat_map(|addition| addition.entries.iter().cloned()).collect(),
            has_keys: with_copies,
            copy_numbers: Vec::new(),
            addition_numbers: waiting.additions.iter().map(|addition| addition.number).collect(),
            last_sent: waiting.last,
        };
        if with_copies {
            for copy in waiting.copies.values_mut() {
                copy.may_be_written = true;
                load.copies.push(copy.entry.clone());
                load.copy_numbers.push(copy.number);
            }
        }
        load
    }

    /// The write has been carried out. `known`: the names among the added that there were already,
    /// and that were left as they are.
    pub fn written(&self, load: &Load, known: &[String]) {
        let mut waiting = self.lock();
        // One that came under the same name meanwhile is not in the rows.
        waiting.copies.retain(|_, copy| !load.copy_numbers.contains(&copy.number));
        waiting.sent.retain(|_, (number, _)| *number > load.last_sent);
        waiting.expects_keys &= !(load.has_keys && waiting.copies.is_empty());
        for name in &load.gone {
            waiting.gone.remove(name);
        }
        let is_written = |addition: &mut Addition| load.addition_numbers.contains(&addition.number);
        for addition in waiting.additions.extract_if(.., is_written) {
            let names = addition.entries.iter().map(|entry| &entry.name);
            let _ = addition.done.send(names.filter(|name| known.contains(name)).cloned().collect());
        }
    }

    /// A change is one call that cannot panic half-way.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Whether something is to be written that nobody waits for.
    fn has_something_to_write(&self) -> bool {
        !self.gone.is_empty() || !self.sent.is_empty()
    }
}

impl Drop for Adding<'_> {
    fn drop(&mut self) {
        self.carried.lock().additions.retain(|addition| addition.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(value: &[u8]) -> Entry {
        Entry::new(RecordKind::PendingInbound, "one".to_owned(), value)
    }

    fn sent(value: &[u8]) -> Entry {
        Entry::new(RecordKind::SentMessage, "one".to_owned(), value)
    }

    fn delete(carried: &Carried) {
        carried.delete_copies(vec!["one".to_owned()]);
    }

    fn gone(carried: &Carried) -> Vec<String> {
        carried.load(false).gone
    }

    #[test]
    fn a_copy_that_no_write_took_leaves_no_trace() {
        let carried = Carried::default();
        carried.keep(vec![copy(b"hello")]);
        assert!(carried.load(false).copies.is_empty(), "no keys that read it are written");
        delete(&carried);
        assert!(carried.load(true).copies.is_empty());
        assert!(gone(&carried).is_empty() && !carried.needs_looking_after());
    }

    #[test]
    fn a_copy_goes_with_each_write_until_one_succeeds() {
        let carried = Carried::default();
        carried.keep(vec![copy(b"hello")]);
        assert_eq!(carried.load(true).copies.len(), 1);
        let load = carried.load(true);
        assert_eq!(load.copies.len(), 1, "the former write has failed");
        carried.written(&load, &[]);
        assert!(carried.load(true).copies.is_empty() && carried.copy("one").is_none(), "it is in the rows");
    }

    #[test]
    fn a_copy_deleted_during_its_write_goes_with_the_next() {
        let carried = Carried::default();
        carried.keep(vec![copy(b"hello")]);
        let load = carried.load(true);
        delete(&carried);
        carried.written(&load, &[]);
        assert_eq!(gone(&carried), ["one"]);
        assert!(matches!(carried.copy("one"), Some(None)), "whatever the rows say");
    }

    #[test]
    fn a_copy_kept_again_during_its_write_is_written_again() {
        let carried = Carried::default();
        carried.keep(vec![copy(b"hello")]);
        let load = carried.load(true);
        carried.keep(vec![copy(b"hello again")]);
        carried.written(&load, &[]);
        assert_eq!(carried.load(true).copies[0].value.as_slice(), b"hello again");
        delete(&carried);
        assert_eq!(gone(&carried), ["one"]);
    }

    #[test]
    fn a_copy_kept_again_is_not_deleted_by_an_older_word() {
        let carried = Carried::default();
        delete(&carried);
        carried.keep(vec![copy(b"hello")]);
        assert!(gone(&carried).is_empty());
        delete(&carried);
        assert_eq!(gone(&carried), ["one"], "a former one may be in the rows");
    }

    #[test]
    fn a_copy_of_a_former_connection_is_deleted_from_the_rows() {
        let carried = Carried::default();
        carried.found("one");
        assert!(gone(&carried).is_empty(), "its message has no row yet");
        carried.keep(vec![copy(b"hello")]);
        delete(&carried);
        assert_eq!(gone(&carried), ["one"]);
    }

    #[test]
    fn what_is_gone_is_looked_after_by_one_at_a_time() {
        let carried = Carried::default();
        delete(&carried);
        assert!(carried.needs_looking_after() && !carried.needs_looking_after());
        assert!(carried.looked_after() && carried.needs_looking_after());
    }

    #[test]
    fn keys_are_expected_from_a_message_on_until_they_come() {
        let carried = Carried::default();
        assert_eq!(carried.outlook(), Outlook::Unknown);
        carried.keep(vec![copy(b"hello")]);
        assert_eq!(carried.outlook(), Outlook::RowsFirst);
        delete(&carried);
        carried.written(&carried.load(false), &[]);
        assert_eq!(carried.outlook(), Outlook::Soon, "other records were written");
        carried.written(&carried.load(true), &[]);
        assert_eq!(carried.outlook(), Outlook::Unknown);
    }

    #[test]
    fn a_message_that_is_sent_lets_keys_be_expected() {
        let carried = Carried::default();
        carried.keep_sent(vec![sent(b"hello")]);
        carried.written(&carried.load(false), &[]);
        assert_eq!(carried.outlook(), Outlook::Soon, "other records were written");
        carried.written(&carried.load(true), &[]);
        assert_eq!(carried.outlook(), Outlook::Unknown);
    }

    #[test]
    fn a_message_that_is_sent_goes_with_any_write() {
        let carried = Carried::default();
        carried.keep_sent(vec![sent(b"hello")]);
        let failed = carried.load(false);
        assert_eq!(failed.sent.len(), 1);
        let load = carried.load(false);
        assert!(carried.has_sent() && carried.sent("one").is_some(), "not written yet");
        carried.keep_sent(vec![sent(b"hello again")]);
        carried.written(&load, &[]);
        assert_eq!(carried.sent("one").unwrap().value.as_slice(), b"hello again", "which came meanwhile");
        carried.written(&carried.load(false), &[]);
        assert!(!carried.has_sent() && carried.sent("one").is_none(), "it is in the rows");
    }

    #[test]
    fn a_message_that_is_sent_is_looked_after() {
        let carried = Carried::default();
        carried.keep_sent(vec![sent(b"hello")]);
        assert!(carried.needs_looking_after() && !carried.needs_looking_after());
        assert!(carried.looked_after(), "no write came");
        carried.written(&carried.load(false), &[]);
        assert!(!carried.needs_looking_after() && !carried.looked_after());
    }

    #[test]
    fn an_addition_hears_which_names_there_were() {
        let carried = Carried::default();
        let mut first = carried.add(vec![copy(b"1")]);
        let load = carried.load(false);
        let mut late = carried.add(vec![copy(b"2")]);
        carried.written(&load, &["one".to_owned()]);
        assert_eq!(first.known.try_recv().unwrap(), ["one"]);
        late.known.try_recv().unwrap_err();
        drop(late);
        assert!(carried.load(false).added.is_empty(), "nobody waits for it");
    }
}
