//! Which LID has which number, in memory: the only records that are read more often than once. The
//! library asks for a mapping with each message, and in a group for each member, so a mapping is
//! kept after it was read, and so is the knowledge that there is none. An account may come to know
//! tens of thousands, so only those are kept that were asked for lately.

use std::collections::HashMap;

/// So many are kept at least, of those asked for last; at most twice as many. A group has up to
/// 1,024 members, and is asked for as a whole: with less room each message to it would read all
/// of them from the database.
pub(crate) const GENERATION: usize = 1_024;

/// That a LID has a number. Both are digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LidOfNumber {
    pub lid: u64,
    pub phone: u64,
    /// Unix seconds.
    pub created_at: i64,
    /// Where it was learned, by the position in a list of the reader's.
    pub source: u8,
    /// The day on which its record was written last, counted from 1970; 0 while there is none.
    pub written_on: u32,
}

impl LidOfNumber {
    fn is_written(&self) -> bool {
        self.written_on != 0
    }

    /// The same, whenever it was written.
    pub fn says_the_same(&self, other: &Self) -> bool {
        Self { written_on: 0, ..*self } == Self { written_on: 0, ..*other }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Lid,
    Phone,
}

#[derive(Default)]
pub(crate) struct LidMemory {
    by_lid: Recent,
    by_phone: Recent,
    /// Every record is in memory: what is not has none.
    is_all: bool,
    /// Rises with each change of what is written, or is not.
    changes: u64,
}

/// What is kept of one side; `None` for what is known to have no record.
#[derive(Default)]
struct Recent {
    young: HashMap<u64, Option<LidOfNumber>>,
    old: HashMap<u64, Option<LidOfNumber>>,
}

impl LidMemory {
    /// The outer `None`: it is not in memory.
    pub fn get(&mut self, side: Side, key: u64) -> Option<Option<LidOfNumber>> {
        let is_all = self.is_all;
        self.side(side).get(key).or_else(|| is_all.then_some(None))
    }

    /// Hand it to [`Self::fill`] with what was read meanwhile.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// What a record says, or that there is none, unless something changed since the reading began.
    pub fn fill(&mut self, side: Side, key: u64, read: Option<LidOfNumber>, since: u64) {
        if since == self.changes {
            self.side(side).insert(key, read);
        }
    }

    /// What was filled in since then is all that there is.
    pub fn complete(&mut self, since: u64) {
        self.is_all = since == self.changes;
    }

    /// Both sides are written like this, on this day.
    pub fn has(&mut self, exactly: LidOfNumber) -> bool {
        self.by_lid.get(exactly.lid) == Some(Some(exactly)) && self.by_phone.get(exactly.phone) == Some(Some(exactly))
    }

    /// The library has learned it. Its record may follow.
    pub fn learn(&mut self, side: Side, new: LidOfNumber) {
        let key = if side == Side::Lid { new.lid } else { new.phone };
        if self.side(side).get(key).flatten().is_some_and(|known| known.says_the_same(&new)) {
            return;
        }
        self.changes += 1;
        self.forget_former_numbers(&new);
        self.side(side).insert(key, Some(new));
    }

    /// Its records were written: of both sides, or of the LID alone.
    pub fn wrote(&mut self, new: LidOfNumber, for_phone: bool) {
        self.changes += 1;
        self.forget_former_numbers(&new);
        self.by_lid.replace(new.lid, new, self.is_all);
        if for_phone {
            self.by_phone.replace(new.phone, new, self.is_all);
        }
    }

    /// Something was written of these that cannot be kept here, so they are to be read.
    pub fn forget(&mut self, lid: Option<u64>, phone: Option<u64>) {
        self.changes += 1;
        self.is_all = false;
        for (side, key) in [(&mut self.by_lid, lid), (&mut self.by_phone, phone)] {
            if let Some(key) = key {
                side.young.remove(&key);
                side.old.remove(&key);
            }
        }
    }

    /// The oldest ones would have to go, and no record says so much: they are to be written first.
    pub fn unwritten_oldest(&self) -> Vec<LidOfNumber> {
        let full = [&self.by_lid, &self.by_phone].into_iter().filter(|side| side.is_full());
        full.flat_map(|side| side.old.values().flatten()).filter(|one| !one.is_written()).copied().collect()
    }

    /// The oldest ones go, if there are too many.
    pub fn make_room(&mut self) {
        for side in [&mut self.by_lid, &mut self.by_phone] {
            if side.is_full() {
                self.is_all &= side.old.is_empty();
                side.old = std::mem::take(&mut side.young);
            }
        }
    }

    pub fn len(&self, side: Side) -> usize {
        let of = if side == Side::Lid { &self.by_lid } else { &self.by_phone };
        of.young.len() + of.old.len()
    }

