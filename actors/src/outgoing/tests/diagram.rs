//! The diagram in actors/README.md is the machine.

use std::collections::BTreeSet;

use super::{
    history::{advance, drawn_history, input_of, policy},
    *,
};
use crate::{
    diagram::{Edge, compare},
    machine,
};

/// Every change of state that thousands of histories brought about.
fn observed() -> BTreeSet<Edge> {
    let mut edges = BTreeSet::new();
    for nth in 0..6_000u64 {
        let mut bench = Bench::with(policy((nth % 9) as u8));
        for moment in drawn_history(nth) {
            let input = input_of(moment, &bench);
            advance(&mut bench, &input, moment);
            if let Some((from, to)) = machine::step(&mut bench.machine, input, bench.now).moved {
                edges.insert((from.to_owned(), to.to_owned()));
            }
        }
    }
    edges
}

#[test]
fn the_readme_draws_every_transition_and_no_other() {
    compare("Pacing", &observed());
}
