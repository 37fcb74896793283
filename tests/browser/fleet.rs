//! The page of all accounts.

use paird_testkit::{Api, until};
use serde_json::json;

use crate::{
    desk::{Desk, a_full_house},
    window,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_status_shows_a_word_a_shape_and_advice_live() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let front_desk = a_full_house(&desk).await;
    until("every account, without a reload", || async { (window.texts(".name").await.len() == 5).then_some(()) }).await;
    window.see(".account [data-status=pending]").await;
    let shapes = window.run(
        "return [...document.querySelectorAll('.account .badge')].map((e) => [e.innerText, e.dataset.shape])",
        vec![],
    );
    // Trouble first.
    let expected = json!([
        ["Held", "held"],
        ["Reconnecting", "reconnecting"],
        ["Pairing", "pending"],
        ["Not linked", "unpaired"],
        ["Connected", "connected"]
    ]);
    assert_eq!(shapes.await, expected);
    window.says(".account:nth-child(2) .state", "connection to WhatsApp was lost").await;
    window.says(".account:nth-child(2) .since", "just now").await;
    window.says(".account:nth-child(2) .since", "next try in 1").await;
    window.says(".account:nth-child(1) .state", "Wait: paird reconnects when WhatsApp's ban is over").await;
    assert_eq!(window.text(".tile[data-status=connected] b").await, "1");
    window.says(".daemons", "daemon").await;
    window.keep_pictures("fleet").await;
    window.assert_accessible("fleet").await;
    assert_eq!(window.landmarks().await, json!([1, 1, 1, 1]));

    window.click(".tile[data-status=held]").await;
    assert_eq!(window.texts(".name").await, ["Marketing"]);
    window.click(".tile[data-status=held]").await;
    window.click("[data-action=hide-numbers]").await;
    assert_eq!(window.text(&format!("[data-account='{front_desk}'] .number")).await, "… 001");

    let lost = "436607000001";
    let device = stage.phones.devices(lost).await.remove(0);
    stage.phones.unlink(lost, &device.jid).await;
    window.says(&format!("[data-account='{front_desk}'] .state"), "Logged out").await;
    window.says(&format!("[data-account='{front_desk}'] .do"), "Pair").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_moves_nothing_and_keeps_the_focus() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let window = &desk.window;
    for label in ["mango", "apple", "zucchini"] {
        desk.stage.web.account(label).await;
    }
    until("three accounts", || async { (window.texts(".name").await.len() == 3).then_some(()) }).await;

    window.click(".account:nth-child(2) [data-action=menu]").await;
    window.keep_pictures("fleet-menu").await;
    window.click(".account:nth-child(2) [data-action=rename]").await;
    window.fill("#label", "yam").await;
    window.keep_pictures("dialog-rename").await;
    window.assert_accessible("fleet, rename").await;
    window.click("dialog [type=submit]").await;
    until("the new name in its old place", || async {
        (window.texts(".name").await == ["mango", "yam", "zucchini"]).then_some(())
    })
    .await;
    assert_eq!(window.run("return document.activeElement.dataset.action", vec![]).await, json!("menu"));
    // Another user renames an account while the focus is in the list.
    window.write("j").await;
    assert_eq!(window.run("return document.activeElement.innerText", vec![]).await, json!("zucchini"));
    let rename = "UPDATE whatsapp_accounts SET label = 'aubergine' WHERE label = 'zucchini'";
    desk.stage.web.sql.execute(rename, &[]).await.unwrap();
    window.says(".account:nth-child(3) .name", "aubergine").await;
    assert_eq!(window.run("return document.activeElement.innerText", vec![]).await, json!("aubergine"));
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_daemon_is_told_on_every_page() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let window = &desk.window;
    let account = desk.stage.web.account("shop").await;
    desk.stage.web.account_of(uuid::Uuid::new_v4(), "another operator's").await;
    let api = Api::at(desk.address.clone(), &desk.stage.dir.join("daemon/console.token"));
    api.post("/api/drain", json!({})).await.is(200);
    desk.go("/").await;
    window.says("#standstill", "The daemon is drained").await;
    window.says(".account:first-child .operator", "Operator 00000000-0000-0000-0000-000000000001").await;
    window.keep_pictures("fleet-drained").await;
    window.assert_accessible("fleet, drained").await;
    desk.go_to_pairing(account).await;
    window.says("#standstill", "paird drain --undo").await;
    window.click("[data-action=start]").await;
    window.says("#request-wrong", "The daemon is drained").await;
    assert_eq!(desk.stage.web.count("SELECT count(*) FROM commands", &[]).await, 0, "nothing begins later");
    api.ask("DELETE", "/api/drain", &[], None).await.is(200);
    desk.start_qr().await;
    assert_eq!(window.text("#standstill").await, "");
    window.click("[data-action=cancel]").await;
    desk.phase("cancelled").await;
    desk.close().await;
}
