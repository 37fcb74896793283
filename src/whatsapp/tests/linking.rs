use std::sync::atomic::Ordering;

use paird_actors::{
    domain::{CloseReason, KeyringId, Phone, Purpose, SessionEvent, StoreError},
    ports::Session,
};
use paird_sandbox::{Fault, RestartFault, ScanOptions};
use whatsapp_rust::NodeFilter;

use super::bench::{Bench, NUMBER, gone, until, write_well};

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_is_confirmed_ends_in_an_open_session() {
    let bench = Bench::start().await;
    let session = bench.scanned().await;
    assert!(bench.devices().await.is_empty(), "linked before the confirmation");
    session.secure_keys(write_well()).await.unwrap();
    assert!(bench.devices().await.is_empty(), "linked before the confirmation");
    session.confirm_link().await;
    let open = session.hears(|event| matches!(event, SessionEvent::Open { .. })).await;
    let devices = bench.devices().await;
    assert_eq!(devices.len(), 1);
    assert_eq!(
        open,
        SessionEvent::Open { phone: Some(Phone::parse(NUMBER).unwrap()), device_jid: Some(devices[0].jid.clone()) }
    );
    let scans = session.heard().iter().filter(|event| matches!(event, SessionEvent::Scanned { .. })).count();
    assert_eq!(scans, 1);
    session.close().await;
    session.is_gone().await;
    assert_eq!(bench.devices().await.len(), 1, "closing is not a logout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_scan_never_appears_on_the_phone() {
    let bench = Bench::start().await;
    let session = bench.scanned().await;
    session.refuse_link().await;
    session.confirm_link().await;
    session.end().await;
    session.is_gone().await;
    assert!(bench.devices().await.is_empty());
    assert!(!bench.keyrings.is_secured(session.keyring));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_whose_answer_waits_can_still_be_refused() {
    let bench = Bench::start().await;
    let session = bench.pair().await;
    let qr = session.qr().await;
    let client = session.client().upgrade().unwrap();
    let results = || NodeFilter::tag("iq").attr("type", "result");
    let mut sent = client.wait_for_sent_node(results());
    let answered = tokio::spawn(async move {
        while sent.await.unwrap().get_optional_child("pair-device-sign").is_none() {
            sent = client.wait_for_sent_node(results());
        }
    });
    bench.ask(move |phone| phone.scan(NUMBER, &qr)).await.unwrap();
    session.hears(|event| matches!(event, SessionEvent::Scanned { .. })).await;
    // The library's answer is complete, and waits at the gate.
    answered.await.unwrap();
    session.refuse_link().await;
    session.close().await;
    session.is_gone().await;
    assert!(bench.devices().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_scan_is_gone_with_a_close() {
    let bench = Bench::start().await;
    let session = bench.scanned().await;
    session.close().await;
    session.is_gone().await;
    assert!(bench.devices().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_not_confirmed_without_its_keys() {
    let bench = Bench::start().await;
    bench.keyrings.unwritable.store(true, Ordering::Relaxed);
    let session = bench.scanned().await;
    assert_eq!(session.secure_keys(write_well()).await.unwrap_err().to_string(), "no database");
    session.confirm_link().await;
    session.end().await;
    assert!(bench.devices().await.is_empty());
    assert!(matches!(session.secure_keys(write_well()).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_if_its_keys_cannot_be_made_durable() {
    let bench = Bench::start().await;
    let session = bench.scanned().await;
    session.secure_keys(write_well()).await.unwrap();
    bench.keyrings.unsettled.store(true, Ordering::Relaxed);
    session.confirm_link().await;
    assert_eq!(session.end().await, CloseReason::StoreFailed("no database".to_owned()));
    assert!(bench.devices().await.is_empty(), "the confirmation went out");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_secured_before_a_crash_right_after_the_link_log_in() {
    let bench = Bench::start().await;
    bench.ask(|phone| phone.fault(&Fault::Restart { how: RestartFault::Never, times: Some(1) })).await.unwrap();
    let session = bench.scanned().await;
    session.secure_keys(write_well()).await.unwrap();
    session.confirm_link().await;
    let phone = bench.phone.clone();
    until("the link exists", || tokio::task::block_in_place(|| !phone.devices(NUMBER).unwrap().is_empty())).await;
    let (keyring, client) = (session.keyring, session.client());
    drop(session);
    gone(&client).await;

    let session = bench.open(keyring, Purpose::Login).await;
    session.hears(|event| matches!(event, SessionEvent::Open { .. })).await;
    session.close().await;
    session.is_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_the_restart_ends_in_an_open_session() {
    for how in [RestartFault::AtOnce, RestartFault::AfterMs(500), RestartFault::Cut, RestartFault::Never] {
        let bench = Bench::start().await;
        bench.ask(move |phone| phone.fault(&Fault::Restart { how, times: Some(1) })).await.unwrap();
        let session = bench.linked().await;
        assert_eq!(bench.devices().await.len(), 1, "{how:?}");
        session.close().await;
        session.is_gone().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_before_the_confirmation_links_nothing() {
    for how in [RestartFault::BeforeSign, RestartFault::WithPairSuccess] {
        let bench = Bench::start().await;
        bench.ask(move |phone| phone.fault(&Fault::Restart { how, times: Some(1) })).await.unwrap();
        let session = bench.pair().await;
        let qr = session.qr().await;
        bench.ask(move |phone| phone.scan(NUMBER, &qr)).await.unwrap();
        assert_eq!(session.end().await, CloseReason::RestartRequired, "{how:?}");
        session.confirm_link().await;
        session.is_gone().await;
        assert!(bench.devices().await.is_empty(), "{how:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_fails_at_first_is_tried_again_at_once() {
    let bench = Bench::start().await;
    bench
        .ask(|phone| {
            phone.fault(&Fault::LoginFailure { reason: 503, code: None, expire: None, number: None, times: Some(1) })
        })
        .await
        .unwrap();
    let session = bench.linked().await;
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_badly_signed_scan_is_reported_and_the_next_one_links() {
    let bench = Bench::start().await;
    let session = bench.pair().await;
    let qr = session.qr().await;
    let wrong = qr.clone();
    bench
        .ask(move |phone| {
            phone.scan_with(NUMBER, &wrong, ScanOptions { bad_signature: true, ..ScanOptions::default() })
        })
        .await
        .unwrap();
    let rejected = session.hears(|event| matches!(event, SessionEvent::ScanRejected { .. })).await;
    assert!(matches!(&rejected, SessionEvent::ScanRejected { reason } if reason.contains("business")), "{rejected:?}");
    assert!(!session.heard().iter().any(|event| matches!(event, SessionEvent::Scanned { .. })));
    bench.ask(move |phone| phone.scan(NUMBER, &qr)).await.unwrap();
    session.hears(|event| matches!(event, SessionEvent::Scanned { .. })).await;
    session.secure_keys(write_well()).await.unwrap();
    session.confirm_link().await;
    session.hears(|event| matches!(event, SessionEvent::Open { .. })).await;
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_refs_again_are_the_same_qr() {
    let bench = Bench::start().await;
    let session = bench.pair().await;
    let qr = session.qr().await;
    bench.ask(|phone| phone.fault(&Fault::QrBurst { times: 5 })).await.unwrap();
    let scanned = qr.clone();
    bench.ask(move |phone| phone.scan(NUMBER, &scanned)).await.unwrap();
    session.hears(|event| matches!(event, SessionEvent::Scanned { .. })).await;
    // That it is the same one, the account's machine finds; see the black-box tests of pairing.
    for event in session.heard() {
        if let SessionEvent::Qr { payload, .. } = event {
            assert_eq!(payload.expose(), qr);
        }
    }
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_typed_links_behind_the_same_gate() {
    let bench = Bench::start().await;
    let session = bench
        .open(KeyringId(uuid::Uuid::new_v4()), Purpose::Pair { code_for: Some(Phone::parse(NUMBER).unwrap()) })
        .await;
    let said = session.hears(|event| matches!(event, SessionEvent::Code { .. })).await;
    let SessionEvent::Code { code, .. } = said else { panic!("{said:?}") };
    bench.ask(move |phone| phone.type_code(NUMBER, code.expose())).await.unwrap();
    session.hears(|event| matches!(event, SessionEvent::Scanned { .. })).await;
    assert!(bench.devices().await.is_empty());
    session.secure_keys(write_well()).await.unwrap();
    session.confirm_link().await;
    session.hears(|event| matches!(event, SessionEvent::Open { .. })).await;
    let beside = session.heard().iter().any(|event| matches!(event, SessionEvent::Qr { .. }));
    assert!(beside, "a QR is shown beside the code");
    session.close().await;
    session.is_gone().await;
}
