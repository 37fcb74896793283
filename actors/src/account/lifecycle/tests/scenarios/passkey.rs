//! Passkeys, between a scan and its admission.

use super::{
    super::{super::*, *},
    changes, refused,
};
use crate::domain::{PasskeyError, PasskeyStage};

fn passkey(stage: PasskeyStage) -> SessionEvent {
    SessionEvent::Passkey { stage, request: json!({}), expires_at: START.after(Duration::from_secs(60)) }
}

fn answer(id: i64, args: &serde_json::Value) -> Input {
    let command = Command::parse("account.passkey", args);
    let kind = "account.passkey".to_owned();
    Input::Command(CommandInput { id: CommandId(id), kind, source: "web".to_owned(), command, created_at: START })
}

#[test]
fn a_passkey_is_answered_once_and_confirmed_once() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    bench.hear(passkey(PasskeyStage::Challenge));
    assert_eq!(bench.events(), ["session.passkey"]);
    assert_eq!(changes(&bench.effects)[0].qr, crate::domain::QrChange::Clear, "the scan is done");
    assert!(bench.qr("q2").is_empty(), "no QR behind a challenge");
    let early = refused(bench.feed(answer(10, &json!({"confirm": true})))).unwrap();
    assert!(early.contains("nothing to confirm yet"), "{early}");
    let of = bench.incarnation();
    bench.feed(answer(11, &json!({"response": {}})));
    assert!(matches!(bench.effects[..], [Effect::AnswerPasskey { command: CommandId(11), .. }]));
    let twice = refused(bench.feed(answer(12, &json!({"response": {}})))).unwrap();
    assert!(twice.contains("already"), "{twice}");
    bench.feed(Input::PasskeyAnswered(of, CommandId(11), Ok(())));
    bench.hear(passkey(PasskeyStage::Confirm));
    assert_eq!(bench.reason(), "waiting_for_passkey_confirmation");
    let again = refused(bench.feed(answer(13, &json!({"response": {}})))).unwrap();
    assert!(again.contains("compare the code"), "{again}");
    bench.feed(answer(14, &json!({"confirm": true})));
    assert!(matches!(bench.effects[..], [Effect::AnswerPasskey { command: CommandId(14), .. }]));
    bench.feed(Input::PasskeyAnswered(of, CommandId(14), Ok(())));
    bench.scanned();
    assert_eq!(bench.state(), "Admitting");
}

#[test]
fn a_refused_passkey_answer_can_be_repeated_a_confirmation_not() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    bench.hear(passkey(PasskeyStage::Challenge));
    let of = bench.incarnation();
    bench.feed(answer(10, &json!({"response": {}})));
    let why =
        refused(bench.feed(Input::PasskeyAnswered(of, CommandId(10), Err(PasskeyError::NotTaken("no".to_owned())))))
            .unwrap();
    assert_eq!((why.as_str(), bench.state()), ("WhatsApp did not take the answer: no", "AwaitingPasskey"));
    bench.feed(answer(11, &json!({"response": {}})));
    bench.feed(Input::PasskeyAnswered(of, CommandId(11), Ok(())));
    bench.hear(passkey(PasskeyStage::Confirm));
    bench.feed(answer(12, &json!({"confirm": true})));
    bench.feed(Input::PasskeyAnswered(of, CommandId(12), Err(PasskeyError::NotTaken("no".to_owned()))));
    assert_eq!(bench.state(), "Closing");
    bench.closed();
    assert!(bench.life.record().attempt().is_some() && bench.reason().contains("confirmation"));
}

#[test]
fn an_expired_passkey_challenge_gives_way_to_a_fresh_qr() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    bench.hear(passkey(PasskeyStage::Challenge));
    let of = bench.incarnation();
    bench.feed(answer(10, &json!({"response": {}})));
    bench.pass(Duration::from_secs(61));
    assert_eq!(bench.state(), "Closing");
    bench.closed();
    assert_eq!(bench.reason(), "passkey_timeout");
    bench.pass(Duration::from_secs(5));
    assert_eq!(bench.state(), "Opening");
    let late = refused(bench.feed(Input::PasskeyAnswered(of, CommandId(10), Ok(())))).unwrap();
    assert!(late.contains("ended before the answer"), "{late}");
}

#[test]
fn a_new_challenge_replaces_an_old_one_answered_or_not() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    bench.hear(passkey(PasskeyStage::Challenge));
    bench.hear(passkey(PasskeyStage::Challenge));
    assert_eq!((bench.events(), bench.state()), (vec!["session.passkey"], "AwaitingPasskey"));
    bench.feed(answer(10, &json!({"response": {}})));
    let mut confirming = Bench { life: bench.life.clone(), effects: Vec::new(), now: bench.now, commands: 0 };
    bench.hear(passkey(PasskeyStage::Challenge));
    assert_eq!(bench.state(), "Closing");
    let of = confirming.incarnation();
    confirming.feed(Input::PasskeyAnswered(of, CommandId(10), Ok(())));
    confirming.hear(passkey(PasskeyStage::Confirm));
    confirming.hear(passkey(PasskeyStage::Challenge));
    assert_eq!(confirming.state(), "Closing");
}
