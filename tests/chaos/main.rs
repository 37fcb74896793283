//! The fault campaign: a seeded script of commands, phones' actions, WhatsApp's faults,
//! killed daemons and a crashed Postgres; then quiet; then every invariant is looked at.
//!
//! `make chaos` runs many seeds, `make test` the beginning of one. `PAIRD_TEST_SEEDS=8` runs seeds 1 to 8,
//! `PAIRD_TEST_SEEDS=5-5` runs seed 5 again: the script is the same, the scheduler is not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
#![allow(clippy::print_stdout, reason = "a campaign says what it does")]

mod campaign;
mod database;
mod fleet;
mod invariants;
mod script;
mod tally;

use std::ops::RangeInclusive;

use campaign::Campaign;
use script::Script;
use tally::Tally;

#[tokio::test(flavor = "multi_thread")]
async fn after_any_script_of_faults_every_invariant_holds() {
    let mut total = Tally::default();
    let given = given();
    let length = if given.is_some() { script::WHOLE } else { script::SHORT };
    for seed in given.unwrap_or(1..=1) {
        println!("seed {seed}: {length} acts; again: make chaos SEED={seed}");
        total.add(Campaign::run(Script::of(seed, length)).await);
    }
    total.say();
}

#[expect(clippy::disallowed_methods, reason = "the one knob of the campaign")]
fn given() -> Option<RangeInclusive<u64>> {
    let given = std::env::var("PAIRD_TEST_SEEDS").ok()?;
    Some(match given.split_once('-') {
        Some((first, last)) => first.parse().unwrap()..=last.parse().unwrap(),
        None => 1..=given.parse().unwrap(),
    })
}
