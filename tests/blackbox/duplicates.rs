//! sql/README.md, "Pairing": one number, one live account of an operator.

use futures_util::{StreamExt as _, stream};
use paird_sandbox::{Fault, PausePoint, Scope};
use paird_testkit::{Daemon, Stage, until};
use serde_json::json;
use uuid::Uuid;

const NUMBER: &str = "436605000001";
const ROUNDS: u32 = 100;
/// Rounds that run at the same time.
const ABREAST: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_refused_before_the_phone_lists_it() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let incumbent = web.connect_account("shop", NUMBER, &stage.phones).await;
    web.event(incumbent, "groups.synced", 0).await;
    let (told, device) = (web.seq(incumbent).await, stage.phones.devices(NUMBER).await);

    let newcomer = web.account("second shop").await;
    web.pair_with(newcomer, NUMBER, &stage.phones).await;
    refused(&stage, newcomer, "shop").await;
    assert_eq!(web.keyrings(newcomer).await, 0, "the partial keys are erased");

    assert_eq!(stage.phones.devices(NUMBER).await, device, "the same one device, connected");
    let report = stage.phones.report().await;
    assert_eq!((report.offered, report.links_made, report.logins), (2, 1, 1));
    assert_eq!(web.seq(incumbent).await, told, "nothing happened to the incumbent");
    assert_eq!(web.status(incumbent).await, "connected");

    // The refused account can be paired with another phone.
    let other = "436605000002";
    stage.phones.add(other).await;
    web.pair_with(newcomer, other, &stage.phones).await;
    web.status_is(newcomer, "connected").await;
    assert_eq!(web.ends(newcomer).await, ["session.duplicate", "session.connected"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incumbent_whose_connection_is_down_keeps_its_number() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let incumbent = web.connect_account("shop", NUMBER, &stage.phones).await;
    stage.phones.fault(Fault::Pause { at: PausePoint::BeforeSuccess, number: None }).await;
    stage.phones.fault(Fault::Cut { scope: Scope::Number(NUMBER.to_owned()) }).await;
    web.status_is(incumbent, "reconnecting").await;

    let newcomer = web.account("newcomer").await;
    web.pair_with(newcomer, NUMBER, &stage.phones).await;
    refused(&stage, newcomer, "shop").await;
    assert_eq!(web.status(incumbent).await, "reconnecting");
    stage.phones.clear_faults().await;
    web.status_is(incumbent, "connected").await;
    assert_eq!(stage.phones.report().await.links_made, 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_refused_after_the_link_leaves_no_device() {
    let (stage, daemon) = after_link().await;
    let web = &stage.web;
    let incumbent = web.connect_account("shop", NUMBER, &stage.phones).await;
    web.event(incumbent, "groups.synced", 0).await;
    let (told, device) = (web.seq(incumbent).await, stage.phones.devices(NUMBER).await);

    let newcomer = web.account("second shop").await;
    web.pair_with(newcomer, NUMBER, &stage.phones).await;
    refused(&stage, newcomer, "shop").await;
    web.event(newcomer, "account.unlinked", 0).await;
    assert_eq!(stage.phones.devices(NUMBER).await, device, "only the incumbent is connected");
    assert_eq!(web.keyrings(newcomer).await, 0);
    assert_eq!(web.count("SELECT count(*) FROM unlink_tickets", &[]).await, 0);
    let report = stage.phones.report().await;
    assert_eq!((report.links_made, report.unlinks, report.replaced), (2, 1, 0));
    assert_eq!(web.seq(incumbent).await, told, "nothing happened to the incumbent");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_phone_refused_after_the_link_keeps_no_device() {
    let (stage, daemon) = after_link().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("shop").await;
    web.does("account.pair", account, json!({"expectPhone": "436605111111"})).await;
    web.scan(account, NUMBER, &stage.phones).await;
    let wrong = web.event(account, "session.wrong_phone", 0).await;
    assert_eq!(wrong.payload, json!({"phoneNumber": NUMBER, "expectedPhone": "436605111111"}));
    web.assert_unpaired(account, "wrong_phone").await;
    web.event(account, "account.unlinked", 0).await;
    assert_eq!(stage.phones.devices(NUMBER).await, []);
    assert_eq!(web.ends(account).await, ["session.wrong_phone"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_operator_may_have_the_same_number() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let ours = web.connect_account("ours", NUMBER, &stage.phones).await;
    let theirs = web.account_of(Uuid::from_u128(2), "theirs").await;
    web.pair_with(theirs, NUMBER, &stage.phones).await;
    web.status_is(theirs, "connected").await;
    assert_eq!(web.status(ours).await, "connected");
    let devices = stage.phones.devices_are(NUMBER, 2).await;
    assert!(devices.iter().all(|device| device.connected));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_account_itself_nor_a_past_holder_is_a_duplicate() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let first = web.connect_account("first", NUMBER, &stage.phones).await;
    web.does("account.unpair", first, json!({})).await;
    web.pair_with(first, NUMBER, &stage.phones).await;
    web.status_is(first, "connected").await;
    // The old device was unlinked.
    stage.phones.devices_are(NUMBER, 1).await;

    web.does("account.unpair", first, json!({})).await;
    let second = web.account("second").await;
    web.pair_with(second, NUMBER, &stage.phones).await;
    web.status_is(second, "connected").await;
    // The parked keys can be used again only while the number is free.
    let (state, why) = web.ask("account.resume", first, json!({})).await;
    assert!(state == "failed" && why.contains("«second»"), "{state}: {why}");

    web.does("account.delete", second, json!({})).await;
    web.does("account.resume", first, json!({})).await;
    web.status_is(first, "connected").await;
    let devices = stage.phones.devices_are(NUMBER, 1).await;
    let own: Option<String> = web.column(first, "device_jid").await;
    assert_eq!(own.as_deref(), Some(devices[0].jid.as_str()));
    assert!(devices[0].connected);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_existing_label_is_the_one_of_now() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let incumbent = web.connect_account("old name", NUMBER, &stage.phones).await;
    web.sql.execute("UPDATE whatsapp_accounts SET label = 'new näme' WHERE id = $1", &[&incumbent]).await.unwrap();
    let newcomer = web.account("newcomer").await;
    web.pair_with(newcomer, NUMBER, &stage.phones).await;
    refused(&stage, newcomer, "new näme").await;

    // A payload that is too long for a notification is sent in part, marked as truncated; the row has all of it.
    web.lift_the_limit_of_labels().await;
    let long = "ä".repeat(5_000);
    web.sql.execute("UPDATE whatsapp_accounts SET label = $2 WHERE id = $1", &[&incumbent, &long]).await.unwrap();
    let third = web.account("third").await;
    web.pair_with(third, NUMBER, &stage.phones).await;
    refused(&stage, third, &long).await;
    let heard = until("the notification", || async {
        web.heard(third).into_iter().find(|event| event["type"] == "session.duplicate")
    })
    .await;
    assert_eq!((&heard["truncated"], &heard["phoneNumber"]), (&json!(true), &json!(NUMBER)));
    assert_eq!(heard.get("existingLabel"), None);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_concurrent_attempts_at_one_number_one_connects() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_LOG", "info")]).await;
    let rounds = stream::iter(0..ROUNDS).map(|nth| race(&stage, nth)).buffer_unordered(ABREAST).count().await;
    assert_eq!(rounds, ROUNDS as usize);
    let report = stage.phones.report().await;
    assert_eq!((report.links_made, report.unlinks), (u64::from(ROUNDS), 0));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_race_that_is_decided_after_the_link_ends_the_same() {
    let (stage, daemon) = after_link().await;
    stream::iter(0..10).map(|nth| race(&stage, nth)).buffer_unordered(ABREAST).count().await;
    stage.finish([daemon]).await;
}

async fn after_link() -> (Stage, Daemon) {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_REFUSE", "after-link")]).await;
    (stage, daemon)
}

async fn refused(stage: &Stage, newcomer: Uuid, existing_label: &str) {
    let web = &stage.web;
    let duplicate = web.event(newcomer, "session.duplicate", 0).await;
    assert_eq!(duplicate.payload, json!({"phoneNumber": NUMBER, "existingLabel": existing_label}));
    web.assert_unpaired(newcomer, "duplicate").await;
    assert_eq!(web.ends(newcomer).await, ["session.duplicate"]);
}

/// Two accounts show a QR each, and one phone scans both at the same moment.
async fn race(stage: &Stage, nth: u32) {
    let (web, phones) = (&stage.web, &stage.phones);
    let number = format!("4366050{nth:05}");
    phones.add(&number).await;
    let labels = [format!("left {nth}"), format!("right {nth}")];
    let accounts = [web.account(&labels[0]).await, web.account(&labels[1]).await];
    for account in accounts {
        web.send("account.pair", account, json!({})).await;
    }
    let qrs = [web.qr(accounts[0]).await, web.qr(accounts[1]).await];
    let scans = tokio::join!(phones.scan(&number, &qrs[0]), phones.scan(&number, &qrs[1]));
    assert!(scans.0.is_ok() && scans.1.is_ok(), "{scans:?}");

    let ends = until("both attempts are over", || async {
        let ends = [web.ends(accounts[0]).await, web.ends(accounts[1]).await];
        ends.iter().all(|ends| !ends.is_empty()).then_some(ends)
    })
    .await;
    let winner = usize::from(ends[0] != ["session.connected"]);
    let loser = 1 - winner;
    assert_eq!(ends[winner], ["session.connected"], "round {nth}");
    assert_eq!(ends[loser], ["session.duplicate"], "round {nth}");
    let duplicate = web.event(accounts[loser], "session.duplicate", 0).await;
    assert_eq!(duplicate.payload, json!({"phoneNumber": number, "existingLabel": labels[winner]}));
    web.assert_unpaired(accounts[loser], "duplicate").await;
    let devices = phones.devices_are(&number, 1).await;
    let jid: Option<String> = web.column(accounts[winner], "device_jid").await;
    assert_eq!(jid.as_deref(), Some(devices[0].jid.as_str()), "round {nth}");
}
