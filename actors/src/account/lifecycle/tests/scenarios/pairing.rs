//! An attempt, from the command to its end.

use super::{
    super::{super::*, *},
    changes, claim_of, close_of, pairing_until,
};
use crate::domain::{CloseReason, Event, KeyringId, Purpose, Refuse, TicketReason};

#[test]
fn a_scan_is_secured_then_confirmed_then_reported() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    assert_eq!(bench.state(), "Opening");
    bench.qr("q1");
    assert_eq!(bench.events(), ["session.qr"]);
    let of = bench.incarnation();
    let asked = claim_of(bench.scanned(), of).unwrap();
    assert_eq!(asked.change.links, Some(phone()), "the keys become durable with the number");
    assert_eq!((asked.record.phone(), &asked.record.reason), (Some(&phone()), &Reason::Linking.into()));
    assert_eq!(bench.life.record().phone(), None, "not before the database has said so");
    assert_eq!(bench.claimed(Claim::Granted)[0], Effect::ConfirmLink(of));
    assert_eq!(bench.life.record().phone(), Some(&phone()));
    bench.open();
    assert_eq!(bench.events(), ["session.connected"]);
    assert_eq!(bench.life.record().status, Status::Connected);
    assert!(bench.life.record().keyring().is_some() && bench.life.record().linking().is_none());
}

#[test]
fn a_repeated_qr_is_ignored_and_a_new_one_is_reported() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    assert!(bench.qr("q1").is_empty());
    bench.qr("q2");
    assert_eq!(bench.events(), ["session.qr"]);
}

#[test]
fn an_expired_code_leaves_the_row_and_the_qr_stays() {
    let mut bench = Bench::new();
    bench.feed(Input::Command(CommandInput {
        id: CommandId(1),
        kind: "account.pair".to_owned(),
        source: "web".to_owned(),
        command: Command::parse("account.pair", &json!({"method": "code", "phone": phone().digits()})),
        created_at: START,
    }));
    bench.qr("q1");
    let expires_at = START.after(Duration::from_secs(180));
    bench.hear(SessionEvent::Code { code: Secret::new("ABCD1234"), expires_at });
    assert_eq!(changes(&bench.effects)[0].qr, crate::domain::QrChange::Keep);
    bench.qr("q2");
    assert_eq!(bench.reason(), "waiting_for_code", "the code is what was asked for");
    assert_eq!(bench.life.deadline(), Some(expires_at.after(Duration::from_secs(30))), "the code outlives the QR");
    bench.hear(SessionEvent::CodeOver { reason: crate::domain::CodeOver::Refused("429".to_owned()) });
    let change = changes(&bench.effects)[0];
    assert_eq!((&change.pair_code, &change.qr), (&crate::domain::CodeChange::Clear, &crate::domain::QrChange::Keep));
    bench.qr("q3");
    assert_eq!(bench.reason(), "code_refused: 429");
    let other = Phone::parse("436609999999").unwrap();
    bench.hear(SessionEvent::Scanned { phone: other, device_jid: "jid".to_owned() });
    bench.closed();
    assert_eq!(bench.events(), ["session.wrong_phone"], "the QR beside the code is for the same phone");
}

#[test]
fn a_duplicate_is_refused_and_closed_before_its_event() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    bench.scanned();
    let of = bench.incarnation();
    let refused = bench.claimed(Claim::Duplicate { existing_label: "shop".to_owned() });
    assert_eq!(refused, [Effect::RefuseLink(of), Effect::Close(of)]);
    bench.closed();
    assert_eq!(bench.events(), ["session.duplicate"]);
    assert_eq!((bench.life.record().status, bench.life.record().phone()), (Status::Unpaired, None));
}

#[test]
fn refused_after_the_link_a_duplicate_gets_an_unlink_ticket() {
    let mut bench = Bench::with(fresh_record(), Policy { refuse: Refuse::AfterLink, ..Policy::default() });
    bench.ask("account.pair");
    bench.qr("q1");
    let of = bench.incarnation();
    assert_eq!(claim_of(bench.scanned(), of).unwrap().change.links, Some(phone()));
    bench.claimed(Claim::Granted);
    assert_eq!(bench.life.record().phone(), None, "nobody asked for the number yet");
    let asked = claim_of(bench.open(), of).unwrap();
    assert_eq!((asked.record.phone(), asked.change.links), (Some(&phone()), None));
    bench.claimed(Claim::Duplicate { existing_label: "shop".to_owned() });
    bench.closed();
    assert_eq!(bench.events(), ["session.duplicate"]);
    assert_eq!(changes(&bench.effects)[0].tickets.len(), 1);
}

#[test]
fn an_attempt_spans_sockets_until_its_deadline() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    let first = bench.incarnation();
    bench.qr("q1");
    bench.now = bench.now.after(Duration::from_secs(160));
    bench.hear(SessionEvent::Ended { reason: CloseReason::QrExhausted });
    bench.closed();
    assert_eq!(bench.incarnation(), first.next(), "a new socket at once");
    bench.qr("q2");
    bench.pass(Duration::from_secs(140));
    bench.closed();
    assert_eq!(bench.events(), ["session.timeout"]);
    assert_eq!(bench.life.record().status, Status::Unpaired);
}

