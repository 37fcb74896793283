//! Privacy tokens that were read lately. Every message that is sent to somebody reads one, and they change
//! once in some days.

use std::collections::BTreeMap;

use super::records::Entry;

/// A record takes up to some kilobytes, most some hundred bytes. An account that sends to nobody keeps none.
const KEPT: usize = 256;

#[derive(Default)]
pub(crate) struct TokenMemory {
    /// By the names of the records; `None` where there is no record.
    known: BTreeMap<String, Option<Entry>>,
    /// Rises with each change of the records.
    changes: u64,
}

impl TokenMemory {
    /// What is known of this record, if it is.
    pub fn get(&self, name: &str) -> Option<Option<Entry>> {
        self.known.get(name).cloned()
    }

    /// To be noted before a read, for [`Self::keep`].
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Keeps what was read, unless something was written since. When there is no place left the others
    /// are read again.
    pub fn keep(&mut self, name: String, entry: Option<Entry>, since: u64) {
        if self.changes != since {
            return;
        }
        if self.known.len() >= KEPT && !self.known.contains_key(&name) {
            self.known = BTreeMap::new();
        }
        self.known.insert(name, entry);
    }

    /// To be called before these records are written, and once that has ended, however it did.
    pub fn forget(&mut self, names: &[String]) {
        self.changes += 1;
        for name in names {
            self.known.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::RecordKind;
    use super::*;

    fn token(name: &str) -> Option<Entry> {
        Some(Entry::new(RecordKind::TcToken, name.to_owned(), *b"token"))
    }

    #[test]
    fn tokens_are_kept_until_they_are_written_or_are_too_many() {
        let mut memory = TokenMemory::default();
        memory.keep("a".to_owned(), token("a"), memory.changes());
        memory.keep("b".to_owned(), None, memory.changes());
        assert!(memory.get("a").unwrap().is_some() && memory.get("b").unwrap().is_none());
        assert!(memory.get("c").is_none());
        memory.forget(&["a".to_owned()]);
        assert!(memory.get("a").is_none() && memory.get("b").is_some());
        for nth in 0..3 * KEPT {
            let name = nth.to_string();
            memory.keep(name.clone(), token(&name), memory.changes());
            assert!(memory.known.len() <= KEPT && memory.get(&name).is_some());
        }
    }

    #[test]
    fn what_was_read_before_a_write_is_not_kept() {
        let mut memory = TokenMemory::default();
        let since = memory.changes();
        memory.forget(&["b".to_owned()]);
        memory.keep("a".to_owned(), token("a"), since);
        assert!(memory.get("a").is_none());
    }
}
