//! Counts the acts of a campaign, and the time until it was quiet again.

use std::{collections::BTreeMap, fmt::Display, time::Duration};

use crate::invariants::messages::Counts;

#[derive(Default)]
pub struct Tally {
    acts: BTreeMap<String, u32>,
    faults: BTreeMap<String, u32>,
    seeds: u32,
    slowest: Option<(Duration, u64)>,
    pub messages: Counts,
    /// How often faults that wait for an occasion met one.
    hit: BTreeMap<String, u64>,
}

impl Tally {
    pub fn note(&mut self, name: String, is_fault: bool) {
        let counted = if is_fault { &mut self.faults } else { &mut self.acts };
        *counted.entry(name).or_default() += 1;
    }

    pub fn settled(&mut self, seed: u64, lasted: Duration, settled: Duration) {
        let (acts, faults) = (self.acts.values().sum::<u32>(), self.faults.values().sum::<u32>());
        println!("seed {seed}: {acts} acts and {faults} faults in {lasted:.1?}, settled {settled:.1?} after");
        println!("faults: {}", told(&self.faults));
        self.seeds += 1;
        self.slowest = Some((settled, seed));
    }

    pub fn wrote(&mut self, counts: Counts, hit: BTreeMap<String, u64>) {
        (self.messages, self.hit) = (counts, hit);
    }

    pub fn add(&mut self, other: Self) {
        let messages = &mut self.messages;
        for (sum, part) in [
            (&mut messages.posted, other.messages.posted),
            (&mut messages.copies, other.messages.copies),
            (&mut messages.acknowledged, other.messages.acknowledged),
            (&mut messages.deleted, other.messages.deleted),
            (&mut messages.given_up, other.messages.given_up),
            (&mut messages.echoes, other.messages.echoes),
            (&mut messages.recovered, other.messages.recovered),
            (&mut messages.lost_and_fetched, other.messages.lost_and_fetched),
        ] {
            *sum += part;
        }
        for (name, times) in other.hit {
            *self.hit.entry(name).or_default() += times;
        }

        for (sum, part) in [(&mut self.acts, other.acts), (&mut self.faults, other.faults)] {
            for (name, times) in part {
                *sum.entry(name).or_default() += times;
            }
        }
        self.seeds += other.seeds;
        self.slowest = self.slowest.max(other.slowest);
    }

    pub fn say(&self) {
        let (acts, faults) = (self.acts.values().sum::<u32>(), self.faults.values().sum::<u32>());
        println!("{} seeds, every invariant held: {acts} acts, {faults} faults", self.seeds);
        if let Some((longest, seed)) = self.slowest {
            println!("slowest to settle: {longest:.1?}, seed {seed}");
        }
        println!("acts: {}\nfaults: {}", told(&self.acts), told(&self.faults));
        println!("faults that met their occasion: {}", told(&self.hit));
        println!("messages: {:?}", self.messages);
    }
}

fn told(counts: &BTreeMap<String, impl Display>) -> String {
    counts.iter().map(|(name, times)| format!("{times} {name}")).collect::<Vec<_>>().join(", ")
}
