//! Counts the acts of a campaign, its messages, and the time until it was quiet again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{Display, Write as _},
    time::Duration,
};

use crate::invariants::{messages::Counts, sends::SendCounts};

#[derive(Default)]
pub struct Tally {
    acts: BTreeMap<String, u32>,
    faults: BTreeMap<String, u32>,
    seeds: u32,
    slowest: Option<(Duration, u64)>,
    pub messages: Counts,
    pub sends: SendCounts,
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

    pub fn wrote(&mut self, messages: Counts, sends: SendCounts, hit: BTreeMap<String, u64>) {
        (self.messages, self.sends, self.hit) = (messages, sends, hit);
    }

    pub fn add(&mut self, other: Self) {
        self.messages.add(&other.messages);
        self.sends.add(&other.sends);
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
        println!("acts: {}\n{}", told(&self.acts), self.table());
    }

    /// The messages of both directions, and the faults by kind.
    fn table(&self) -> String {
        let Self { messages, sends, .. } = self;
        let mut table = format!(
            "| messages | |\n|---|--:|\n| received: acknowledged to WhatsApp | {} |\n| lost, or told twice | 0 |\n\
             | sent: acknowledged by WhatsApp, or received | {} |\n| lost, or shown twice | 0 |\n",
            messages.acknowledged, sends.sent
        );
        // Writing to a string does not fail.
        let _ = writeln!(table, "\nreceived: {messages:?}\nsent: {sends:?}\n");
        table.push_str("| fault | made | met an occasion |\n|---|--:|--:|\n");
        for name in self.faults.keys().chain(self.hit.keys()).collect::<BTreeSet<_>>() {
            let made = self.faults.get(name).map_or_else(|| "–".to_owned(), u32::to_string);
            let met = self.hit.get(name).map_or_else(|| "–".to_owned(), u64::to_string);
            let _ = writeln!(table, "| {name} | {made} | {met} |");
        }
        table
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        for (sum, part) in [
            (&mut self.posted, other.posted),
            (&mut self.copies, other.copies),
            (&mut self.acknowledged, other.acknowledged),
            (&mut self.deleted, other.deleted),
            (&mut self.given_up, other.given_up),
            (&mut self.echoes, other.echoes),
            (&mut self.recovered, other.recovered),
            (&mut self.lost_and_fetched, other.lost_and_fetched),
        ] {
            *sum += part;
        }
    }
}

impl SendCounts {
    fn add(&mut self, other: &Self) {
        for (sum, part) in [
            (&mut self.asked, other.asked),
            (&mut self.deleted, other.deleted),
            (&mut self.sent, other.sent),
            (&mut self.delivered, other.delivered),
            (&mut self.read, other.read),
            (&mut self.failed, other.failed),
            (&mut self.cancelled, other.cancelled),
            (&mut self.expired, other.expired),
            (&mut self.left, other.left),
            (&mut self.to_groups, other.to_groups),
            (&mut self.tried_again, other.tried_again),
            (&mut self.came_again, other.came_again),
            (&mut self.in_part, other.in_part),
        ] {
            *sum += part;
        }
    }
}

fn told(counts: &BTreeMap<String, impl Display>) -> String {
    counts.iter().map(|(name, times)| format!("{times} {name}")).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_table_says_what_was_counted_by_kind() {
    let mut tally = Tally::default();
    for _ in 0..2 {
        let mut one = Tally::default();
        one.note("daemon killed".to_owned(), true);
        one.note("message ack_lost".to_owned(), true);
        let counts = Counts { acknowledged: 3, ..Counts::default() };
        let sends = SendCounts { sent: 4, ..SendCounts::default() };
        one.wrote(counts, sends, BTreeMap::from([("message ack_lost".to_owned(), 5)]));
        tally.add(one);
    }
    let table = tally.table();
    for line in [
        "| received: acknowledged to WhatsApp | 6 |",
        "| sent: acknowledged by WhatsApp, or received | 8 |",
        "| daemon killed | 2 | – |",
        "| message ack_lost | 2 | 10 |",
    ] {
        assert!(table.lines().any(|seen| seen == line), "{line} is not in {table}");
    }
}
