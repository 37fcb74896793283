//! Generated histories: any input at any time, sensible or not.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::{referee::Referee, *};
use crate::domain::PasskeyStage;

/// One step of a history: the input, a choice within it, and the time since the last one.
pub(super) type Moment = (u8, u8, u16);

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    proptest::collection::vec((0..60u8, any::<u8>(), any::<u16>()), 1..120)
}

pub(super) fn purpose(choice: u8) -> Purpose {
    match choice % 3 {
        0 => Purpose::Login,
        1 => Purpose::Pair { code_for: None },
        _ => Purpose::Pair { code_for: Some(phone()) },
    }
}

fn reason(choice: u8) -> CloseReason {
    let raw = "raw".to_owned();
    match choice % 8 {
        0 => CloseReason::SocketLost(raw),
        1 => CloseReason::Unreachable(raw),
        2 => CloseReason::ServerBusy(raw),
        3 => CloseReason::RestartRequired,
        4 if choice < 128 => CloseReason::LoggedOut(raw),
        4 => CloseReason::NotAuthorized(raw),
        5 => CloseReason::Banned(raw),
        6 => CloseReason::ClientOutdated(raw),
        _ => CloseReason::QrExhausted,
    }
}

/// The input that usually comes next in this state; without it, few histories would get far.
fn expected(choice: u8, machine: &Connection) -> Input {
    let (scan, is_even) = (machine.scan, choice.is_multiple_of(2));
    match machine.state() {
        State::Queued => Input::Outcome(Outcome::TurnCame),
        State::Dialing => Input::Event(LibraryEvent::Stanza),
        State::Pairing if choice < 60 => Input::Event(code()),
        State::Pairing => Input::Event(scan_of(DEVICE)),
        State::Held(_) if machine.awaits_keys().is_none() => Input::Outcome(Outcome::Answered(scan, Answer::Confirms)),
        State::Held(_) if is_even => Input::Outcome(Outcome::KeysDurable(scan)),
        State::Held(_) => Input::Request(Request::Confirm),
        State::Confirmed { .. } if is_even => Input::Event(LibraryEvent::PairingFinished),
        State::Confirmed { .. } => Input::Event(LibraryEvent::StreamError(CloseReason::RestartRequired)),
        State::LoggingIn => Input::Event(success()),
        State::Open(_) if choice < 10 => Input::Event(LibraryEvent::CloseReported(reason(choice))),
        // On most connections, or few histories would reach a ping.
        State::Open(_) if machine.delivers_by.is_some() && choice < 200 => Input::Event(LibraryEvent::NothingWaits),
        State::Open(Ping::Sent { nth, .. }) => Input::Outcome(Outcome::Pinged { nth: *nth, answered: is_even }),
        State::Ending { .. } => Input::Outcome(Outcome::RunEnded),
        State::Closing { .. } => Input::Outcome(Outcome::TakenDown),
        State::Open(Ping::Due(_)) | State::Restarting { .. } | State::Ended => Input::Deadline,
    }
}

