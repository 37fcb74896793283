//! Linking, logging in, unlinking: the ways without a fault.

use wacore::iq::devices::RemoveCompanionDeviceSpec;
use wacore::iq::groups::GroupParticipatingIq;
use wacore::types::events::Event;

use crate::companion::{Companion, NUMBER, OTHER_NUMBER, Stage, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_qr_links_restarts_and_connects() {
    let stage = Stage::set().await;
    let companion = Companion::start(&stage).await;
    stage.remote.scan(NUMBER, &companion.qr().await).unwrap();
    let paired = companion.event("pair success", |event| {
        if let Event::PairSuccess(paired) = event { Some(paired.id.to_string()) } else { None }
    });
    assert_eq!(paired.await, format!("{NUMBER}:1@s.whatsapp.net"));
    companion.event("connected", |event| matches!(event, Event::Connected(_)).then_some(())).await;

    let devices = stage.devices();
    let device = devices.first().unwrap();
    assert_eq!((devices.len(), device.connected, device.label.as_str()), (1, true, "harbour"));
    let report = stage.report();
    assert_eq!((report.links_made, report.logins, report.replaced, report.accepted), (1, 1, 0, 2));
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_groups_of_the_phone_are_parsed_by_the_client() {
    let stage = Stage::set().await;
    let companion = stage.linked().await;
    let response = companion.client.execute(GroupParticipatingIq::new()).await.unwrap();
    let seen: Vec<(String, usize)> =
        response.groups.iter().map(|group| (group.subject.to_string(), group.participants.len())).collect();
    let expected = [("Family", 5), ("Harbour crew", 12), ("Neighbours", 40)];
    assert_eq!(seen, expected.map(|(subject, size)| (subject.to_owned(), size)));
    assert_eq!(companion.client.groups().get_participating().await.unwrap().len(), 3);
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlink_by_the_device_empties_the_list() {
    let stage = Stage::set().await;
    let mut companion = stage.linked().await;
    let own = companion.client.persistence_manager().get_device_snapshot().pn.clone().unwrap();
    companion.client.execute(RemoveCompanionDeviceSpec::new(&own)).await.unwrap();
    companion.ended().await;
    assert_eq!(stage.devices(), []);
    assert_eq!(stage.report().unlinks, 1);
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlink_by_the_phone_logs_the_device_out() {
    let stage = Stage::set().await;
    let mut companion = stage.linked().await;
    stage.remote.unlink(NUMBER, &stage.devices()[0].jid).unwrap();
    companion.event("logged out", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await;
    companion.ended().await;
    assert_eq!(stage.devices(), []);
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_device_comes_back_with_its_keys_by_ik() {
    let stage = Stage::set().await;
    let mut companion = stage.linked().await;
    companion.stop().await;
    eventually("offline", || !stage.devices()[0].connected).await;
    let companion = companion.again(&stage).await;
    companion.until("logged in", |client| client.is_logged_in()).await;
    let report = stage.report();
    assert_eq!((report.logins, report.handshakes_ik, stage.devices().len()), (2, 1, 1));
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_unscanned_leaves_nothing() {
    let stage = Stage::set().await;
    let mut companion = Companion::start(&stage).await;
    let qr = companion.qr().await;
    companion.stop().await;
    eventually("gone", || stage.report().connections_now == 0).await;
    let refused = stage.remote.scan(NUMBER, &qr).unwrap_err();
    assert_eq!(refused.to_string(), "the qr is unknown or expired");
    assert_eq!(stage.devices(), []);
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_refusing_before_it_signs_is_never_listed() {
    let stage = Stage::set().await;
    let mut companion = Companion::start(&stage).await;
    let qr = companion.qr().await;
    companion.gate.shut();
    stage.remote.scan(NUMBER, &qr).unwrap();
    companion.event("pair success", |event| matches!(event, Event::PairSuccess(_)).then_some(())).await;
    companion.stop().await;
    eventually("gone", || stage.report().connections_now == 0).await;
    let report = stage.report();
    assert_eq!((report.offered, report.links_made, stage.devices()), (1, 0, vec![]));
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn device_numbers_are_not_reused() {
    let stage = Stage::set().await;
    let first = stage.linked().await;
    stage.remote.unlink(NUMBER, &stage.devices()[0].jid).unwrap();
    let second = stage.linked().await;
    assert_eq!(stage.devices()[0].jid, format!("{NUMBER}:2@s.whatsapp.net"));
    drop((first, second));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_login_of_a_device_replaces_the_first() {
    let stage = Stage::set().await;
    let mut first = stage.linked().await;
    let second = first.twin(&stage).await;
    first.event("replaced", |event| matches!(event, Event::StreamReplaced(_)).then_some(())).await;
    first.ended().await;
    second.until("logged in", |client| client.is_logged_in()).await;
    assert_eq!((stage.report().replaced, stage.devices()[0].connected), (1, true));
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_an_unlinked_device_is_refused_with_401() {
    let stage = Stage::set().await;
    let mut companion = stage.linked().await;
    companion.stop().await;
    stage.remote.unlink(NUMBER, &stage.devices()[0].jid).unwrap();
    let companion = companion.again(&stage).await;
    let on_connect = companion
        .event("logged out", |event| if let Event::LoggedOut(out) = event { Some(out.on_connect) } else { None });
    assert!(on_connect.await);
    assert_eq!(stage.report().logins_refused, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_the_phone_types_links() {
    let stage = Stage::set().await;
    let companion = Companion::start(&stage).await;
    companion.qr().await;
    let options =
        whatsapp_rust::pair_code::PairCodeOptions { phone_number: OTHER_NUMBER.to_owned(), ..Default::default() };
    let code = companion.client.pair_with_code(options).await.unwrap();
    let wrong = stage.remote.type_code(OTHER_NUMBER, "11111111").unwrap_err();
    assert!(wrong.to_string().starts_with("the code is wrong"), "{wrong}");
    stage.remote.type_code(OTHER_NUMBER, &code).unwrap();
    companion.until("logged in", |client| client.is_logged_in()).await;
    assert_eq!(stage.remote.devices(OTHER_NUMBER).unwrap().len(), 1);
    stage.assert_nothing_odd();
}