#[test]
fn pairing_again_closes_the_old_socket_before_opening_another() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    let old = bench.incarnation();
    assert_eq!(close_of(bench.ask("account.pair")), Some(old));
    bench.closed();
    assert_eq!(bench.events(), ["session.cancelled"]);
    assert!(matches!(bench.effects.last(), Some(Effect::Open { .. })));
    let late = SessionEvent::Qr { payload: Secret::new("late"), expires_at: bench.now };
    assert!(bench.feed(Input::Session(old, late)).is_empty(), "the old socket has no say");
}

#[test]
fn a_new_link_sends_the_parked_device_away() {
    let mut bench = Bench::paired();
    let old = bench.life.record().keyring().unwrap();
    bench.ask("account.unpair");
    bench.closed();
    assert_eq!(bench.life.record().keyring(), Some(old), "parked");
    bench.ask("account.pair");
    bench.qr("q2");
    bench.scanned();
    bench.claimed(Claim::Granted);
    bench.open();
    assert_eq!(changes(&bench.effects)[0].tickets, [(old, TicketReason::PairedAgain)]);
}

#[test]
fn a_restart_keeps_deadlines_and_logs_in_a_new_link() {
    let deadline = START.after(Duration::from_secs(60));
    let pending = AccountRecord {
        status: Status::Pending,
        desired: Desired::Paired,
        link: pairing_until(deadline, None),
        ..fresh_record()
    };
    let bench = Bench::with(pending.clone(), Policy::default());
    assert!(matches!(bench.effects.last(), Some(Effect::Open { purpose: Purpose::Pair { .. }, .. })));
    assert_eq!(bench.life.record().attempt().unwrap().deadline, deadline);

    let link = pairing_until(deadline, Some(KeyringId(Uuid::from_u128(9))));
    let mut bench = Bench::with(AccountRecord { link, ..pending.clone() }, Policy::default());
    assert!(matches!(bench.effects.last(), Some(Effect::Open { purpose: Purpose::Login, .. })));
    bench.hear(SessionEvent::Ended { reason: CloseReason::NotAuthorized("401".to_owned()) });
    bench.closed();
    assert_eq!(bench.state(), "Linking", "a second look");
    bench.hear(SessionEvent::Ended { reason: CloseReason::NotAuthorized("401".to_owned()) });
    bench.closed();
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.state(), "Opening", "the link never came about: the attempt goes on with a fresh QR");

    let bench = Bench::with(AccountRecord { link: pairing_until(START, None), ..pending }, Policy::default());
    assert_eq!((bench.state(), bench.events()), ("Unpaired", vec!["session.timeout"]));
}

#[test]
fn pairing_a_connected_account_only_says_so_again() {
    let mut bench = Bench::paired();
    bench.ask("account.pair");
    assert_eq!((bench.state(), bench.events()), ("Online", vec!["session.connected"]));
}

#[test]
fn another_phone_than_the_expected_one_is_refused() {
    let mut bench = Bench::new();
    let args = serde_json::json!({"expectPhone": "+43 660 7654321"});
    bench.feed(Input::Command(CommandInput {
        id: CommandId(1),
        kind: "account.pair".to_owned(),
        source: "web".to_owned(),
        command: Command::parse("account.pair", &args),
        created_at: START,
    }));
    bench.qr("q1");
    let of = bench.incarnation();
    assert_eq!(bench.scanned(), [Effect::RefuseLink(of), Effect::Close(of)]);
    bench.closed();
    let expected = Phone::parse("436607654321").unwrap();
    assert_eq!(changes(&bench.effects)[0].events, [Event::WrongPhone { phone: phone(), expected }]);
}

#[test]
fn an_outdated_client_ends_an_attempt_at_once() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.hear(SessionEvent::Ended { reason: CloseReason::ClientOutdated("405".to_owned()) });
    bench.closed();
    assert_eq!((bench.state(), bench.events()), ("Unpaired", vec!["session.failed"]));
}

#[test]
fn a_server_that_ends_fresh_sockets_is_redialled_at_once_once() {
    for reason in [CloseReason::RestartRequired, CloseReason::LoggedOut("401".to_owned()), CloseReason::QrExhausted] {
        let mut bench = Bench::new();
        bench.ask("account.pair");
        let mut waits = Vec::new();
        for _ in 0..4 {
            bench.hear(SessionEvent::Ended { reason: reason.clone() });
            bench.closed();
            let wait = if bench.state() == "Waiting" {
                bench.now.until(bench.life.deadline().unwrap())
            } else {
                Duration::ZERO
            };
            waits.push(wait);
            bench.pass(wait);
            assert_eq!(bench.state(), "Opening");
        }
        assert!(waits[0].is_zero() && waits[1..].windows(2).all(|pair| pair[1] > pair[0]), "{reason:?}: {waits:?}");
    }
}