    /// A number that this LID had before has no LID now, until another is learned.
    fn forget_former_numbers(&mut self, new: &LidOfNumber) {
        for generation in [&mut self.by_phone.young, &mut self.by_phone.old] {
            generation.retain(|phone, known| *phone == new.phone || known.is_none_or(|known| known.lid != new.lid));
        }
    }

    fn side(&mut self, side: Side) -> &mut Recent {
        match side {
            Side::Lid => &mut self.by_lid,
            Side::Phone => &mut self.by_phone,
        }
    }
}

impl Recent {
    fn get(&mut self, key: u64) -> Option<Option<LidOfNumber>> {
        if let Some(found) = self.young.get(&key) {
            return Some(*found);
        }
        let found = *self.old.get(&key)?;
        // Otherwise each generation could become larger than the one before.
        if !self.is_full() {
            self.insert(key, found);
        }
        Some(found)
    }

    fn insert(&mut self, key: u64, value: Option<LidOfNumber>) {
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// Where it is; one that is not there is added if it must be.
    fn replace(&mut self, key: u64, value: LidOfNumber, must_be: bool) {
        if let Some(known) = self.young.get_mut(&key).or_else(|| self.old.get_mut(&key)) {
            *known = Some(value);
        } else if must_be {
            self.young.insert(key, Some(value));
        }
    }

    fn is_full(&self) -> bool {
        self.young.len() >= GENERATION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(nth: u64, written_on: u32) -> LidOfNumber {
        LidOfNumber { lid: 100_000 + nth, phone: nth, created_at: 7, source: 0, written_on }
    }

    #[test]
    fn those_asked_for_lately_stay_and_the_others_go() {
        let mut memory = LidMemory::default();
        for nth in 0..5 * GENERATION as u64 {
            memory.make_room();
            memory.learn(Side::Lid, mapping(nth, 1));
            assert!(memory.get(Side::Lid, 100_000).is_some(), "asked for after each of the others");
            assert!(memory.len(Side::Lid) <= 2 * GENERATION);
        }
        assert_eq!(memory.get(Side::Lid, 100_001), None);
    }

    #[test]
    fn a_whole_group_stays_when_asked_for_again_and_again() {
        let mut memory = LidMemory::default();
        let mut missed = 0;
        for nth in (0..GENERATION as u64).cycle().take(10 * GENERATION) {
            if memory.get(Side::Phone, nth).is_none() {
                missed += 1;
                memory.make_room();
                memory.fill(Side::Phone, nth, Some(mapping(nth, 1)), memory.changes());
            }
        }
        assert_eq!(missed, GENERATION);
    }

    #[test]
    fn what_has_no_record_is_to_be_written_before_it_goes() {
        let mut memory = LidMemory::default();
        memory.learn(Side::Lid, mapping(0, 0));
        for nth in 1..2 * GENERATION as u64 {
            assert_eq!(memory.unwritten_oldest(), []);
            memory.make_room();
            memory.learn(Side::Lid, mapping(nth, 1));
        }
        assert_eq!(memory.unwritten_oldest(), [mapping(0, 0)]);
        memory.wrote(mapping(0, 3), true);
        assert_eq!(memory.unwritten_oldest(), []);
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let mut memory = LidMemory::default();
        let since = memory.changes();
        memory.learn(Side::Phone, mapping(1, 0));
        memory.fill(Side::Phone, 1, None, since);
        memory.fill(Side::Phone, 2, None, since);
        assert_eq!((memory.get(Side::Phone, 1), memory.get(Side::Phone, 2)), (Some(Some(mapping(1, 0))), None));
    }

    #[test]
    fn where_all_are_in_memory_the_others_are_known_not_to_be() {
        let mut memory = LidMemory::default();
        memory.complete(memory.changes());
        assert_eq!(memory.get(Side::Lid, 100_001), Some(None));
        memory.wrote(mapping(1, 1), true);
        assert_eq!(memory.get(Side::Lid, 100_001), Some(Some(mapping(1, 1))));
        assert_eq!(memory.get(Side::Phone, 1), Some(Some(mapping(1, 1))));
        for nth in 2..3 * GENERATION as u64 {
            memory.make_room();
            memory.learn(Side::Lid, mapping(nth, 1));
        }
        assert_eq!(memory.get(Side::Lid, 100_001), None, "forgotten since");
    }

    #[test]
    fn a_lid_that_moves_leaves_its_former_number_unknown() {
        let mut memory = LidMemory::default();
        memory.learn(Side::Phone, mapping(1, 1));
        memory.learn(Side::Lid, LidOfNumber { phone: 2, ..mapping(1, 0) });
        assert_eq!(memory.get(Side::Phone, 1), None);
    }
}
