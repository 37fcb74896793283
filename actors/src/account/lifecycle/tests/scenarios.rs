//! Single scenarios. They compare whole lists of effects where the order matters.

use super::{super::*, *};
use crate::domain::{
    Attempt, Change, CloseReason, CommandKind, Event, EventKind, KeyringId, Link, LinkedDevice, PairMethod,
    PairRequest, PasskeyAnswer, PasskeyError, PasskeyStage, Phase, Purpose, Refuse, Shown, TicketReason, Trouble,
    Update,
};

fn close_of(effects: &[Effect]) -> Option<Incarnation> {
    effects.iter().find_map(|effect| if let Effect::Close(of) = effect { Some(*of) } else { None })
}

/// The update that asks for a number.
fn claim_of(effects: &[Effect], of: Incarnation) -> Option<Update> {
    effects.iter().find_map(|effect| {
        let Effect::Claim { incarnation, update } = effect else { return None };
        (*incarnation == of).then(|| (**update).clone())
    })
}

fn updates(effects: &[Effect]) -> impl Iterator<Item = &Update> {
    effects.iter().filter_map(|effect| if let Effect::Record(update) = effect { Some(&**update) } else { None })
}

fn changes(effects: &[Effect]) -> Vec<&Change> {
    updates(effects).map(|update| &update.change).collect()
}

fn rows(effects: &[Effect]) -> Vec<&AccountRecord> {
    updates(effects).map(|update| &update.record).collect()
}

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

fn passkey(stage: PasskeyStage) -> SessionEvent {
    SessionEvent::Passkey { stage, request: json!({}), expires_at: START.after(Duration::from_secs(60)) }
}

fn answer(id: i64, args: &serde_json::Value) -> Input {
    let command = Command::parse("account.passkey", args);
    let kind = "account.passkey".to_owned();
    Input::Command(CommandInput { id: CommandId(id), kind, source: "web".to_owned(), command })
}

