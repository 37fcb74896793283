use std::{
    ops::RangeInclusive,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{Flaw, Schedule, Violation, run};

const SCHEDULES: u64 = 10_000;
/// The faults that are known are seen among so many.
const TO_SEE: u64 = 4_000;

/// `PAIRD_TEST_SEEDS=100000` for more, `PAIRD_TEST_SEEDS=7-7` for one of them with its trace.
fn given() -> Option<RangeInclusive<u64>> {
    let given = std::env::var("PAIRD_TEST_SEEDS").ok()?;
    Some(match given.split_once('-') {
        Some((first, last)) => first.parse().unwrap()..=last.parse().unwrap(),
        None => 1..=given.parse().unwrap(),
    })
}

/// The first seed of them that fails so, by as many threads as there are cores.
fn first_failure(
    seeds: RangeInclusive<u64>,
    flaw: Option<Flaw>,
    is_meant: impl Fn(&Violation) -> bool + Sync,
) -> Option<u64> {
    let (next, found) = (AtomicU64::new(*seeds.start()), AtomicU64::new(u64::MAX));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > *seeds.end() || seed > found.load(Ordering::Relaxed) {
                        return;
                    }
                    if run(&Schedule::of(seed), flaw, false).violation.is_some_and(|violation| is_meant(&violation)) {
                        found.fetch_min(seed, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    Some(found.into_inner()).filter(|seed| *seed != u64::MAX)
}

/// A failing seed, its essential acts and the end of its trace, in words.
fn report(seed: u64) -> String {
    let Some(violation) = run(&Schedule::of(seed), None, false).violation else {
        return format!("seed {seed} is fine");
    };
    let fails =
        |schedule: &Schedule| run(schedule, None, false).violation.is_some_and(|found| found.rule == violation.rule);
    let shrunk = Schedule::of(seed).shrunk(fails);
    let outcome = run(&shrunk, None, true);
    let acts: Vec<_> = shrunk.acts.iter().map(|act| format!("  at {} ms: {:?}", act.at, act.what)).collect();
    format!(
        "seed {seed} breaks {:?}: {}\n{} daemons, {} accounts, {} phones; what it takes:\n{}\nthe end of it:\n{}\n→ {:?}",
        violation.rule,
        violation.what,
        shrunk.daemons,
        shrunk.accounts,
        shrunk.phones,
        acts.join("\n"),
        outcome.trace.join("\n"),
        outcome.violation,
    )
}

#[test]
fn no_schedule_of_faults_breaks_an_invariant() {
    let given = given();
    if let Some(seed) = first_failure(given.clone().unwrap_or(1..=SCHEDULES), None, |_| true) {
        panic!("{}\nagain: make simulate SEED={seed}", report(seed));
    }
    if let Some(seed) = given.filter(|seeds| seeds.start() == seeds.end()) {
        println!("{}", run(&Schedule::of(*seed.start()), None, true).trace.join("\n"));
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in 1..=20 {
        let [first, second] = [0; 2].map(|_| run(&Schedule::of(seed), None, true).trace);
        assert_eq!(first, second);
    }
}

#[test]
fn each_fault_that_was_is_seen_when_it_is_back() {
    let is_missed = |flaw: &Flaw| {
        let rule = flaw.breaks();
        let Some(seed) = first_failure(1..=TO_SEE, Some(*flaw), |violation| violation.rule == rule) else {
            return true;
        };
        println!("{flaw:?}: seed {seed} breaks {rule:?}");
        assert_eq!(run(&Schedule::of(seed), None, false).violation, None, "also without it");
        false
    };
    let missed: Vec<Flaw> = Flaw::ALL.into_iter().filter(is_missed).collect();
    assert!(missed.is_empty(), "not seen: {missed:?}");
}
