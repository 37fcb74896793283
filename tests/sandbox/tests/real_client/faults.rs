//! Faults, as the unmodified client feels them.

use paird_sandbox::{Fault, Pace, PausePoint, RestartFault, ScanOptions, Scope, UnlinkFault};
use wacore::iq::devices::RemoveCompanionDeviceSpec;
use wacore::types::events::Event;

use crate::companion::{Companion, NUMBER, Stage, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_refused_and_the_qr_can_be_scanned_again() {
    let stage = Stage::set().await;
    let companion = Companion::start(&stage).await;
    let qr = companion.qr().await;
    for options in [
        ScanOptions { bad_signature: true, ..ScanOptions::default() },
        ScanOptions { bad_hmac: true, ..ScanOptions::default() },
    ] {
        stage.remote.scan_with(NUMBER, &qr, options).unwrap();
        companion.event("pair error", |event| matches!(event, Event::PairError(_)).then_some(())).await;
    }
    eventually("rejected", || stage.report().offers_rejected == 2).await;
    assert_eq!(stage.devices(), []);
    stage.remote.scan(NUMBER, &qr).unwrap();
    companion.until("logged in", |client| client.is_logged_in()).await;
    assert_eq!(stage.devices().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_killed_before_signing_leaves_the_list_empty() {
    let stage = Stage::set().await;
    stage.remote.fault(&Fault::Pause { at: PausePoint::BeforeLink, number: None }).unwrap();
    let mut companion = Companion::start(&stage).await;
    stage.remote.scan(NUMBER, &companion.qr().await).unwrap();
    companion.event("pair success", |event| matches!(event, Event::PairSuccess(_)).then_some(())).await;
    companion.stop().await;
    eventually("gone", || stage.report().connections_now == 0).await;
    stage.remote.clear_faults().unwrap();
    assert_eq!(stage.devices(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_before_the_restart_holds_a_link_that_exists() {
    let stage = Stage::set().await;
    stage.remote.fault(&Fault::Pause { at: PausePoint::BeforeRestart, number: None }).unwrap();
    let companion = Companion::start(&stage).await;
    stage.remote.scan(NUMBER, &companion.qr().await).unwrap();
    eventually("linked", || stage.devices().len() == 1).await;
    assert!(!stage.devices()[0].connected);
    stage.remote.clear_faults().unwrap();
    companion.until("logged in", |client| client.is_logged_in()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_timing_of_the_restart_after_signing_ends_in_a_login() {
    for how in [RestartFault::AtOnce, RestartFault::AfterMs(400), RestartFault::Cut] {
        let stage = Stage::set().await;
        stage.remote.fault(&Fault::Restart { how, times: Some(1) }).unwrap();
        let companion = stage.linked().await;
        assert_eq!(stage.devices().len(), 1, "{how:?}");
        drop(companion);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_before_the_signature_makes_no_link() {
    let stage = Stage::set().await;
    stage.remote.fault(&Fault::Restart { how: RestartFault::BeforeSign, times: Some(1) }).unwrap();
    let companion = Companion::start(&stage).await;
    stage.remote.scan(NUMBER, &companion.qr().await).unwrap();
    eventually("reconnected", || stage.report().accepted >= 2).await;
    assert_eq!((stage.devices(), stage.report().links_made), (vec![], 0));
    drop(companion);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_device_comes_back_by_itself() {
    let stage = Stage::set().await;
    let companion = stage.linked().await;
    stage.remote.fault(&Fault::Cut { scope: Scope::Number(NUMBER.to_owned()) }).unwrap();
    eventually("back", || stage.report().logins == 2).await;
    companion.until("logged in", |client| client.is_logged_in()).await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_ban_reaches_the_client_with_its_expiry() {
    let stage = Stage::set().await;
    let mut companion = stage.linked().await;
    companion.stop().await;
    let ban = Fault::LoginFailure { reason: 402, code: Some(101), expire: Some(90), number: None, times: Some(1) };
    stage.remote.fault(&ban).unwrap();
    let companion = companion.again(&stage).await;
    let expire = companion
        .event("ban", |event| if let Event::TemporaryBan(ban) = event { Some(ban.expire.num_seconds()) } else { None });
    assert_eq!(expire.await, 90);
    assert_eq!(stage.devices().len(), 1, "a ban does not unlink");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outdated_client_is_refused_as_such() {
    let stage = Stage::set().await;
    let mut companion = stage.linked().await;
    companion.stop().await;
    let outdated = Fault::LoginFailure { reason: 405, code: None, expire: None, number: None, times: Some(1) };
    stage.remote.fault(&outdated).unwrap();
    let companion = companion.again(&stage).await;
    companion.event("outdated", |event| matches!(event, Event::ClientOutdated(_)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlink_whose_answer_is_lost_has_unlinked() {
    let stage = Stage::set().await;
    stage.remote.fault(&Fault::Unlink { how: UnlinkFault::Lost, times: Some(1) }).unwrap();
    let companion = stage.linked().await;
    let own = companion.client.persistence_manager().get_device_snapshot().pn.clone().unwrap();
    companion.client.execute(RemoveCompanionDeviceSpec::new(&own)).await.unwrap_err();
    assert_eq!(stage.devices(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlink_that_is_dropped_has_not_unlinked() {
    let stage = Stage::set().await;
    stage.remote.fault(&Fault::Unlink { how: UnlinkFault::Dropped, times: Some(1) }).unwrap();
    let companion = stage.linked().await;
    let own = companion.client.persistence_manager().get_device_snapshot().pn.clone().unwrap();
    companion.client.execute(RemoveCompanionDeviceSpec::new(&own)).await.unwrap_err();
    assert_eq!(stage.devices().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_repeats_the_refs_on_show() {
    let stage = Stage::set().await;
    let companion = Companion::start(&stage).await;
    let qr = companion.qr().await;
    stage.remote.fault(&Fault::QrBurst { times: 3 }).unwrap();
    for _ in 0..3 {
        assert_eq!(companion.qr().await, qr);
    }
    assert_eq!(stage.report().refs_issued, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_identity_is_met_by_xx_fallback() {
    let mut stage = Stage::set().await;
    let mut companion = stage.linked().await;
    companion.stop().await;
    // A first login by XX caches the chain, the second one shows it.
    let mut companion = companion.again(&stage).await;
    companion.until("logged in", |client| client.is_logged_in()).await;
    companion.stop().await;
    stage = Stage::set().await;
    let companion = companion.again(&stage).await;
    companion.event("logged out", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await;
    assert_eq!(stage.report().handshakes_xx_fallback, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_namespace_is_read_and_not_answered() {
    let stage = Stage::set().await;
    let companion = stage.linked().await;
    stage.remote.fault(&Fault::StallIqs { xmlns: Some("w:g2".to_owned()) }).unwrap();
    let asking = tokio::spawn({
        let client = companion.client.clone();
        async move { client.groups().get_participating().await.map(|groups| groups.len()) }
    });
    eventually("stalled", || stage.report().iqs_stalled == 1).await;
    assert!(!asking.is_finished());
    stage.remote.clear_faults().unwrap();
    assert_eq!(companion.client.groups().get_participating().await.unwrap().len(), 3);
    asking.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_connections_are_counted_and_the_client_recovers() {
    let stage = Stage::set().await;
    stage.remote.fault(&Fault::RefuseConnections { times: Some(1) }).unwrap();
    let companion = Companion::start(&stage).await;
    companion.qr().await;
    assert_eq!((stage.report().refused, stage.report().accepted), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unscanned_socket_is_closed_when_its_time_is_up() {
    let stage = Stage::set_with(Pace { unscanned_lifetime_ms: 300, ..Pace::default() }).await;
    let companion = Companion::start(&stage).await;
    let first = companion.qr().await;
    assert_ne!(companion.qr().await, first, "a new socket shows new refs");
    assert!(stage.report().accepted >= 2);
    assert!(stage.remote.scan(NUMBER, &first).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_close_keeps_a_socket_that_its_client_has_left() {
    let stage = Stage::set().await;
    stage.remote.fault(&Fault::LateClose { linger_ms: 6_000, times: None }).unwrap();
    let mut companion = Companion::start(&stage).await;
    let qr = companion.qr().await;
    companion.stop().await;
    eventually("unscannable", || stage.remote.scan(NUMBER, &qr).is_err()).await;
    assert_eq!(stage.report().connections_now, 1);
    eventually("closed", || stage.report().connections_now == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlink_overtaken_by_its_stream_error_reaches_the_client() {
    let stage = Stage::set().await;
    stage.remote.fault(&Fault::Unlink { how: UnlinkFault::Overtaken, times: Some(1) }).unwrap();
    let companion = stage.linked().await;
    let own = companion.client.persistence_manager().get_device_snapshot().pn.clone().unwrap();
    // Answered or not: the stream error alone is word enough.
    let _ = companion.client.execute(RemoveCompanionDeviceSpec::new(&own)).await;
    companion.event("logged out", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await;
    assert_eq!(stage.devices(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_owner_keeps_the_scan_waiting() {
    let stage = Stage::set().await;
    let companion = Companion::start(&stage).await;
    let qr = companion.qr().await;
    let begun = std::time::Instant::now();
    let slow = ScanOptions { approve_after_ms: 300, ..ScanOptions::default() };
    stage.remote.scan_with(NUMBER, &qr, slow).unwrap();
    assert!(begun.elapsed().as_millis() >= 300);
    companion.until("logged in", |client| client.is_logged_in()).await;
}
