//! The page of one account: its story, and what can be done with it.

use serde_json::json;

use crate::{desk::Desk, support::until, window};

const NUMBER: &str = "436607300001";

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_an_account_is_told_in_sentences_and_grows_by_itself() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let account = stage.web.connect_account("Front desk", NUMBER, &stage.phones).await;
    desk.go(&format!("/accounts/{account}")).await;
    window.says(".badge", "Connected").await;
    window.says(".summary", "+436 607 300 001").await;
    window.says(".story", "Connected as +436 607 300 001").await;
    window.says(".story", "Paired, asked by the web app").await;
    window.says(".story", "A QR code was shown").await;
    window.see(".groups li").await;
    window.says(".facts", &account.to_string()).await;
    window.click("[data-kind='session.connected'] summary").await;
    window.says("[data-kind='session.connected'] pre", "phoneNumber").await;
    window.keep_pictures("account").await;
    window.assert_accessible("account").await;
    assert_eq!(window.landmarks().await, json!([1, 1, 1, 1]));

    let synced = window.texts("[data-kind='groups.synced']").await.len();
    window.click("[data-action=groups]").await;
    window.says(".toast", "groups").await;
    until("another line", || async {
        (window.texts("[data-kind='groups.synced']").await.len() > synced).then_some(())
    })
    .await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unpair_says_what_it_does_to_the_phone_and_resume_needs_no_code() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let account = stage.web.connect_account("Front desk", NUMBER, &stage.phones).await;
    desk.go(&format!("/accounts/{account}")).await;
    window.click("[data-action=unpair]").await;
    window.says("dialog", "The phone keeps “paird” under Linked devices").await;
    window.says("dialog", "WhatsApp removes “paird” from the phone’s Linked devices").await;
    window.keep_pictures("dialog-unpair").await;
    window.assert_accessible("account, unpair").await;
    window.click("dialog [type=submit]").await;
    window.says(".badge", "Not linked").await;
    stage.phones.devices_are(NUMBER, 1).await;

    window.click("[data-action=resume]").await;
    window.says(".badge", "Connected").await;

    window.click("[data-action=unpair]").await;
    window.click("dialog [value=yes]").await;
    window.click("dialog [type=submit]").await;
    window.says(".badge", "Not linked").await;
    stage.phones.devices_are(NUMBER, 0).await;
    window.says(".story", "The old device is gone from the phone").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_names_the_phone_and_the_account_is_gone_from_every_page() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let linked = stage.web.connect_account("Front desk", NUMBER, &stage.phones).await;
    let never = stage.web.account("Attic").await;

    desk.go(&format!("/accounts/{never}")).await;
    window.click("[data-action=delete]").await;
    window.says("dialog", "No phone is linked, so nothing changes on a phone").await;
    window.click("dialog [type=button]").await;
    until("the dialog closed", || async { window.texts("dialog").await.is_empty().then_some(()) }).await;
    assert_eq!(stage.web.status(never).await, "unpaired");

    desk.go(&format!("/accounts/{linked}")).await;
    window.click("[data-action=delete]").await;
    window.says("dialog", "On the phone +436 607 300 001, WhatsApp removes “paird” from Linked devices").await;
    window.says("dialog", "The keys are erased only after WhatsApp has confirmed").await;
    window.keep_pictures("dialog-delete").await;
    window.assert_accessible("account, delete").await;
    window.click("dialog [type=submit]").await;
    window.says("h1", "No such account").await;
    window.keep_pictures("account-gone").await;
    stage.phones.devices_are(NUMBER, 0).await;
    desk.go("/").await;
    window.see(".account").await;
    assert_eq!(window.texts(".name").await, ["Attic"]);
    desk.close().await;
}
