use std::{sync::Arc, time::Duration};

use paird_actors::{
    connection::ConnectionPolicy,
    domain::{CloseReason, GroupsError, KeyringId, Purpose, SessionEvent, UnlinkAnswer},
    ports::Session,
};
use paird_sandbox::{Fault, Garbage, Scope, UnlinkFault};

use super::bench::{Bench, Keyrings, NUMBER, gateway, open};

async fn ends_with(fault: Fault) -> CloseReason {
    let bench = Bench::start().await;
    let session = bench.linked().await;
    bench.ask(move |phone| phone.fault(&fault)).await.unwrap();
    let reason = session.end().await;
    session.is_gone().await;
    reason
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_socket_is_a_lost_one() {
    let reason = ends_with(Fault::Cut { scope: Scope::All }).await;
    assert!(matches!(reason, CloseReason::SocketLost(_)), "{reason:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_device_is_logged_out_in_whatsapps_words() {
    let reason = ends_with(Fault::DeviceRemoved { scope: Scope::All }).await;
    assert!(matches!(&reason, CloseReason::LoggedOut(raw) if raw.contains("device_removed")), "{reason:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_connection_of_the_device_replaces_it() {
    let reason = ends_with(Fault::Replaced { scope: Scope::All }).await;
    assert!(matches!(reason, CloseReason::Replaced(_)), "{reason:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_errors_without_an_event_are_distinguished() {
    for (code, expected) in [
        (503, CloseReason::ServerBusy("stream:error 503".into())),
        (429, CloseReason::RateLimited("stream:error 429".into())),
        (515, CloseReason::RestartRequired),
    ] {
        assert_eq!(ends_with(Fault::StreamError { code, scope: Scope::All }).await, expected);
    }
    let removed = ends_with(Fault::StreamError { code: 516, scope: Scope::All }).await;
    assert!(matches!(removed, CloseReason::NotAuthorized(_)), "{removed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_refused_for_the_reason_that_whatsapp_gives() {
    let bench = Bench::start().await;
    let session = bench.linked().await;
    session.close().await;
    for (reason, code, expire, expected) in [
        (401, None, None, "not_authorized"),
        (402, Some(101), Some(3600), "temporary_ban"),
        (402, None, None, "temporary_ban"),
        (403, None, None, "banned"),
        (405, None, None, "client_outdated"),
        (406, None, None, "banned"),
        (409, None, None, "replaced"),
        (429, None, None, "rate_limited"),
        (500, None, None, "server_busy"),
        (503, None, None, "server_busy"),
    ] {
        bench
            .ask(move |phone| phone.fault(&Fault::LoginFailure { reason, code, expire, number: None, times: Some(1) }))
            .await
            .unwrap();
        let refused = bench.open(session.keyring, Purpose::Login).await;
        let end = refused.end().await;
        assert_eq!(end.code(), expected, "{reason}: {end:?}");
        if let CloseReason::TemporaryBan { until, .. } = end {
            assert_eq!(until.is_some(), expire.is_some());
        }
        assert!(!refused.heard().iter().any(|event| matches!(event, SessionEvent::Open { .. })));
    }
    let again = bench.open(session.keyring, Purpose::Login).await;
    again.hears(|event| matches!(event, SessionEvent::Open { .. })).await;
    again.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_unreachable() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/ws/chat", taken.local_addr().unwrap());
    drop(taken);
    let gateway = gateway(&url, Arc::new(Keyrings::default()));
    let keyring = KeyringId(uuid::Uuid::new_v4());
    let session = open(&gateway, keyring, Purpose::Pair { code_for: None }).await.unwrap();
    let reason = session.end().await;
    assert!(matches!(&reason, CloseReason::Unreachable(why) if why.contains("refused")), "{reason:?}");
    session.is_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_at_once_is_unreachable() {
    let bench = Bench::start().await;
    bench.ask(|phone| phone.fault(&Fault::RefuseConnections { times: None })).await.unwrap();
    let reason = bench.pair().await.end().await;
    assert!(matches!(reason, CloseReason::Unreachable(_)), "{reason:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_off_this_machine_is_not_dialled() {
    let gateway = gateway("ws://198.51.100.1:9/ws/chat", Arc::new(Keyrings::default()));
    let keyring = KeyringId(uuid::Uuid::new_v4());
    let session = open(&gateway, keyring, Purpose::Pair { code_for: None }).await.unwrap();
    let reason = session.end().await;
    assert!(matches!(&reason, CloseReason::Unreachable(why) if why.contains("loopback")), "{reason:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_during_a_qr_silences_the_listener_and_leaves_nothing() {
    let bench = Bench::start().await;
    bench.ask(|phone| phone.fault(&Fault::LateClose { linger_ms: 2_000, times: None })).await.unwrap();
    let session = bench.pair().await;
    session.qr().await;
    session.close().await;
    let said = session.heard();
    session.is_gone().await;
    bench.ask(|phone| phone.fault(&Fault::QrBurst { times: 3 })).await.unwrap();
    assert_eq!(session.heard(), said);
    session.close().await;
    assert_eq!(session.groups().await.unwrap_err(), GroupsError::ConnectionOver);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_socket_during_a_qr_ends_the_session() {
    let bench = Bench::start().await;
    let session = bench.pair().await;
    session.qr().await;
    bench.ask(|phone| phone.fault(&Fault::Cut { scope: Scope::Unregistered })).await.unwrap();
    let reason = session.end().await;
    assert!(matches!(reason, CloseReason::SocketLost(_)), "{reason:?}");
    session.is_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_keys_have_another_owner_ends() {
    let bench = Bench::start().await;
    let session = bench.linked().await;
    bench.keyrings.fenced.cancel();
    let reason = session.end().await;
    assert!(matches!(reason, CloseReason::StoreFailed(_)), "{reason:?}");
    session.is_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_went_deaf_is_lost() {
    let mut bench = Bench::start().await;
    let (ping_every, ping_timeout) = (Duration::from_millis(200), Duration::from_secs(1));
    let policy = ConnectionPolicy { ping_every, ping_timeout, ..ConnectionPolicy::default() };
    bench.gateway = bench.gateway.with_policy(policy);
    let session = bench.linked().await;
    bench.ask(|phone| phone.fault(&Fault::Garble { scope: Scope::All, how: Garbage::Frame })).await.unwrap();
    let reason = session.end().await;
    assert!(matches!(&reason, CloseReason::SocketLost(why) if why.contains("pings")), "{reason:?}");
    session.is_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlink_is_gone_from_the_phone_and_known_to_be() {
    let bench = Bench::start().await;
    let session = bench.linked().await;
    let answer = session.unlink().await;
    assert!(matches!(answer, UnlinkAnswer::Gone(_)), "{answer:?}");
    assert!(bench.devices().await.is_empty());
    session.close().await;
    session.is_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overtaken_or_refused_unlink_is_reported_truly() {
    for (how, gone) in [(UnlinkFault::Overtaken, true), (UnlinkFault::Refused, false), (UnlinkFault::Dropped, false)] {
        let bench = Bench::start().await;
        let session = bench.linked().await;
        bench.ask(move |phone| phone.fault(&Fault::Unlink { how, times: Some(1) })).await.unwrap();
        let answer = session.unlink().await;
        assert_eq!(matches!(answer, UnlinkAnswer::Gone(_)), gone, "{how:?}: {answer:?}");
        assert_eq!(bench.devices().await.is_empty(), gone, "{how:?}");
        session.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_removed_meanwhile_is_gone_at_the_next_login() {
    let bench = Bench::start().await;
    let session = bench.linked().await;
    let jid = bench.devices().await[0].jid.clone();
    session.close().await;
    bench.ask(move |phone| phone.unlink(NUMBER, &jid)).await.unwrap();
    let session = bench.open(session.keyring, Purpose::Login).await;
    let reason = session.end().await;
    assert!(matches!(reason, CloseReason::NotAuthorized(_)), "{reason:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_returns_soon_however_deaf_the_server() {
    let bench = Bench::start().await;
    let session = bench.linked().await;
    bench.ask(|phone| phone.fault(&Fault::StallIqs { xmlns: None })).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(20), session.close()).await.is_ok());
    session.is_gone().await;
}
