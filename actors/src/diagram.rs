//! The diagrams of actors/README.md, which the machines are compared with.

use std::collections::BTreeSet;

pub type Edge = (String, String);

/// The edges of the diagram that has this state, from lines like `Opening --> AwaitingScan : QR`.
pub fn drawn(state: &str) -> BTreeSet<Edge> {
    let diagrams = include_str!("../README.md").split("```mermaid").skip(1);
    let diagrams = diagrams.filter_map(|block| block.split("```").next());
    let edges = |diagram: &str| -> BTreeSet<Edge> {
        let ends = diagram.lines().filter_map(|line| line.split_once("-->"));
        ends.map(|(from, to)| (from.trim().to_owned(), to.split(':').next().unwrap_or_default().trim().to_owned()))
            .filter(|(from, to)| from != "[*]" && to != "[*]")
            .collect()
    };
    let has = |edges: &BTreeSet<Edge>| edges.iter().any(|(from, to)| from == state || to == state);
    diagrams.map(edges).find(has).unwrap_or_default()
}

/// The diagram that has this state draws every transition that was observed, and no other.
#[track_caller]
pub fn compare(state: &str, observed: &BTreeSet<Edge>) {
    let drawn = drawn(state);
    let missing: Vec<_> = observed.difference(&drawn).collect();
    let invented: Vec<_> = drawn.difference(observed).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not drawn: {missing:?}\nnever happens: {invented:?}");
}
