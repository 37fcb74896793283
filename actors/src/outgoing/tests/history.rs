//! Generated histories: any input at any time, sensible or not, and a database with a queue.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// One step of a history: the input, a choice within it, and the time since the last one.
pub(super) type Moment = (u8, u8, u16);

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    proptest::collection::vec((0..40u8, any::<u8>(), any::<u16>()), 1..160)
}

pub(super) fn policy(choice: u8) -> OutgoingPolicy {
    let at_once = if choice.is_multiple_of(3) { 2 } else { 16 };
    OutgoingPolicy { sends_again: !choice.is_multiple_of(7), at_once, ..OutgoingPolicy::default() }
}

/// What the database answers: messages in the order of their ids, none that is held.
fn answer(choice: u8, bench: &Bench) -> TakenMessages {
    let room = bench.machine.look.as_ref().map_or(0, |(room, _)| *room);
    let held: BTreeSet<i64> = bench.machine.held.iter().map(|held| held.id.0).collect();
    let free = (1..40).filter(|id| !held.contains(id));
    let count = usize::from(room.min(u16::from(choice % 5)));
    let attempt = 1 + u16::from(choice / 5 % 7) * u16::from(choice > 100);
    let expires_at = (choice > 245).then_some(bench.now);
    let messages = free.take(count).map(|id| OutgoingMessage { expires_at, ..nth_try(id, attempt) }).collect();
    let next_due = choice.is_multiple_of(11).then(|| Duration::from_secs(choice.into()));
    let recent = u32::from(choice % 7);
    TakenMessages {
        messages,
        unread: Vec::new(),
        pace: pace(0.5, 4),
        recent,
        has_more: choice.is_multiple_of(3),
        next_due,
    }
}

/// A message that this connection holds, if it holds any.
fn some_id(choice: u8, bench: &Bench) -> MessageId {
    let held = &bench.machine.held;
    held.get(usize::from(choice) % held.len().max(1)).map_or(MessageId(choice.into()), |held| held.id)
}

/// The input that a moment stands for.
pub(super) fn input_of((kind, choice, _): Moment, bench: &Bench) -> Input {
    let id = some_id(choice, bench);
    match kind {
        0 => Input::Ready,
        1..=3 => Input::Rung,
        4..=10 if bench.machine.look.is_some() => Input::Taken(Ok(answer(choice, bench))),
        4..=10 => Input::Rung,
        11 if choice < 100 => Input::Taken(Err(unavailable())),
        11 if choice < 103 => Input::Taken(Err(StoreError::Fenced)),
        12..=17 => Input::Wired { id, is_reached: !choice.is_multiple_of(5) },
        18..=22 => Input::Acked { id, at: START },
        23 => Input::Received { id, at: START },
        24 => Input::Refused { id, code: [400, 463, 479, 503, 429][usize::from(choice % 5)] },
        25 => Input::NotSent { id, why: [NotSent::Failed, NotSent::Disconnected][usize::from(choice % 2)] },
        26 if choice < 40 => Input::NotSent { id, why: NotSent::NobodyThere },
        26 if choice < 70 => Input::NotSent { id, why: NotSent::Refused([403, 404, 500][usize::from(choice % 3)]) },
        27 if choice < 60 => Input::Settled(Err(unavailable())),
        27 if choice < 62 => Input::Settled(Err(StoreError::Fenced)),
        28..=34 => Input::Settled(Ok(())),
        _ => Input::Deadline,
    }
}

/// Time passes, to the deadline if that is what the moment stands for.
pub(super) fn advance(bench: &mut Bench, input: &Input, moment: Moment) {
    // A deadline that is far off is not waited for each time.
    let jump = bench.machine.deadline().filter(|due| *input == Input::Deadline && *due > bench.now);
    let pause = Duration::from_millis(u64::from(moment.2) / 16);
    bench.now = jump.unwrap_or(bench.now.after(pause));
}

fn live(choice: u8, history: &[Moment], states: &mut BTreeSet<&'static str>) -> Vec<Effect> {
    let mut bench = Bench::with(policy(choice));
    let mut all = Vec::new();
    // Most histories begin as a connection does.
    if !choice.is_multiple_of(5) {
        bench.feed(Input::Ready);
        all.extend(bench.effects.clone());
    }
    for moment in history {
        let input = input_of(*moment, &bench);
        advance(&mut bench, &input, *moment);
        all.extend_from_slice(bench.feed(input));
        states.insert(bench.machine.state_name());
    }
    bring_to_rest(&mut bench, &mut all);
    all
}

/// From any state, a shell that answers and a database without messages bring it to rest.
fn bring_to_rest(bench: &mut Bench, all: &mut Vec<Effect>) {
    for _ in 0..200 {
        let is_over = |held: &&HeldMessage| matches!(held.stage, SendStage::Done { .. } | SendStage::Resting { .. });
        let unsettled = bench.machine.held.iter().find(|held| !is_over(held));
        let input = if let Some(held) = unsettled {
            let id = held.id;
            match held.stage {
                SendStage::Wired { .. } => Input::Acked { id, at: START },
                SendStage::Sending { .. }
                | SendStage::Stopping { .. }
                | SendStage::Resting { .. }
                | SendStage::Done { .. } => Input::NotSent { id, why: NotSent::Failed },
            }
        } else if bench.machine.write.as_ref().is_some_and(|write| write.due().is_none()) {
            Input::Settled(Ok(()))
        } else if bench.machine.look.as_ref().is_some_and(|(_, retry)| retry.due().is_none()) {
            Input::Taken(Ok(nothing()))
        } else if let Some(due) = bench.machine.deadline() {
            bench.now = bench.now.max(due);
            Input::Deadline
        } else {
            break;
        };
        all.extend_from_slice(bench.feed(input));
    }
    let name = bench.machine.state_name();
    assert!(matches!(name, "Idle" | "Over" | "Starting"), "no rest: {:?}", bench.machine);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_an_invariant(choice in any::<u8>(), history in moments()) {
        live(choice, &history, &mut BTreeSet::new());
    }

    #[test]
    fn the_same_inputs_have_the_same_effects(choice in any::<u8>(), history in moments()) {
        let again = live(choice, &history, &mut BTreeSet::new());
        prop_assert_eq!(live(choice, &history, &mut BTreeSet::new()), again);
    }
}

/// A history as a function of its number.
pub(super) fn drawn_history(nth: u64) -> Vec<Moment> {
    let mut draw = nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let moments = (0..120).map(|_| {
        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        ((draw % 40) as u8, (draw >> 8) as u8, (draw >> 16) as u16)
    });
    moments.collect()
}

#[test]
fn the_histories_reach_every_state() {
    let mut states = BTreeSet::new();
    for nth in 0..600u64 {
        live((nth % 9) as u8, &drawn_history(nth), &mut states);
    }
    assert_eq!(states.len(), 6, "{states:?}");
}
