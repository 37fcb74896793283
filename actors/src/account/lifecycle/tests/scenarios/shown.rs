//! What people are shown of a row, and what they can do about it.

use super::{
    super::{super::*, *},
    changes,
};
use crate::domain::{CloseReason, CommandKind, Event, EventKind, PasskeyAnswer, PasskeyStage, Phase, Shown};

fn shown(record: &AccountRecord) -> Shown<'_> {
    let has_keys = record.keyring().is_some();
    Shown { status: record.status, reason: &record.reason, has_keys, has_qr: false, has_code: false }
}

#[test]
fn no_command_that_is_offered_is_refused() {
    let scanning = || {
        let mut bench = Bench::new();
        bench.ask("account.pair");
        bench.qr("q1");
        bench
    };
    let mut asked = scanning();
    let expires_at = asked.now.after(Duration::from_secs(60));
    asked.hear(SessionEvent::Passkey { stage: PasskeyStage::Challenge, request: json!({}), expires_at });
    let mut parked = Bench::paired();
    parked.ask("account.unpair");
    parked.closed();
    let mut lost = Bench::paired();
    lost.hear(SessionEvent::Ended { reason: CloseReason::SocketLost("reset".to_owned()) });
    lost.closed();
    let mut held = Bench::paired();
    held.hear(SessionEvent::Ended { reason: CloseReason::Replaced("conflict".to_owned()) });
    held.closed();
    let mut gone = Bench::paired();
    gone.hear(SessionEvent::Ended { reason: CloseReason::LoggedOut("401".to_owned()) });
    gone.closed();
    for (bench, phase) in [
        (Bench::new(), Phase::Idle),
        (scanning(), Phase::Starting),
        (asked, Phase::Passkey),
        (Bench::paired(), Phase::Connected),
        (parked, Phase::Idle),
        (lost, Phase::Offline),
        (held, Phase::Held),
        (gone, Phase::Idle),
    ] {
        let account = shown(bench.life.record());
        assert_eq!(account.phase(), phase, "{account:?}");
        assert_eq!(account.actions().contains(&CommandKind::Resume), account.has_keys && phase != Phase::Connected);
        for kind in account.actions() {
            let command = if kind == CommandKind::Passkey {
                Ok(Command::Passkey(PasskeyAnswer::Response(Secret::new("{}"))))
            } else {
                Command::parse(kind.as_str(), &json!({}))
            };
            let input = CommandInput {
                id: CommandId(99),
                kind: kind.to_string(),
                source: "web".to_owned(),
                command,
                created_at: START,
            };
            let effects = bench.life.clone().step(Input::Command(input), bench.now);
            let told = changes(&effects).into_iter().flat_map(|change| &change.events);
            assert!(!told.map(Event::kind).any(|told| told == EventKind::CommandFailed), "{kind} in {}", bench.state());
        }
    }
}

#[test]
fn a_reason_of_an_older_version_is_kept_until_there_is_another() {
    let old = StatusReason::parse("no answer from WhatsApp");
    let mut bench = Bench::paired();
    let record = AccountRecord { reason: old.clone(), status: Status::Held, ..bench.life.record().clone() };
    let (life, effects) = Lifecycle::resume(record, Policy::default(), SEED, START);
    assert!(effects.is_empty(), "the row is not written because of it: {effects:?}");
    bench.life = life;
    assert_eq!((bench.state(), &bench.life.record().reason), ("Held", &old));
    bench.ask("account.resume");
    assert_eq!(bench.reason(), "resuming");
}
