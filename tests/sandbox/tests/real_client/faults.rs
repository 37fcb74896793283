//! Faults, as the unmodified client feels them.

use paird_sandbox::{Fault, PausePoint, RestartFault, ScanOptions, Scope, UnlinkFault};
use wacore::iq::devices::RemoveCompanionDeviceSpec;
use wacore::types::events::Event;

use crate::companion::{Companion, NUMBER, Stage, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_refused_by_the_client_and_the_same_qr_can_be_scanned_again() {
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
async fn a_client_killed_before_its_signature_is_handled_leaves_the_list_empty() {
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
async fn every_timing_of_the_restart_after_the_signature_ends_in_a_login() {
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
    let expire = companion.event("ban", |event| match event {
        Event::TemporaryBan(ban) => Some(ban.expire.num_seconds()),
        _ => None,
    });
    assert_eq!(expire.await, 90);
    assert_eq!(stage.devices().len(), 1, "a ban does not unlink");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outdated_client_is_told_so() {
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
