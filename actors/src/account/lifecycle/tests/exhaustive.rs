//! Every history of a given length, over an alphabet of everything that can
//! happen. States that are alike, with a referee who has seen alike, are walked once.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{
    super::*,
    history::{DELETED, beginning},
    referee::Referee,
    *,
};
use crate::domain::CloseReason;

/// How many inputs deep every history is walked, from each row that a life can begin with.
const DEPTHS: [usize; 6] = [7, 5, 5, 5, 4, 5];

fn alphabet(life: &Lifecycle, command_id: i64) -> Vec<Input> {
    let of = life.incarnation;
    let ended = |reason| Input::Session(of, SessionEvent::Ended { reason });
    let raw = || "raw".to_owned();
    let scanned = SessionEvent::Scanned { phone: phone(), device_jid: "jid".to_owned() };
    let qr = SessionEvent::Qr { payload: Secret::new("q"), expires_at: START.after(Duration::from_secs(60)) };
    let mut inputs = vec![
        Input::Session(of, qr),
        Input::Session(of, scanned),
        Input::Session(of, SessionEvent::Open { phone: Some(phone()), device_jid: None }),
        Input::Session(of, SessionEvent::GroupsChanged),
        ended(CloseReason::SocketLost(raw())),
        ended(CloseReason::LoggedOut(raw())),
        ended(CloseReason::NotAuthorized(raw())),
        ended(CloseReason::Replaced(raw())),
        Input::Claimed(of, Ok(Claim::Granted)),
        Input::Claimed(of, Ok(Claim::Duplicate { existing_label: "other".to_owned() })),
        Input::Claimed(of, Err(ClaimError::Failed(raw()))),
        Input::SessionClosed(of),
        Input::Deadline,
        Input::Drain,
        Input::HandOver,
        Input::Fenced,
    ];
    for kind in
        ["account.pair", "account.cancel", "account.unpair", "account.unpair!", "account.resume", "account.delete"]
    {
        inputs.push(command(command_id, kind));
    }
    inputs
}

fn fingerprint(life: &Lifecycle, referee: &Referee, now: Instant) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{:?}{:?}{now:?}", life.state, life.record).hash(&mut hasher);
    referee.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn no_history_of_seven_inputs_breaks_an_invariant() {
    for (begin, depth) in DEPTHS.into_iter().enumerate() {
        let states = walk(begin, depth);
        // A deleted account has little left to do.
        let least = if begin == DELETED { 10 } else { 1_000 };
        assert!(states > least, "the walk has become shallow: {states} states");
    }
}

fn walk(begin: usize, depth: usize) -> usize {
    let record = beginning(begin);
    let mut referee = Referee::new(&record);
    let (life, first) = Lifecycle::resume(record, Policy::default(), SEED, START);
    referee.on_effects(&first, &life);
    let mut frontier = vec![(life, referee, START)];
    let mut seen = HashSet::new();
    let mut steps = 0u64;
    for nth in 0..depth {
        let mut next = Vec::new();
        for (life, referee, now) in frontier {
            for input in alphabet(&life, i64::try_from(nth).unwrap()) {
                let (mut life, mut referee, mut now) = (life.clone(), referee.clone(), now);
                if input == Input::Deadline {
                    let Some(due) = life.deadline() else { continue };
                    now = if due > now { due } else { now };
                }
                referee.on_input(&input);
                let effects = life.step(input, now);
                referee.on_effects(&effects, &life);
                steps += 1;
                if seen.insert(fingerprint(&life, &referee, now)) {
                    next.push((life, referee, now));
                }
            }
        }
        frontier = next;
    }
    println!("from row {begin}: {} states, {steps} steps, {depth} inputs deep", seen.len());
    seen.len()
}
