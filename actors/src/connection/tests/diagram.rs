//! The diagram in actors/README.md is the machine.

use std::collections::BTreeSet;

use super::{
    history::{drawn_history, input_of, purpose},
    *,
};
use crate::{
    diagram::{Edge, compare},
    machine,
};

/// Every change of state that thousands of histories brought about, but for those that cut a
/// connection short: it can be cut in any state.
fn observed() -> BTreeSet<Edge> {
    let mut edges = BTreeSet::new();
    for nth in 0..12_000u64 {
        let (mut machine, _) = Connection::begin(purpose((nth % 3) as u8), ConnectionPolicy::default());
        let mut now = START;
        for moment in drawn_history(nth) {
            let input = input_of(moment, &machine);
            let jump = machine.deadline().filter(|due| input == Input::Deadline && *due > now);
            now = jump.unwrap_or(now.after(Duration::from_millis(moment.2.into())));
            if let Some((from, to)) = machine::step(&mut machine, input, now).moved
                && (to != "Ended" || from == "Closing")
            {
                edges.insert((from.to_owned(), to.to_owned()));
            }
        }
    }
    edges
}

#[test]
fn the_readme_draws_every_transition_and_no_other() {
    compare("Queued", &observed());
}
