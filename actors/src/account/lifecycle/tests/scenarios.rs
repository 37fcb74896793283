//! Single stories, told in whole effects where the order is the point.

use super::{super::*, *};
use crate::domain::{Attempt, CloseReason, Event, KeyringId, PairMethod, PairRequest, Refuse};
use crate::ports::{Change, Purpose};

fn close_of(effects: &[Effect]) -> Option<Incarnation> {
    effects.iter().find_map(|effect| if let Effect::Close(of) = effect { Some(*of) } else { None })
}

fn records(effects: &[Effect]) -> Vec<&Change> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Record(change) = effect { Some(&**change) } else { None })
        .collect()
}

#[test]
fn a_scan_is_claimed_then_secured_then_confirmed_then_told() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    assert_eq!(bench.state(), "Opening");
    bench.qr("q1");
    assert_eq!(bench.events(), ["session.qr"]);
    let of = bench.incarnation();
    assert_eq!(bench.scanned(), [Effect::Claim { incarnation: of, phone: phone() }]);
    assert_eq!(bench.claimed(Claim::Granted), [Effect::SecureKeys(of)]);
    assert_eq!(bench.secured()[0], Effect::ConfirmLink(of));
    bench.open();
    assert_eq!(bench.events(), ["session.connected"]);
    assert_eq!(bench.life.record().status, Status::Connected);
    assert!(bench.life.record().keyring.is_some() && bench.life.record().linking.is_none());
}

#[test]
fn the_same_qr_again_is_nothing_and_a_new_one_is_told() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    assert!(bench.qr("q1").is_empty());
    bench.qr("q2");
    assert_eq!(bench.events(), ["session.qr"]);
}

#[test]
fn a_duplicate_is_refused_before_anything_is_told() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    bench.qr("q1");
    bench.scanned();
    let of = bench.incarnation();
    let refused = bench.claimed(Claim::Duplicate { existing_label: "shop".to_owned() });
    assert_eq!(refused, [Effect::RefuseLink(of), Effect::Close(of)]);
    bench.closed();
    assert_eq!(bench.events(), ["session.duplicate"]);
    assert_eq!((bench.life.record().status, bench.life.record().phone.clone()), (Status::Unpaired, None));
}

#[test]
fn refused_after_the_link_a_duplicate_gets_an_unlink_ticket() {
    let mut bench = Bench::with(fresh_record(), Policy { refuse: Refuse::AfterLink, ..Policy::default() });
    bench.ask("account.pair");
    bench.qr("q1");
    let of = bench.incarnation();
    assert_eq!(bench.scanned(), [Effect::SecureKeys(of)]);
    bench.secured();
    assert_eq!(bench.open(), [Effect::Claim { incarnation: of, phone: phone() }]);
    bench.claimed(Claim::Duplicate { existing_label: "shop".to_owned() });
    bench.closed();
    assert_eq!(bench.events(), ["session.duplicate"]);
    assert_eq!(records(&bench.effects)[0].tickets.len(), 1);
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
fn pairing_again_closes_the_old_socket_before_it_opens_the_new_one() {
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
    let old = bench.life.record().keyring.unwrap();
    bench.ask("account.unpair");
    bench.closed();
    assert_eq!(bench.life.record().keyring, Some(old), "parked");
    bench.ask("account.pair");
    bench.qr("q2");
    bench.scanned();
    bench.claimed(Claim::Granted);
    bench.secured();
    bench.open();
    assert_eq!(records(&bench.effects)[0].tickets, [(old, "re-paired".to_owned())]);
}

#[test]
fn a_deleted_account_leaves_the_lists_before_its_connection_is_closed() {
    let mut bench = Bench::paired();
    let keyring = bench.life.record().keyring.unwrap();
    let effects = bench.ask("account.delete").to_vec();
    assert!(records(&effects)[0].record.deleted_at.is_some());
    assert!(matches!(effects.last(), Some(Effect::Close(_))));
    assert!(bench.events().is_empty());
    bench.closed();
    assert_eq!(bench.events(), ["account.deleted"]);
    assert_eq!(records(&bench.effects)[0].tickets, [(keyring, "deleted".to_owned())]);
    assert!(records(&bench.effects)[0].erase.is_empty(), "unlink first, then erase");
    assert_eq!(bench.effects.last(), Some(&Effect::Retire));
}

#[test]
fn a_lost_connection_is_told_once_and_retried_with_growing_waits() {
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
fn a_restart_that_whatsapp_asks_for_is_neither_told_nor_recorded() {
    let mut bench = Bench::paired();
    bench.hear(SessionEvent::Ended { reason: CloseReason::RestartRequired });
    let effects = bench.closed();
    assert!(matches!(effects, [Effect::Open { purpose: Purpose::Login, .. }]), "{effects:?}");
    assert!(bench.open().is_empty());
    assert_eq!(bench.life.record().status, Status::Connected);
}

#[test]
fn a_logout_erases_the_keys_and_never_pairs_by_itself() {
    let mut bench = Bench::paired();
    let keyring = bench.life.record().keyring.unwrap();
    bench.hear(SessionEvent::Ended { reason: CloseReason::LoggedOut("device_removed".to_owned()) });
    bench.closed();
    assert_eq!(bench.events(), ["session.logged_out"]);
    assert_eq!(records(&bench.effects)[0].erase, [keyring]);
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

#[test]
fn after_a_restart_an_attempt_keeps_its_deadline_and_a_link_under_way_is_logged_in() {
    let request = PairRequest { method: PairMethod::Qr, expect_phone: None };
    let deadline = START.after(Duration::from_secs(60));
    let pending = AccountRecord {
        status: Status::Pending,
        desired: Desired::Paired,
        attempt: Some(Attempt { deadline, request }),
        ..fresh_record()
    };
    let bench = Bench::with(pending.clone(), Policy::default());
    assert!(matches!(bench.effects.last(), Some(Effect::Open { purpose: Purpose::Pair { .. }, .. })));
    assert_eq!(bench.life.record().attempt.as_ref().unwrap().deadline, deadline);

    let linking = Some(KeyringId(Uuid::from_u128(9)));
    let mut bench = Bench::with(AccountRecord { linking, phone: Some(phone()), ..pending.clone() }, Policy::default());
    assert!(matches!(bench.effects.last(), Some(Effect::Open { purpose: Purpose::Login, .. })));
    bench.hear(SessionEvent::Ended { reason: CloseReason::LoggedOut("401".to_owned()) });
    bench.closed();
    assert_eq!(bench.state(), "Opening", "the link never came about: the attempt goes on with a fresh QR");

    let late = Attempt { deadline: START, ..pending.attempt.clone().unwrap() };
    let bench = Bench::with(AccountRecord { attempt: Some(late), ..pending }, Policy::default());
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
    assert_eq!(records(&bench.effects)[0].events, [Event::WrongPhone { phone: phone(), expected }]);
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
fn an_outdated_client_is_held_tried_once_more_and_then_left_to_a_person() {
    let mut bench = Bench::paired();
    let outdated = || SessionEvent::Ended { reason: CloseReason::ClientOutdated("405".to_owned()) };
    bench.hear(outdated());
    bench.closed();
    assert_eq!((bench.state(), bench.events()), ("Held", vec!["session.held"]));
    let wait = bench.now.until(bench.life.deadline().unwrap());
    bench.pass(wait);
    assert_eq!(bench.state(), "Connecting");
    bench.hear(outdated());
    bench.closed();
    assert_eq!((bench.state(), bench.life.deadline()), ("Held", None));
}