#[test]
fn a_refused_try_is_told_beside_a_fresh_qr_and_in_the_end() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    bench.hear(SessionEvent::ScanRejected { reason: "bad signature".to_owned() });
    assert_eq!(bench.reason(), "scan_rejected: bad signature");
    bench.qr("q2");
    assert_eq!(bench.reason(), "waiting_for_scan: scan_rejected: bad signature");
    bench.hear(SessionEvent::Ended { reason: CloseReason::QrExhausted });
    bench.closed();
    bench.qr("q3");
    assert_eq!(bench.reason(), "waiting_for_scan: scan_rejected: bad signature", "on another socket, too");
    bench.pass(Duration::from_secs(300));
    bench.closed();
    assert_eq!(
        (bench.events(), bench.reason().as_str()),
        (vec!["session.timeout"], "timeout: scan_rejected: bad signature")
    );
    assert_eq!(changes(&bench.effects)[0].events[0].payload()["reason"], "timeout: scan_rejected: bad signature");

    bench.ask("account.pair");
    bench.qr("q4");
    assert_eq!(bench.reason(), "waiting_for_scan", "another attempt begins afresh");
    bench.hear(SessionEvent::Ended { reason: CloseReason::RestartRequired });
    bench.closed();
    bench.qr("q5");
    assert_eq!(bench.reason(), "waiting_for_scan: restart_required", "515 before the signature");
    // As after a takeover: the row is all that the next daemon knows.
    let (life, _) = Lifecycle::resume(bench.life.record().clone(), Policy::default(), SEED + 1, bench.now);
    bench.life = life;
    bench.qr("q6");
    assert_eq!(bench.reason(), "waiting_for_scan: restart_required");
    bench.scanned();
    bench.claimed(Claim::Granted);
    bench.open();
    assert_eq!(bench.reason(), "connected");
}

#[test]
fn a_timeout_after_a_scan_does_not_say_that_nobody_scanned() {
    let scanning = || {
        let mut bench = Bench::new();
        bench.ask("account.pair");
        bench.now = bench.now.after(Duration::from_secs(280));
        bench.qr("q1");
        bench
    };
    let ended = |mut bench: Bench| {
        bench.pass(Duration::from_secs(100));
        if bench.state() == "Closing" {
            bench.closed();
        }
        assert_eq!(bench.events(), ["session.timeout"]);
        bench.reason()
    };
    assert_eq!(ended(scanning()), "timeout");
    let mut asked = scanning();
    let (stage, expires_at) = (crate::domain::PasskeyStage::Challenge, asked.now.after(Duration::from_secs(60)));
    asked.hear(SessionEvent::Passkey { stage, request: json!({}), expires_at });
    assert_eq!(ended(asked), "timeout: passkey_timeout");
    let mut linking = scanning();
    linking.scanned();
    linking.claimed(Claim::Granted);
    assert_eq!(ended(linking), "timeout: no_login");
    let mut admitting = scanning();
    admitting.scanned();
    assert!(ended(admitting).starts_with("timeout: store_failed: "));
    let mut cut_off = scanning();
    cut_off.hear(SessionEvent::Ended { reason: CloseReason::Unreachable("no route".to_owned()) });
    cut_off.closed();
    assert_eq!(ended(cut_off), "timeout: unreachable: no route", "nobody could scan");
}

#[test]
fn nothing_is_said_to_last_longer_than_its_attempt() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    let deadline = bench.life.record().attempt().unwrap().deadline;
    bench.now = START.after(Duration::from_secs(290));
    bench.qr("q1");
    let change = changes(&bench.effects)[0];
    assert!(
        matches!(change.qr, crate::domain::QrChange::Show { expires_at, .. } if expires_at == deadline),
        "{change:?}"
    );
    assert!(matches!(change.events[..], [Event::Qr { expires_at, .. }] if expires_at == deadline), "{change:?}");
    let expires_at = bench.now.after(Duration::from_secs(180));
    bench.hear(SessionEvent::Code { code: Secret::new("ABCD1234"), expires_at });
    let change = changes(&bench.effects)[0];
    assert!(matches!(change.events[..], [Event::Code { expires_at, .. }] if expires_at == deadline), "{change:?}");
    bench.now = START.after(Duration::from_millis(299_990));
    bench.hear(SessionEvent::Ended { reason: CloseReason::Unreachable("no route".to_owned()) });
    bench.closed();
    let next = bench.life.record().next_retry_at;
    assert!(next.is_none_or(|at| at < deadline), "no try after the end is promised: {next:?}");
}

#[test]
fn a_passkey_says_until_when_it_can_be_answered() {
    for (after, lasts, until) in [(0, 60, 60), (0, 3_600, 180), (290, 60, 300)] {
        let mut bench = Bench::new();
        bench.ask("account.pair");
        bench.now = START.after(Duration::from_secs(after));
        bench.qr("q1");
        let expires_at = bench.now.after(Duration::from_secs(lasts));
        let stage = crate::domain::PasskeyStage::Challenge;
        bench.hear(SessionEvent::Passkey { stage, request: json!({}), expires_at });
        let told = changes(&bench.effects)[0].events[0].payload();
        let until =
            START.after(Duration::from_secs(until)).to_utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        assert_eq!(told["expiresAt"], until, "{told}");
    }
}
