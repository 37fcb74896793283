//! Generated histories: any input at any time, sensible or not.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::{super::*, referee::Referee, *};
use crate::domain::{
    CloseReason, CodeOver, CommandKind, Group, GroupsError, KeyringId, Link, LinkedDevice, OnlineAnswer, OnlineError,
    PasskeyStage, Refuse,
};

/// One step of a history: the input, a choice within it, and the time since the last one.
pub(super) type Moment = (u8, u8, u16);

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    proptest::collection::vec((0..52u8, any::<u8>(), any::<u16>()), 1..120)
}

fn close_reason(choice: u8) -> CloseReason {
    let mut reason = CloseReason::all().nth(usize::from(choice) % CloseReason::all().count()).unwrap();
    if let CloseReason::TemporaryBan { until, .. } = &mut reason {
        *until = Some(Instant(START.0 + 3_600_000));
    }
    reason
}

/// How many [`beginning`]s there are.
pub(super) const BEGINNINGS: usize = 6;
pub(super) const DELETED: usize = 4;

/// Rows that a life can begin with.
pub(super) fn beginning(nth: usize) -> AccountRecord {
    let keyring = KeyringId(Uuid::from_u128(77));
    let held = Link::Held(LinkedDevice { keyring, phone: Some(phone()), jid: None });
    let linked = AccountRecord { link: held, desired: Desired::Paired, ..fresh_record() };
    match nth % BEGINNINGS {
        0 => fresh_record(),
        1 => AccountRecord { status: Status::Connected, ..linked },
        2 => AccountRecord { status: Status::Held, ..linked },
        DELETED => AccountRecord {
            status: Status::Deleting,
            desired: Desired::Deleted,
            deleted_at: Some(START),
            ..fresh_record()
        },
        5 => AccountRecord {
            status: Status::Reconnecting,
            next_retry_at: Some(START),
            released_at: Some(START),
            ..linked
        },
        _ => AccountRecord { link: Link::parked(Some(keyring)), last_phone: Some(phone()), ..fresh_record() },
    }
}

/// The input that usually comes next in this state; without it, few histories would get far.
fn expected(choice: u8, life: &Lifecycle, command_id: i64) -> Input {
    let of = life.incarnation;
    let expires_at = Instant(START.0 + 60_000);
    match life.state {
        State::Unpaired if choice < 128 => command(command_id, "account.resume"),
        State::Unpaired => command(command_id, "account.pair"),
        State::Opening { .. } => {
            Input::Session(of, SessionEvent::Qr { payload: Secret::new(format!("q{choice}")), expires_at })
        }
        State::AwaitingScan { .. } | State::AwaitingPasskey { .. } => {
            Input::Session(of, SessionEvent::Scanned { phone: phone(), device_jid: "jid".to_owned() })
        }
        State::Linking { .. } | State::Connecting { .. } => {
            Input::Session(of, SessionEvent::Open { phone: Some(phone()), device_jid: None })
        }
        State::Admitting { .. } | State::ClaimingNumber { .. } | State::Reclaiming { .. } => {
            Input::Claimed(of, Ok(Claim::Granted))
        }
        State::Online { .. } => Input::Session(of, SessionEvent::Ended { reason: close_reason(choice) }),
        State::Held { .. } => command(command_id, "account.resume"),
        State::Closing { .. } => Input::SessionClosed(of),
        State::Deleted { .. } if choice < 128 => command(command_id, "account.delete"),
        State::Waiting { .. } | State::Reconnecting { .. } | State::Deleted { .. } | State::Gone => Input::Deadline,
    }
}

