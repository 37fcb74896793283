//! CONTRACT.md §4: from `account.pair` to the end of the attempt.

use serde_json::json;

use crate::support::Stage;

const NUMBER: &str = "436601234567";

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_makes_the_account_connected_and_everything_is_told() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("front desk").await;

    let result = web.does("account.pair", account, json!({})).await;
    assert!(result.starts_with("pairing started"), "{result}");
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;

    let connected = web.event(account, "session.connected", 0).await;
    assert_eq!(connected.payload, json!({"phoneNumber": NUMBER}));
    let synced = web.event(account, "groups.synced", 0).await;
    assert_eq!(synced.payload, json!({"count": 3}));
    let groups = web.count("SELECT count(*) FROM whatsapp_groups WHERE account_id = $1", &[&account]).await;
    assert_eq!(groups, 3);
    assert_eq!(web.column::<Option<String>>(account, "last_qr_png").await, None);
    assert_eq!(web.column::<Option<String>>(account, "phone_number").await.as_deref(), Some(NUMBER));
    let audit = web
        .count(
            "SELECT count(*) FROM audit_log WHERE target_id = $1 AND action = 'account.paired' AND source = 'web'
             AND target_type = 'whatsapp_account' AND payload->>'label' = 'front desk'",
            &[&account],
        )
        .await;
    assert_eq!(audit, 1);
    let devices = stage.phones.devices(NUMBER).await;
    assert!(matches!(&devices[..], [device] if device.connected && device.label == "paird"), "{devices:?}");

    let kinds: Vec<_> = web.heard(account).iter().map(|event| event["type"].clone()).collect();
    assert_eq!(kinds, ["session.qr", "session.connected", "groups.synced"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_account_is_refused_before_the_phone_lists_it_and_the_first_stays_connected() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let incumbent = web.connect_account("shop", NUMBER, &stage.phones).await;
    let before = web.events(incumbent).await;

    let newcomer = web.account("second shop").await;
    web.pair_with(newcomer, NUMBER, &stage.phones).await;
    let duplicate = web.event(newcomer, "session.duplicate", 0).await;
    assert_eq!(duplicate.payload, json!({"phoneNumber": NUMBER, "existingLabel": "shop"}));
    assert_eq!(web.status(newcomer).await, "unpaired");
    assert_eq!(web.column::<Option<String>>(newcomer, "phone_number").await, None);

    let devices = stage.phones.devices(NUMBER).await;
    assert_eq!(devices.len(), 1, "the newcomer is not on the list");
    assert!(devices[0].connected);
    assert_eq!(stage.phones.report().await.links_made, 1);
    let told_since: Vec<_> = web
        .events(incumbent)
        .await
        .split_off(before.len())
        .into_iter()
        .filter(|event| event.kind != "groups.synced")
        .collect();
    assert_eq!(told_since, [], "nothing happened to the incumbent");
    stage.finish([daemon]).await;
}
