//! The fault campaign: a seeded script of commands, phones' actions, WhatsApp's faults,
//! killed daemons and a crashed Postgres; then quiet; then every invariant is looked at.
//!
//! `make chaos` runs many seeds, `make test` the beginning of one. `PAIRD_TEST_SEEDS=8` runs seeds 1 to 8,
//! `PAIRD_TEST_SEEDS=5-5` runs seed 5 again: the script is the same, the scheduler is not.
//! `PAIRD_TEST_MESSAGES=100000` runs seeds with long bursts until daemons have received so many messages, and sent so many.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
#![allow(clippy::print_stdout, reason = "a campaign says what it does")]

mod campaign;
mod database;
mod fleet;
mod invariants;
mod script;
mod sends;
mod talk;
mod tally;

use std::ops::RangeInclusive;

use campaign::Campaign;
use script::Script;
use tally::Tally;

#[tokio::test(flavor = "multi_thread")]
async fn after_any_script_of_faults_every_invariant_holds() {
    let mut total = Tally::default();
    let (seeds, messages) = (seeds(), messages());
    let (length, burst, seeds) = match (seeds, messages) {
        (None, None) => (script::SHORT, script::BURST, 1..=1),
        (Some(seeds), None) => (script::WHOLE, script::BURST, seeds),
        (seeds, Some(_)) => {
            (script::WHOLE, script::BURST_FOR_VOLUME, seeds.map_or(1, |seeds| *seeds.start())..=u64::MAX)
        }
    };
    for seed in seeds {
        println!("seed {seed}: {length} acts; again: make chaos SEED={seed}");
        total.add(Campaign::run(Script::of(seed, length, burst)).await);
        if messages.is_some_and(|wanted| total.messages.acknowledged >= wanted && total.sends.sent >= wanted) {
            break;
        }
    }
    total.say();
}

#[expect(clippy::disallowed_methods, reason = "a knob of the campaign")]
fn messages() -> Option<u64> {
    Some(std::env::var("PAIRD_TEST_MESSAGES").ok()?.parse().unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a knob of the campaign")]
fn seeds() -> Option<RangeInclusive<u64>> {
    let given = std::env::var("PAIRD_TEST_SEEDS").ok()?;
    Some(match given.split_once('-') {
        Some((first, last)) => first.parse().unwrap()..=last.parse().unwrap(),
        None => 1..=given.parse().unwrap(),
    })
}