/// The input that a moment stands for, given what the machine waits for.
pub(super) fn input_of((kind, choice, _): Moment, life: &Lifecycle, command_id: i64) -> Input {
    if kind >= 26 {
        return expected(choice, life, command_id);
    }
    // One in eight comes from a former connection.
    let back = u64::from(choice.is_multiple_of(8));
    let of = Incarnation(life.incarnation.0.saturating_sub(back));
    let session = |event| Input::Session(of, event);
    let phone = if choice.is_multiple_of(5) { Phone::from_digits("436609999999").unwrap() } else { phone() };
    let expires_at = Instant(START.0 + 60_000);
    match kind {
        0 | 1 => command(command_id, "account.pair"),
        2 => command(command_id, "account.cancel"),
        3 => command(command_id, "account.unpair"),
        4 => command(command_id, "account.unpair!"),
        5 => command(command_id, "account.resume"),
        6 if choice < 40 => command(command_id, "account.delete"),
        6 => command(command_id, "account.nonsense"),
        7 => command(command_id, CommandKind::ALL[usize::from(choice) % CommandKind::ALL.len()].as_str()),
        8 => Input::Command(CommandInput {
            id: CommandId(command_id),
            kind: "account.pair".to_owned(),
            source: "web".to_owned(),
            command: Command::parse("account.pair", &json!({"expectPhone": "436601234567"})),
            created_at: START,
        }),
        9 | 10 => session(SessionEvent::Qr { payload: Secret::new(format!("q{}", choice % 3)), expires_at }),
        11 => session(SessionEvent::Code { code: Secret::new("ABCD1234"), expires_at }),
        12 if choice < 32 => session(SessionEvent::QrOver),
        12 if choice < 64 => session(SessionEvent::CodeOver { reason: CodeOver::Expired }),
        12 if choice < 128 => {
            session(SessionEvent::Passkey { stage: PasskeyStage::Confirm, request: json!({}), expires_at })
        }
        12 => session(SessionEvent::Passkey { stage: PasskeyStage::Challenge, request: json!({}), expires_at }),
        13 | 14 => session(SessionEvent::Scanned { phone, device_jid: "jid".to_owned() }),
        15 if choice < 128 => session(SessionEvent::GroupsChanged),
        15 => session(SessionEvent::ScanRejected { reason: "no multi-device".to_owned() }),
        16 | 17 => session(SessionEvent::Open { phone: Some(phone), device_jid: Some("jid".to_owned()) }),
        18 => session(SessionEvent::Ended { reason: close_reason(choice) }),
        19 if choice < 128 => Input::Claimed(of, Ok(Claim::Granted)),
        19 if choice < 220 => Input::Claimed(of, Ok(Claim::Duplicate { existing_label: "other".to_owned() })),
        19 => Input::Claimed(of, Err(ClaimError::Failed("database".to_owned()))),
        20..=22 => Input::SessionClosed(of),
        23 if choice < 200 => {
            let group = Group { jid: "g".to_owned(), subject: "s".to_owned(), participants: 2, is_admin: false };
            Input::GroupsFetched(of, Ok(vec![group]))
        }
        23 => Input::GroupsFetched(of, Err(GroupsError::Failed("rate limited".to_owned()))),
        25 if choice < 60 => command(command_id, "chat.read"),
        25 if choice < 200 => {
            let first = life.requests.first().map_or(CommandId(command_id), PendingRequest::command);
            let outcome = match choice % 3 {
                0 => Ok(OnlineAnswer::Read { messages: 1 }),
                1 => Err(OnlineError::ConnectionOver),
                _ => Err(OnlineError::NoAnswer),
            };
            Input::Answered(of, first, outcome)
        }
        24 if choice < 6 => Input::Fenced,
        24 if choice < 12 => Input::Drain,
        24 if choice < 18 => Input::HandOver,
        _ => Input::Deadline,
    }
}

/// Lives a history under the referee's eyes; gives back all its effects.
fn live(policy: &Policy, begin: usize, history: &[Moment]) -> Vec<Effect> {
    let record = beginning(begin);
    let mut referee = Referee::new(&record);
    let (mut life, mut all) = Lifecycle::resume(record, policy.clone(), SEED, START);
    referee.on_effects(&all, &life);
    let mut now = START;
    for (nth, moment) in history.iter().enumerate() {
        now = now.after(Duration::from_millis(u64::from(moment.2)));
        let input = input_of(*moment, &life, i64::try_from(nth).unwrap());
        one_step(&mut life, &mut referee, input, now, &mut all);
    }
    quiet_down(&mut life, &mut referee, now, &mut all);
    all
}

