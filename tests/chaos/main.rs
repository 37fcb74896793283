//! The fault campaign: a seeded script of commands, phones' actions, WhatsApp's faults,
//! killed daemons and a crashed Postgres; then quiet; then every invariant is looked at.
//!
//! `make chaos` runs many seeds, `make test` the beginning of one. `PAIRD_TEST_SEEDS=8` runs seeds 1 to 8,
//! `PAIRD_TEST_SEEDS=5-5` runs seed 5 again: the script is the same, the scheduler is not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
#![allow(clippy::print_stdout, reason = "a campaign says what it does")]

mod campaign;
mod invariants;
mod script;
#[path = "../blackbox/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the black-box tests, which use all of it")]
mod support;

use std::{collections::BTreeMap, ops::RangeInclusive};

use campaign::Campaign;
use script::Script;

#[tokio::test(flavor = "multi_thread")]
async fn after_any_script_of_faults_every_invariant_holds() {
    let mut total: BTreeMap<&'static str, u32> = BTreeMap::new();
    let given = given();
    let length = if given.is_some() { script::WHOLE } else { script::SHORT };
    let seeds = given.unwrap_or(1..=1);
    for seed in seeds.clone() {
        let script = Script::of(seed, length);
        println!("seed {seed}: {length} acts; again: make chaos SEEDS={seed}-{seed}");
        let injected = Campaign::run(script).await;
        for (kind, times) in injected {
            *total.entry(kind).or_default() += times;
        }
    }
    println!("{} seeds; injected: {total:?}", seeds.count());
}

#[expect(clippy::disallowed_methods, reason = "the one knob of the campaign")]
fn given() -> Option<RangeInclusive<u64>> {
    let given = std::env::var("PAIRD_TEST_SEEDS").ok()?;
    Some(match given.split_once('-') {
        Some((first, last)) => first.parse().unwrap()..=last.parse().unwrap(),
        None => 1..=given.parse().unwrap(),
    })
}
