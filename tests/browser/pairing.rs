//! Pairing on its page: by QR and by code, with the keyboard, in two windows, too late.

use fantoccini::{Locator, key::Key};
use paird_sandbox::{Fault, PausePoint, ScanOptions};
use paird_testkit::until;
use serde_json::json;

use crate::{desk::Desk, window};

const NUMBER: &str = "436607100001";

#[tokio::test(flavor = "multi_thread")]
async fn each_phase_of_a_pairing_shows_without_a_reload() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.phones.add(NUMBER).await;
    let account = stage.web.account("Front desk").await;
    desk.go_to_pairing(account).await;
    desk.phase("idle").await;
    window.run("window.sameDocument = true", vec![]).await;
    window.keep_pictures("pair-choose").await;
    window.assert_accessible("pairing, choice").await;

    stage.phones.fault(Fault::RefuseConnections { times: None }).await;
    window.click("[data-action=start]").await;
    desk.phase("retrying").await;
    window.says(".face", "Trying again").await;
    window.keep_pictures("pair-starting").await;
    window.assert_accessible("pairing, starting").await;
    stage.phones.clear_faults().await;

    desk.phase("scan").await;
    window.see("#qr").await;
    window.says("[data-expiry]", "0:").await;
    window.says(".over", "4:").await;
    window.keep_pictures("pair-scan").await;
    window.assert_accessible("pairing, QR").await;

    let rejected = desk.qr_on_screen().await.unwrap();
    stage
        .phones
        .scan_with(NUMBER, &rejected, ScanOptions { bad_signature: true, ..ScanOptions::default() })
        .await
        .unwrap();
    window.says(".note[data-tone=warn]", "not accepted").await;
    window.keep_pictures("pair-rejected").await;

    stage.phones.fault(Fault::Pause { at: PausePoint::BeforeRestart, number: None }).await;
    desk.scan(NUMBER).await;
    desk.phase("linking").await;
    window.keep_pictures("pair-linking").await;
    window.assert_accessible("pairing, linking").await;
    stage.phones.clear_faults().await;

    desk.phase("connected").await;
    window.says(".face", "+436 607 100 001").await;
    window.says("#spoken", "Connected").await;
    window.keep_pictures("pair-connected").await;
    window.assert_accessible("pairing, connected").await;
    assert_eq!(window.run("return window.sameDocument", vec![]).await, json!(true));
    // The stream sends the accounts and every event: only earlier data is fetched, once.
    let fetched = "return performance.getEntriesByType('resource').map((each) => new URL(each.name).pathname)
                       .filter((path) => path === '/api/accounts' || path.endsWith('/events') && path !== '/api/events')";
    assert_eq!(window.run(fetched, vec![]).await, json!([format!("/api/accounts/{account}/events")]));
    stage.phones.devices_are(NUMBER, 1).await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_added_and_paired_with_the_keyboard_alone() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::at_the_door(&[]).await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.phones.add(NUMBER).await;
    // The first one is added elsewhere.
    stage.web.account("Till 3").await;
    desk.log_in().await;
    window.says(".name", "Till 3").await;

    window.tab_to("[data-action=add]").await;
    window.press(&[Key::Enter]).await;
    window.see("dialog #label").await;
    window.page.active_element().await.unwrap().send_keys("Kiosk").await.unwrap();
    // Escape closes, and the focus is where it was.
    window.press(&[Key::Escape]).await;
    assert_eq!(window.run("return document.activeElement.dataset.action", vec![]).await, json!("add"));
    window.press(&[Key::Enter]).await;
    window.see("dialog #label").await;
    window.page.active_element().await.unwrap().send_keys("Kiosk").await.unwrap();
    window.press(&[Key::Enter]).await;

    window.says("h1", "Pair «Kiosk»").await;
    window.tab_to("[data-action=start]").await;
    window.press(&[Key::Enter]).await;
    window.see("#qr").await;
    desk.scan(NUMBER).await;
    desk.phase("connected").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_to_type_is_shown_in_groups_and_links() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.phones.add(NUMBER).await;
    let account = stage.web.account("Till 3").await;
    desk.go_to_pairing(account).await;

    window.click("[name=method][value=code]").await;
    window.fill("#phone", "0660 12").await;
    window.click("[data-action=start]").await;
    window.says("#request-wrong", "country code").await;
    window.fill("#phone", "+43 660 710-0001").await;
    window.click("[data-action=start]").await;
    desk.phase("code").await;
    window.see("#code b").await;
    window.keep_pictures("pair-code").await;
    window.assert_accessible("pairing, code").await;

    let groups = window.texts("#code span").await;
    let letters: Vec<_> = groups.iter().map(|group| group.replace('\n', "")).collect();
    assert_eq!(letters.iter().map(String::len).collect::<Vec<_>>(), [4, 4]);
    let code = stage.web.code(account).await;
    assert_eq!(letters.concat(), code.replace('-', ""));
    stage.phones.type_code(NUMBER, &code).await.unwrap();
    desk.phase("connected").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_windows_show_the_same_attempt() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.phones.add(NUMBER).await;
    let account = stage.web.account("shop").await;
    desk.go_to_pairing(account).await;
    desk.start_qr().await;
    let first = window.page.window().await.unwrap();
    let payload = desk.qr_on_screen().await.unwrap();

    let second = window.page.new_window(false).await.unwrap().handle;
    window.page.switch_to_window(second.clone()).await.unwrap();
    desk.go_to_pairing(account).await;
    window.see("#qr").await;
    until("the same code", || async { desk.qr_on_screen().await.filter(|other| *other == payload) }).await;
    window.click("[data-action=cancel]").await;
    desk.phase("cancelled").await;
    window.page.switch_to_window(first).await.unwrap();
    desk.phase("cancelled").await;
    window.keep_pictures("pair-cancelled").await;
    window.assert_accessible("pairing, cancelled").await;

    window.click("[data-action=again]").await;
    window.see("#qr").await;
    window.page.switch_to_window(second).await.unwrap();
    window.see("#qr").await;
    desk.scan(NUMBER).await;
    desk.phase("connected").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_attempt_says_so_and_one_button_restarts_it() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open_with(&[("PAIRD_PAIR_TIMEOUT", "12s")]).await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.phones.add(NUMBER).await;
    let account = stage.web.account("shop").await;
    desk.go_to_pairing(account).await;
    desk.start_qr().await;
    window.says(".over", "0:0").await;
    desk.phase("timeout").await;
    assert!(window.page.find(Locator::Css("#qr")).await.is_err(), "no code that is over is shown");
    window.keep_pictures("pair-timeout").await;
    window.assert_accessible("pairing, timeout").await;

    window.click("[data-action=again]").await;
    window.see("#qr").await;
    desk.scan(NUMBER).await;
    desk.phase("connected").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_code_takes_the_old_ones_place_without_a_reload() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let account = stage.web.account("shop").await;
    desk.go_to_pairing(account).await;
    window.run("window.sameDocument = true", vec![]).await;
    desk.start_qr().await;
    let first = desk.qr_on_screen().await.unwrap();
    stage.phones.fault(Fault::Cut { scope: paird_sandbox::Scope::Unregistered }).await;
    until("another code", || async { desk.qr_on_screen().await.filter(|next| *next != first) }).await;
    assert_eq!(window.run("return window.sameDocument", vec![]).await, json!(true));
    desk.close().await;
}
