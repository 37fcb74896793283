//! Every history of a given length, over an alphabet of everything that can happen.
//! States that are alike, with a referee who has seen alike, are walked once.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{referee::Referee, *};

const DEPTH: usize = 6;

fn alphabet(machine: &Connection) -> Vec<Input> {
    let scan = machine.scan;
    let raw = || "raw".to_owned();
    let mut inputs: Vec<Input> = [
        LibraryEvent::Stanza,
        LibraryEvent::Frame,
        LibraryEvent::GroupsChanged,
        LibraryEvent::Delivered,
        LibraryEvent::NothingWaits,
        qr("q"),
        LibraryEvent::QrsExhausted { closes: false },
        code(),
        LibraryEvent::CodeStale,
        scan_of(DEVICE),
        scan_of(OTHER_DEVICE),
        LibraryEvent::PairingFinished,
        success(),
        LibraryEvent::CloseReported(CloseReason::LoggedOut(raw())),
        LibraryEvent::StreamError(CloseReason::RestartRequired),
    ]
    .map(Input::Event)
    .into();
    inputs.extend(
        [
            Outcome::TurnCame,
            Outcome::NotDialed(CloseReason::Unreachable(raw())),
            Outcome::RunEnded,
            Outcome::Answered(scan, Answer::Confirms),
            Outcome::Answered(scan, Answer::Fails),
            Outcome::KeysDurable(scan),
            Outcome::StoreFailed(raw()),
            Outcome::Pinged { nth: 1, answered: false },
            Outcome::Unlinked(UnlinkOutcome::Failed(raw())),
            Outcome::TakenDown,
            Outcome::NotAcknowledged,
            Outcome::ShellStopped,
        ]
        .map(Input::Outcome),
    );
    inputs
        .extend([Request::Confirm, Request::Refuse, Request::Unlink, Request::Close, Request::Cut].map(Input::Request));
    inputs.push(Input::Deadline);
    inputs
}

fn fingerprint(machine: &Connection, referee: &Referee, now: Instant) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{machine:?}{referee:?}{now:?}").hash(&mut hasher);
    hasher.finish()
}

#[test]
fn no_history_of_six_inputs_breaks_an_invariant() {
    for purpose in [Purpose::Login, Purpose::Pair { code_for: None }, Purpose::Pair { code_for: Some(phone()) }] {
        let states = walk(purpose);
        assert!(states > 500, "the walk has become shallow: {states} states");
    }
}

/// Begins at the connection's turn, since earlier states do not differ.
fn walk(purpose: Purpose) -> usize {
    let kind = format!("{purpose:?}");
    let bench = Bench::dialing(purpose);
    let mut frontier = vec![(bench.machine, bench.referee, START)];
    let mut seen = HashSet::new();
    let mut steps = 0u64;
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for (machine, referee, now) in frontier {
            for input in alphabet(&machine) {
                let (mut machine, mut referee, mut now) = (machine.clone(), referee.clone(), now);
                if input == Input::Deadline {
                    let Some(due) = machine.deadline() else { continue };
                    now = now.max(due);
                }
                referee.before(&input, &machine, now);
                let effects = machine.step(input.clone(), now);
                referee.after(&input, &effects, &machine, now);
                steps += 1;
                if seen.insert(fingerprint(&machine, &referee, now)) {
                    next.push((machine, referee, now));
                }
            }
        }
        frontier = next;
    }
    println!("{kind}: {} states, {steps} steps, {DEPTH} inputs deep", seen.len());
    seen.len()
}
