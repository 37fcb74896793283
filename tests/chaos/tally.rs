//! Counts the acts of a campaign, and the time until it was quiet again.

use std::{collections::BTreeMap, time::Duration};

#[derive(Default)]
pub struct Tally {
    acts: BTreeMap<String, u32>,
    faults: BTreeMap<String, u32>,
    seeds: u32,
    slowest: Option<(Duration, u64)>,
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

    pub fn add(&mut self, other: Self) {
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
    }
}

fn told(counts: &BTreeMap<String, u32>) -> String {
    counts.iter().map(|(name, times)| format!("{times} {name}")).collect::<Vec<_>>().join(", ")
}
