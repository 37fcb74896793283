//! The page of a fleet that has no account yet.

use fantoccini::key::Key;
use paird_testkit::{Api, until};
use serde_json::json;

use crate::{desk::Desk, window};

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_fleet_shows_what_is_ready_and_how_to_begin() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let window = &desk.window;
    window.says("#begin", "No accounts yet").await;
    window.says("#ready", "eady").await;
    for check in ["database", "schema", "master key", "whatsapp", "this daemon", "console"] {
        window.see(&format!("[data-level=ok][data-check='{check}']")).await;
    }
    assert!(!window.text("body").await.contains(&desk.token()), "the token stays in its file");
    window.keep_pictures("fleet-empty").await;
    window.assert_accessible("fleet, empty").await;
    assert_eq!(window.landmarks().await, json!([1, 1, 1, 1]));

    let api = Api::at(desk.address.clone(), &desk.stage.dir.join("daemon/console.token"));
    api.post("/api/drain", json!({})).await.is(200);
    until("the drain, when it is looked at again", || async {
        window.click("[data-action=check]").await;
        window.text("[data-check='this daemon'] .advice").await.contains("paird drain --undo").then_some(())
    })
    .await;
    window.see("[data-fact=troubles] [data-check='this daemon'][data-level=warn]").await;
    window.keep_pictures("fleet-empty-drained").await;
    window.assert_accessible("fleet, empty and drained").await;
    api.ask("DELETE", "/api/drain", &[], None).await.is(200);

    // With the keyboard alone; the first account makes the page the usual one.
    window.run("document.activeElement.blur()", vec![]).await;
    window.tab_to(".first-hour #label").await;
    window.write("Kiosk").await;
    window.press(&[Key::Enter]).await;
    window.says("h1", "Pair «Kiosk»").await;
    desk.go("/").await;
    window.says(".name", "Kiosk").await;
    window.see(".tile[data-status=unpaired]").await;
    window.see("[data-action=export]").await;
    assert_eq!(window.text(".first-hour").await, "");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_button_copies_and_says_so_whatever_is_refused() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let window = &desk.window;
    let button = |way: &str| format!("[data-way={way}] [data-action=copy]");
    let pasted = async |way: &str| {
        window.says(&button(way), "Copied").await;
        window.see("#label").await.clear().await.unwrap();
        window
            .see("#label")
            .await
            .send_keys(&format!("{}v{}", char::from(Key::Control), char::from(Key::Null)))
            .await
            .unwrap();
        window.run("return document.querySelector('#label').value", vec![]).await.as_str().unwrap().to_owned()
    };

    window.tab_to(&button("api")).await;
    window.press(&[Key::Enter]).await;
    window.says("#spoken", "Copied: requests").await;
    let text = pasted("api").await;
    assert!(text.contains(&desk.address) && text.contains("$(cat '"), "{text}");
    window.says(&button("api"), "Copy requests").await;

    window.run("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))", vec![]).await;
    window.click(&button("command_line")).await;
    let text = pasted("command_line").await;
    assert!(text.contains("paird accounts add \"front desk\""), "{text}");

    window.run("document.execCommand = () => false", vec![]).await;
    window.click(&button("sql")).await;
    window.says(".toast", "The text is selected").await;
    let selected = window.run("return getSelection().toString()", vec![]).await;
    assert!(selected.as_str().unwrap().contains("send_command('account.pair'"), "{selected}");
    desk.close().await;
}
