//! Every history of a given length, over an alphabet of everything that can happen to two
//! messages. States that are alike, with a referee who has seen alike, are walked once.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::*;

const DEPTH: usize = 7;

fn alphabet(bench: &Bench) -> Vec<Input> {
    let mut inputs = vec![
        Input::Ready,
        Input::Rung,
        Input::Settled(Ok(())),
        Input::Settled(Err(unavailable())),
        Input::Taken(Err(unavailable())),
        Input::Taken(Err(StoreError::Fenced)),
        Input::Deadline,
    ];
    // A database takes no more than there is room for, and nothing that is held.
    let room = bench.machine.look.as_ref().map_or(0, |(room, _)| usize::from(*room));
    let free: Vec<_> = (1..=2).filter(|id| bench.machine.held.iter().all(|held| held.id.0 != *id)).collect();
    let answers = [vec![], vec![nth_try(1, 1)], vec![nth_try(2, 5)], vec![nth_try(1, 2), nth_try(2, 1)]];
    for messages in answers {
        if messages.len() <= room && messages.iter().all(|message| free.contains(&message.id.0)) {
            inputs.push(Input::Taken(Ok(taken(messages.clone()))));
            inputs.push(Input::Taken(Ok(more(messages))));
        }
    }
    for id in (1..=2).map(MessageId) {
        inputs.extend([
            Input::Wired { id, is_reached: true },
            Input::Wired { id, is_reached: false },
            Input::Acked { id, at: START },
            Input::Received { id, at: START },
            Input::Refused { id, code: 503 },
            Input::Refused { id, code: 400 },
            Input::NotSent { id, why: NotSent::Failed },
        ]);
    }
    inputs
}

fn fingerprint(bench: &Bench) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{:?}{:?}{:?}", bench.machine, bench.referee, bench.now).hash(&mut hasher);
    hasher.finish()
}

#[test]
fn no_history_of_seven_inputs_breaks_an_invariant() {
    for sends_again in [true, false] {
        let policy = OutgoingPolicy { sends_again, ..OutgoingPolicy::default() };
        let mut frontier = vec![Bench::with(policy)];
        let (mut seen, mut steps) = (HashSet::new(), 0u64);
        for _ in 0..DEPTH {
            let mut next = Vec::new();
            for bench in frontier {
                for input in alphabet(&bench) {
                    let mut bench = bench.clone();
                    if input == Input::Deadline {
                        let Some(due) = bench.machine.deadline() else { continue };
                        bench.now = bench.now.max(due);
                    }
                    bench.feed(input);
                    steps += 1;
                    if seen.insert(fingerprint(&bench)) {
                        next.push(bench);
                    }
                }
            }
            frontier = next;
        }
        println!("{} states, {steps} steps, {DEPTH} inputs deep", seen.len());
        assert!(seen.len() > 2_000, "the walk has become shallow: {} states", seen.len());
    }
}
