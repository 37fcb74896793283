//! A linked account: losses, restarts, bans and what WhatsApp says of the link.

use super::{
    super::{super::*, *},
    changes, close_of,
};
use crate::domain::{CloseReason, Purpose};

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
