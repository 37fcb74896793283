//! The diagram in actors/README.md is the machine.

use std::collections::BTreeSet;

use super::{
    super::*,
    history::{beginning, input_of},
    *,
};
use crate::diagram::{Edge, compare};
use crate::domain::Refuse;

/// Every change of state that thousands of histories brought about. The histories
/// are a function of their number, so the set is always the same.
fn observed() -> BTreeSet<Edge> {
    let mut edges = BTreeSet::new();
    for history in 0..12_000u64 {
        let mut draw = history.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = || {
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            draw
        };
        let (mut life, _) = Lifecycle::resume(beginning(history as usize), policy(history), SEED, START);
        let mut now = START;
        for nth in 0..80 {
            let word = next();
            let moment = ((word % 52) as u8, (word >> 8) as u8, 0);
            // Mostly the machine is left to its deadlines, so that late states are reached.
            let jump = life.deadline().filter(|due| moment.0 == 25 && *due > now);
            now = jump.unwrap_or(now.after(Duration::from_millis(word >> 54)));
            let before = life.state().name();
            life.step(input_of(moment, &life, nth), now);
            let after = life.state().name();
            if before != after {
                edges.insert((before.to_owned(), after.to_owned()));
            }
        }
    }
    edges
}

/// Every fourth life refuses only after the link, which has a state of its own.
fn policy(history: u64) -> Policy {
    let refuse = if history % 16 < 4 { Refuse::AfterLink } else { Refuse::BeforeLink };
    Policy { refuse, ..Policy::default() }
}

#[test]
fn the_readme_draws_every_transition_and_no_other() {
    compare("AwaitingScan", &observed());
}