/// The input that a moment stands for, given what the machine waits for.
pub(super) fn input_of((kind, choice, _): Moment, machine: &Connection) -> Input {
    // One in eight is about a scan before the last one.
    let scan = ScanId(machine.scan.0.saturating_sub(u32::from(choice.is_multiple_of(8))));
    let lasts = Duration::from_secs(choice.into());
    let raw = || "raw".to_owned();
    match kind {
        0 if choice < 120 => Input::Event(LibraryEvent::Stanza),
        0 if choice < 140 => Input::Event(LibraryEvent::GroupsChanged),
        0 if choice < 170 => Input::Event(LibraryEvent::Delivered),
        0 if choice < 180 => Input::Event(LibraryEvent::NothingWaits),
        0 => Input::Event(LibraryEvent::Frame),
        1 => Input::Event(qr(&format!("q{}", choice % 3))),
        2 => Input::Event(LibraryEvent::QrsExhausted { closes: choice < 60 }),
        3 => Input::Event(code()),
        4 => Input::Event(LibraryEvent::CodeStale),
        5 => Input::Event(LibraryEvent::CodeRefused(raw())),
        6 => Input::Event(LibraryEvent::CodeTyped),
        7 => Input::Event(LibraryEvent::Passkey { stage: PasskeyStage::Challenge, request: json!({}), lasts }),
        8 if choice < 200 => Input::Event(scan_of(DEVICE)),
        8 if choice < 240 => Input::Event(scan_of(OTHER_DEVICE)),
        8 => Input::Event(LibraryEvent::PairSuccess(None)),
        9 => Input::Event(LibraryEvent::ScanFailed(raw())),
        10 => Input::Event(LibraryEvent::PairingFinished),
        11 => Input::Event(success()),
        12 if choice < 30 => Input::Event(LibraryEvent::CloseReported(reason(choice))),
        12 if choice < 60 => Input::Event(LibraryEvent::StreamError(reason(choice))),
        12 => Input::Event(LibraryEvent::Disconnected(raw())),
        13 => Input::Event(LibraryEvent::DialFailed(reason(choice))),
        14 => Input::Outcome(Outcome::TurnCame),
        15 if choice < 60 => Input::Outcome(Outcome::NotDialed(reason(choice))),
        15 if choice < 120 => Input::Outcome(Outcome::RunEnded),
        16 => Input::Outcome(Outcome::Answered(
            scan,
            [Answer::Confirms, Answer::Fails, Answer::Missing][usize::from(choice % 3)],
        )),
        17 => Input::Outcome(Outcome::CodeOutstanding { nth: choice % 4, remaining: lasts }),
        18 => Input::Outcome(Outcome::CodeCancelled),
        19 => Input::Outcome(Outcome::Pinged { nth: u32::from(choice % 3), answered: choice < 128 }),
        20 => Input::Outcome(Outcome::Unlinked(match choice % 3 {
            0 => UnlinkOutcome::Removed,
            1 => UnlinkOutcome::NotLinked,
            _ => UnlinkOutcome::Failed(raw()),
        })),
        21 => Input::Outcome(Outcome::TakenDown),
        22 | 23 => Input::Outcome(Outcome::KeysDurable(scan)),
        24 if choice < 10 => Input::Outcome(Outcome::StoreFailed(raw())),
        24 if choice < 13 => Input::Outcome(Outcome::ShellStopped),
        24 if choice < 20 => Input::Outcome(Outcome::NotAcknowledged),
        25 => Input::Request(Request::Confirm),
        26 if choice < 20 => Input::Request(Request::Refuse),
        26 if choice < 100 => Input::Request(Request::Unlink),
        26 if choice < 110 => Input::Request(Request::Close),
        26 if choice < 113 => Input::Request(Request::Cut),
        27..=30 => Input::Deadline,
        _ => expected(choice, machine),
    }
}

/// Steps a connection through a history, under the referee's eyes, and then to its end.
fn live(choice: u8, history: &[Moment], states: &mut BTreeSet<&'static str>) -> Vec<Effect> {
    let policy = ConnectionPolicy::default();
    let mut referee = Referee::new(&purpose(choice), policy.clone());
    let (mut machine, mut all) = Connection::begin(purpose(choice), policy);
    let mut now = START;
    let mut feed = |machine: &mut Connection, input: Input, now: Instant| {
        referee.before(&input, machine, now);
        let effects = machine.step(input.clone(), now);
        referee.after(&input, &effects, machine, now);
        all.extend(effects);
    };
    for moment in history {
        let input = input_of(*moment, &machine);
        let jump = machine.deadline().filter(|due| input == Input::Deadline && *due > now);
        now = jump.unwrap_or(now.after(Duration::from_millis(moment.2.into())));
        feed(&mut machine, input, now);
        states.insert(machine.state().name());
    }
    // From any state, a shell that carries out its orders brings it to its end.
    for _ in 0..4 {
        let input = match machine.state() {
            State::Closing { .. } => Input::Outcome(Outcome::TakenDown),
            State::Ended => break,
            State::Queued | State::Restarting { .. } => Input::Request(Request::Close),
            State::Dialing
            | State::Pairing
            | State::Held(_)
            | State::Confirmed { .. }
            | State::LoggingIn
            | State::Open(_)
            | State::Ending { .. } => Input::Outcome(Outcome::RunEnded),
        };
        feed(&mut machine, input, now);
    }
    if *machine.state() != State::Ended {
        // A login after the link goes on for three sockets more; the owner ends it.
        feed(&mut machine, Input::Request(Request::Close), now);
        feed(&mut machine, Input::Outcome(Outcome::TakenDown), now);
    }
    assert_eq!(*machine.state(), State::Ended);
    all
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
    let moments = (0..80).map(|_| {
        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        ((draw % 60) as u8, (draw >> 8) as u8, (draw >> 16) as u16)
    });
    moments.collect()
}

#[test]
fn the_histories_reach_every_state() {
    let mut states = BTreeSet::new();
    for nth in 0..600u64 {
        live((nth % 3) as u8, &drawn_history(nth), &mut states);
    }
    assert_eq!(states.len(), 11, "{states:?}");
}