fn refused(effects: &[Effect]) -> Option<String> {
    changes(effects).into_iter().flat_map(|change| &change.finished).find_map(|finished| finished.result.clone().err())
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

#[test]
fn an_expired_code_leaves_the_row_and_the_qr_stays() {
    let mut bench = Bench::new();
    bench.feed(Input::Command(CommandInput {
        id: CommandId(1),
        kind: "account.pair".to_owned(),
        source: "web".to_owned(),
        command: Command::parse("account.pair", &json!({"method": "code", "phone": phone().digits()})),
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
fn a_reconnect_replaces_live_connections_and_keeps_the_status() {
    let mut bench = Bench::paired();
    let of = bench.incarnation();
    bench.ask("account.reconnect");
    assert_eq!(close_of(&bench.effects), Some(of));
    bench.closed();
    assert_eq!((bench.state(), bench.life.record().status), ("Connecting", Status::Connected));
    bench.open();
    assert!(bench.events().is_empty(), "nothing happened that is to be told");

    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    bench.ask("account.reconnect");
    bench.closed();
    assert_eq!((bench.state(), bench.life.record().attempt().is_some()), ("Opening", true));

    let mut bench = Bench::paired();
    bench.hear(SessionEvent::Ended { reason: CloseReason::ProxyInvalid("no port".to_owned()) });
    bench.closed();
    assert_eq!((bench.state(), bench.reason().as_str()), ("Held", "proxy_invalid: no port"));
    bench.ask("account.reconnect");
    assert_eq!(bench.state(), "Connecting");

    let mut bench = Bench::paired();
    bench.hear(SessionEvent::Ended { reason: CloseReason::Banned("403".to_owned()) });
    bench.closed();
    bench.ask("account.reconnect");
    assert_eq!(bench.state(), "Held", "a ban is not the proxy's doing");
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
fn a_deleted_account_leaves_the_lists_before_its_socket_closes() {
    let mut bench = Bench::paired();
    let keyring = bench.life.record().keyring().unwrap();
    let effects = bench.ask("account.delete").to_vec();
    assert!(rows(&effects)[0].deleted_at.is_some());
    assert!(matches!(effects.last(), Some(Effect::Close(_))));
    assert!(bench.events().is_empty());
    bench.closed();
    assert_eq!(bench.events(), ["account.deleted"]);
    assert_eq!(changes(&bench.effects)[0].tickets, [(keyring, TicketReason::Deleted)]);
    assert!(changes(&bench.effects)[0].erase.is_empty(), "unlink first, then erase");
    assert_eq!(bench.effects.last(), Some(&Effect::Retire));
}

#[test]
fn a_lost_connection_is_reported_once_and_retried() {
    let mut bench = Bench::paired();
    let lost = || SessionEvent::Ended { reason: CloseReason::SocketLost("reset".to_owned()) };
    let mut waits = Vec::new();
    for nth in 0..4 {
        bench.hear(lost());
        bench.closed();
        assert_eq!(bench.events(), if nth == 0 { vec!["session.disconnected"] } else { vec![] });
        let wait = bench.now.until(bench.life.deadline().unwrap());
        waits.push(wait);
        bench.pass(wait);
        assert_eq!(bench.state(), "Connecting");
    }
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
    bench.open();
    assert_eq!(bench.events(), ["session.connected"]);
}

#[test]
fn a_restart_that_whatsapp_requests_is_not_recorded() {
    let mut bench = Bench::paired();
    bench.hear(SessionEvent::Ended { reason: CloseReason::RestartRequired });
    let effects = bench.closed();
    assert!(matches!(effects, [Effect::Open { purpose: Purpose::Login, .. }]), "{effects:?}");
    assert!(bench.open().is_empty());
    assert_eq!(bench.life.record().status, Status::Connected);
}

#[test]
fn a_restart_without_a_login_is_reported_in_the_end() {
    let mut bench = Bench::paired();
    bench.hear(SessionEvent::Ended { reason: CloseReason::RestartRequired });
    bench.closed();
    bench.pass(Duration::from_secs(15));
    assert_eq!((bench.events(), bench.state()), (vec!["session.disconnected"], "Connecting"));
    assert_eq!(bench.life.record().status, Status::Reconnecting, "a row that says connected while nobody is");
    bench.open();
    assert_eq!(bench.events(), ["session.connected"]);
}

#[test]
fn a_logout_erases_the_keys_and_never_pairs_by_itself() {
    let mut bench = Bench::paired();
    let keyring = bench.life.record().keyring().unwrap();
    bench.hear(SessionEvent::Ended { reason: CloseReason::LoggedOut("device_removed".to_owned()) });
    bench.closed();
    assert_eq!(bench.events(), ["session.logged_out"]);
    assert_eq!(changes(&bench.effects)[0].erase, [keyring]);
    assert_eq!((bench.state(), bench.life.deadline()), ("Unpaired", None));
}

#[test]
fn a_ban_is_waited_out_and_a_replaced_session_does_not_fight() {
    let until = START.after(Duration::from_secs(600));
    let mut bench = Bench::paired();
    bench.hear(SessionEvent::Ended { reason: CloseReason::TemporaryBan { until: Some(until), raw: "101".to_owned() } });
    bench.closed();
    assert_eq!(bench.events(), ["session.held"]);
    assert_eq!(bench.life.deadline(), Some(until));
    bench.pass(Duration::from_secs(600));
    assert_eq!(bench.state(), "Connecting");
    bench.hear(SessionEvent::Ended { reason: CloseReason::Replaced("conflict".to_owned()) });
    bench.closed();
    assert_eq!((bench.state(), bench.life.deadline()), ("Held", None));
    bench.ask("account.resume");
    assert_eq!(bench.state(), "Connecting");
}

/// An attempt that is running; with keys, a phone has scanned.
fn pairing(deadline: Instant, linking: Option<KeyringId>) -> Link {
    let request = PairRequest { method: PairMethod::Qr, expect_phone: None };
    let device = linking.map(|keyring| LinkedDevice { keyring, phone: Some(phone()), jid: None });
    Link::Pairing { attempt: Attempt { deadline, request, device }, parked: None }
}

#[test]
fn a_restart_keeps_deadlines_and_logs_in_a_new_link() {
    let deadline = START.after(Duration::from_secs(60));
    let pending = AccountRecord {
        status: Status::Pending,
        desired: Desired::Paired,
        link: pairing(deadline, None),
        ..fresh_record()
    };
    let bench = Bench::with(pending.clone(), Policy::default());
    assert!(matches!(bench.effects.last(), Some(Effect::Open { purpose: Purpose::Pair { .. }, .. })));
    assert_eq!(bench.life.record().attempt().unwrap().deadline, deadline);

    let link = pairing(deadline, Some(KeyringId(Uuid::from_u128(9))));
    let mut bench = Bench::with(AccountRecord { link, ..pending.clone() }, Policy::default());
    assert!(matches!(bench.effects.last(), Some(Effect::Open { purpose: Purpose::Login, .. })));
    bench.hear(SessionEvent::Ended { reason: CloseReason::NotAuthorized("401".to_owned()) });
    bench.closed();
    assert_eq!(bench.state(), "Linking", "a second look");
    bench.hear(SessionEvent::Ended { reason: CloseReason::NotAuthorized("401".to_owned()) });
    bench.closed();
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.state(), "Opening", "the link never came about: the attempt goes on with a fresh QR");

    let bench = Bench::with(AccountRecord { link: pairing(START, None), ..pending }, Policy::default());
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
fn an_outdated_client_is_reported_once_and_retried() {
    let mut bench = Bench::paired();
    let outdated = || SessionEvent::Ended { reason: CloseReason::ClientOutdated("405".to_owned()) };
    bench.hear(outdated());
    bench.closed();
    assert_eq!((bench.state(), bench.events()), ("Held", vec!["session.held"]));
    let mut waits = Vec::new();
    for _ in 0..12 {
        let wait = bench.now.until(bench.life.deadline().unwrap());
        assert_eq!(bench.life.record().next_retry_at, bench.life.deadline(), "the row says when");
        waits.push(wait);
        bench.pass(wait);
        assert_eq!(bench.state(), "Connecting");
        bench.hear(outdated());
        bench.closed();
        assert_eq!((bench.state(), bench.events()), ("Held", vec![]), "nothing new has happened");
    }
    let policy = Policy::default();
    assert!(waits[0] <= policy.outdated_retry * 5 / 4 && waits[2] > waits[0] * 2, "{waits:?}");
    assert!(*waits.iter().max().unwrap() <= policy.outdated_cap * 5 / 4, "{waits:?}");

    // After a person's command it is reported again.
    bench.ask("account.resume");
    bench.hear(outdated());
    bench.closed();
    assert_eq!((bench.state(), bench.events()), ("Held", vec!["session.held"]));
    bench.pass(bench.now.until(bench.life.deadline().unwrap()));
    bench.open();
    assert_eq!((bench.state(), bench.events()), ("Online", vec!["session.connected"]));
}

#[test]
fn an_account_that_waited_for_a_person_comes_back_by_itself() {
    let mut record = Bench::paired().life.record().clone();
    record.set_status(Status::Held, StatusReason::new(Reason::ClientOutdated, "failure 405"), START);
    record.next_retry_at = None;
    let mut bench = Bench::with(record.clone(), Policy::default());
    bench.pass(bench.now.until(bench.life.deadline().unwrap()));
    assert_eq!(bench.state(), "Connecting");
    record.set_status(Status::Held, StatusReason::new(Reason::Banned, "failure 403"), START);
    assert_eq!(Bench::with(record, Policy::default()).life.deadline(), None, "a ban waits for somebody");
}

#[test]
fn a_quick_move_between_daemons_is_not_reported() {
    let mut bench = Bench::paired();
    bench.feed(Input::HandOver);
    bench.closed();
    assert!(bench.events().is_empty());
    let released = rows(&bench.effects)[0].clone();
    assert_eq!((released.status, released.released_at), (Status::Reconnecting, Some(bench.now)));

    let mut heir = Bench::with(released.clone(), Policy::default());
    assert_eq!(heir.state(), "Connecting");
    heir.open();
    assert!(heir.events().is_empty(), "consumers never heard that it was gone");
    assert_eq!((heir.life.record().status, heir.life.record().released_at), (Status::Connected, None));
}

#[test]
fn a_slow_move_is_reported_after_fifteen_seconds() {
    let mut bench = Bench::paired();
    bench.feed(Input::HandOver);
    bench.closed();
    let released = rows(&bench.effects)[0].clone();
    let mut heir = Bench::with(released.clone(), Policy::default());
    heir.pass(Duration::from_secs(15));
    assert_eq!((heir.events(), heir.state()), (vec!["session.disconnected"], "Connecting"));
    heir.open();
    assert_eq!(heir.events(), ["session.connected"]);

    let mut heir = Bench::with(released.clone(), Policy::default());
    heir.hear(SessionEvent::Ended { reason: CloseReason::SocketLost("reset".to_owned()) });
    heir.closed();
    assert_eq!(heir.events(), ["session.disconnected"], "the login failed: that is no move any more");

    let mut bench = Bench::paired();
    bench.feed(Input::Drain);
    bench.closed();
    assert_eq!(bench.events(), ["session.disconnected"], "nobody is there to go on");
}

#[test]
fn a_fenced_account_is_cut_even_while_it_closes() {
    let mut bench = Bench::paired();
    bench.ask("account.unpair");
    let of = bench.incarnation();
    assert_eq!(close_of(&bench.effects), Some(of));
    assert_eq!(bench.feed(Input::Fenced), [Effect::Cut(of)]);
    assert_eq!(bench.closed(), [Effect::Retire], "and nothing is written");
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
fn a_deletion_is_settled_when_its_last_ticket_is_closed() {
    let deleting = AccountRecord {
        status: Status::Deleting,
        desired: Desired::Deleted,
        deleted_at: Some(START),
        ..fresh_record()
    };
    let mut bench = Bench::with(deleting, Policy::default());
    let (row, settled) = (rows(&bench.effects)[0], changes(&bench.effects)[0]);
    assert_eq!((row.status, settled.deletes), (Status::Unpaired, true), "unless a ticket is open");
    assert!(settled.events.is_empty());
    assert_eq!(bench.state(), "Deleted");
    bench.ask("account.delete");
    assert_eq!(bench.effects.last(), Some(&Effect::Retire));
}

#[test]
fn an_unwritable_account_is_held_with_a_minimal_change() {
    let link = pairing(START.after(Duration::from_secs(60)), None);
    let pending = AccountRecord { status: Status::Pending, link, ..fresh_record() };
    let trouble = |is_muted| Trouble {
        reason: StatusReason::new(Reason::WriteRefused, "the database refused it"),
        commands: vec![crate::domain::Finished {
            command: CommandId(7),
            kind: "account.cancel".to_owned(),
            result: Ok("cancelled".to_owned()),
        }],
        is_muted,
    };
    let hold = |trouble| {
        let (life, effects) = Lifecycle::hold(pending.clone(), Policy::default(), SEED, START, trouble);
        Bench { life, now: START, effects, commands: 0 }
    };
    let held = hold(trouble(false));
    assert_eq!((held.state(), held.life.record().status), ("Held", Status::Held));
    assert_eq!(held.events(), ["session.failed", "session.held", "command.failed"]);
    let muted = hold(trouble(true));
    assert!(muted.events().is_empty() && changes(&muted.effects)[0].audit.is_empty());
    assert!(changes(&muted.effects)[0].finished[0].result.is_err(), "the command ends all the same");
    let row = held.life.record().clone();
    let again = Trouble { commands: Vec::new(), ..trouble(false) };
    let (_, effects) = Lifecycle::hold(row, Policy::default(), SEED, START, again);
    assert!(effects.is_empty(), "told once");
}

#[test]
fn a_link_that_the_smallest_write_left_gets_its_ticket() {
    let keyring = KeyringId(Uuid::from_u128(9));
    let link = pairing(START.after(Duration::from_secs(60)), Some(keyring));
    let row = AccountRecord { status: Status::Pending, link, ..fresh_record() };
    for kind in ["account.pair", "account.resume", "account.unpair", "account.delete", "groups.sync"] {
        let trouble = Trouble { reason: Reason::RowUnreadable.into(), commands: Vec::new(), is_muted: true };
        let (life, effects) = Lifecycle::hold(row.clone(), Policy::default(), SEED, START, trouble);
        let mut bench = Bench { life, now: START, effects, commands: 0 };
        bench.ask(kind);
        let tickets: Vec<_> = changes(&bench.effects).iter().flat_map(|change| change.tickets.clone()).collect();
        assert_eq!(tickets, [(keyring, TicketReason::LeftBehind)], "{kind}");
        assert_eq!((bench.life.record().linking(), bench.life.record().phone()), (None, None), "{kind}");
    }
}

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
            let input = CommandInput { id: CommandId(99), kind: kind.to_string(), source: "web".to_owned(), command };
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
