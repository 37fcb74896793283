//! Privacy tokens that were read lately. Every message that is sent to somebody reads one, and they change
//! once in some days.

use std::collections::BTreeMap;

use super::records::Entry;

/// A token takes some 200 bytes, and an account that sends to nobody keeps none.
const KEPT: usize = 256;

/// By the names of the records; `None` where there is no record.
#[derive(Default)]
pub(crate) struct TokenMemory(BTreeMap<String, Option<Entry>>);

impl TokenMemory {
    /// What is known of this record, if it is.
    pub fn get(&self, name: &str) -> Option<Option<Entry>> {
        self.0.get(name).cloned()
    }

    /// What is in the rows. When there is no place left the others are read again.
    pub fn keep(&mut self, name: String, entry: Option<Entry>) {
        if self.0.len() >= KEPT && !self.0.contains_key(&name) {
            self.0 = BTreeMap::new();
        }
        self.0.insert(name, entry);
    }

    /// It is being written: what the rows say of it is known again when they have it.
    pub fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub fn forget_all(&mut self) {
        self.0 = BTreeMap::new();
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::RecordKind;
    use super::*;

    #[test]
    fn tokens_are_kept_until_they_are_written_or_are_too_many() {
        let mut memory = TokenMemory::default();
        let token = |name: &str| Some(Entry::new(RecordKind::TcToken, name.to_owned(), *b"token"));
        memory.keep("a".to_owned(), token("a"));
        memory.keep("b".to_owned(), None);
        assert!(
            memory.get("a").is_some_and(|kept| kept.is_some()) && memory.get("b").is_some_and(|kept| kept.is_none())
        );
        assert!(memory.get("c").is_none());
        memory.forget("a");
        assert!(memory.get("a").is_none() && memory.get("b").is_some());
        for nth in 0..3 * KEPT {
            let name = nth.to_string();
            memory.keep(name.clone(), token(&name));
            assert!(memory.0.len() <= KEPT && memory.get(&name).is_some());
        }
        memory.forget_all();
        assert!(memory.0.is_empty());
    }
}