fn one_step(life: &mut Lifecycle, referee: &mut Referee, input: Input, now: Instant, all: &mut Vec<Effect>) {
    let foreign = input.incarnation().is_some_and(|of| of != life.incarnation);
    let seen = |life: &Lifecycle| format!("{:?}", (&life.state, &life.record));
    let before = foreign.then(|| seen(life));
    let was = (life.state.name(), life.deadline().filter(|due| *due <= now));
    referee.on_input(&input);
    let at_deadline = input == Input::Deadline;
    let effects = life.step(input, now);
    if let Some(before) = before {
        assert!(effects.is_empty(), "another connection's word had effects: {effects:?}");
        assert_eq!(before, seen(life), "another connection's word changed something");
    }
    if at_deadline && was.1.is_some() {
        let is = (life.state.name(), life.deadline().filter(|due| *due <= now));
        assert!(is.1.is_none() || is.0 != was.0, "a reached deadline made no progress in {}", is.0);
    }
    referee.on_effects(&effects, life);
    all.extend(effects);
}

/// The world goes silent: connections close when asked, and time passes.
fn quiet_down(life: &mut Lifecycle, referee: &mut Referee, mut now: Instant, all: &mut Vec<Effect>) {
    for _ in 0..400 {
        let open_attempt = life.record.attempt().is_some();
        let Some(due) = life.deadline() else { break };
        let settled = matches!(life.state, State::Reconnecting { .. } | State::Connecting { .. } | State::Held { .. });
        if settled && !open_attempt && life.requests.is_empty() {
            break;
        }
        now = if due > now { due } else { now };
        let closing = matches!(life.state, State::Closing { .. });
        let input = if closing { Input::SessionClosed(life.incarnation) } else { Input::Deadline };
        one_step(life, referee, input, now, all);
    }
    // Groups that are still being waited for are given up by the connection's end.
    if matches!(life.state, State::Online { .. } | State::Connecting { .. }) {
        let reason = CloseReason::SocketLost("quiet".to_owned());
        one_step(life, referee, Input::Session(life.incarnation, SessionEvent::Ended { reason }), now, all);
        one_step(life, referee, Input::SessionClosed(life.incarnation), now, all);
    }
    if matches!(life.state, State::Closing { .. }) {
        one_step(life, referee, Input::SessionClosed(life.incarnation), now, all);
    }
    // What waits for a connection is given up in time.
    while let Some(due) = life.deadline().filter(|_| !life.requests.is_empty()) {
        now = if due > now { due } else { now };
        let closing = matches!(life.state, State::Closing { .. });
        let input = if closing { Input::SessionClosed(life.incarnation) } else { Input::Deadline };
        one_step(life, referee, input, now, all);
    }
    referee.on_quiet(life);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_an_invariant(begin in 0..BEGINNINGS, history in moments(), after_link in any::<bool>()) {
        let refuse = if after_link { Refuse::AfterLink } else { Refuse::BeforeLink };
        live(&Policy { refuse, ..Policy::default() }, begin, &history);
    }

    #[test]
    fn the_same_inputs_have_the_same_effects(begin in 0..BEGINNINGS, history in moments()) {
        prop_assert_eq!(live(&Policy::default(), begin, &history), live(&Policy::default(), begin, &history));
    }

    #[test]
    fn a_life_goes_on_from_any_row_that_a_life_wrote(begin in 0..BEGINNINGS, history in moments(), later in 0..7_200_000u64) {
        let effects = live(&Policy::default(), begin, &history);
        let rows = effects.iter().filter_map(|effect| {
            if let Effect::Record(update) | Effect::Claim { update, .. } = effect { Some(update) } else { None }
        });
        for Update { record, .. } in rows.map(|update| &**update) {
            let now = START.after(Duration::from_millis(later));
            let mut referee = Referee::new(record);
            let (mut life, mut all) = Lifecycle::resume(record.clone(), Policy::default(), SEED + 1, now);
            referee.on_effects(&all, &life);
            quiet_down(&mut life, &mut referee, now, &mut all);
        }
    }
}
