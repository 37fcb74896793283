//! A pairing link: sent from the console, opened on a phone or on another desk.

use std::net::TcpListener;

use paird_testkit::until;
use serde_json::json;
use uuid::Uuid;

use crate::{desk::Desk, window};

const NUMBER: &str = "436607100051";
const NOBODYS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO-_";

/// The console, whose daemon serves links at the address that is returned, too.
async fn open() -> (Desk, String) {
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let desk = Desk::open_with(&[("PAIRD_LINK_ADDR", &addr)]).await;
    desk.stage.phones.add(NUMBER).await;
    (desk, format!("http://{addr}"))
}

impl Desk {
    /// The address in the dialog that shows a new link.
    async fn shown_link(&self) -> String {
        self.window.see("#link-url").await;
        let url = self.window.run("return document.querySelector('#link-url').value", vec![]).await;
        let url = url.as_str().unwrap().to_owned();
        self.stage.web.hush(url.split('#').nth(1).unwrap());
        url
    }

    async fn send_link(&self, account: Uuid) -> String {
        self.go_to_pairing(account).await;
        self.window.click("[data-action=send-link]").await;
        self.window.click("dialog .primary").await;
        self.shown_link().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_from_the_console_pairs_on_a_phone_by_code() {
    if !window::is_wanted() {
        return;
    }
    let (desk, base) = open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let account = stage.web.account("Depot Graz").await;
    desk.go_to_pairing(account).await;
    window.click("[data-action=send-link]").await;
    window.see("dialog [name=validity]").await;
    window.keep_pictures("dialog-link").await;
    window.assert_accessible("pairing, link").await;
    window.click("dialog .primary").await;
    let url = desk.shown_link().await;
    assert!(url.starts_with(&format!("{base}/#")), "{url}");
    window.says("dialog", "only now").await;
    window.keep_pictures("dialog-link-made").await;
    window.assert_accessible("pairing, link made").await;

    let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true });
    window.devtools("Emulation.setDeviceMetricsOverride", phone).await;
    window.page.goto(&url).await.unwrap();
    window.says("h1", "Depot Graz").await;
    window.see("#phone").await;
    let preselected = "return document.querySelector('[name=method]:checked').value";
    assert_eq!(window.run(preselected, vec![]).await, json!("code"));
    window.keep_pictures("link-choose").await;
    window.assert_accessible("link, choice").await;
    window.fill("#phone", "0660 12").await;
    window.click("[data-action=start]").await;
    window.says("#request-wrong", "country code").await;
    window.fill("#phone", "+43 660 7100051").await;
    window.click("[data-action=start]").await;
    desk.phase("code").await;
    window.see("#code b").await;
    window.keep_pictures("link-code").await;
    window.assert_accessible("link, code").await;
    let code = stage.web.code(account).await;
    let shown = "return document.querySelector('#code').dataset.code";
    assert_eq!(window.run(shown, vec![]).await, json!(code.replace('-', "")));
    stage.phones.type_code(NUMBER, &code).await.unwrap();
    desk.phase("connected").await;
    window.says(".face", "You can close this page").await;
    window.keep_pictures("link-connected").await;
    window.assert_accessible("link, connected").await;
    // Nothing of the console was asked for, and the token is in no address that was.
    let loaded = window.run("return performance.getEntriesByType('resource').map((each) => each.name)", vec![]).await;
    let token = url.split('#').nth(1).unwrap();
    assert!(!loaded.to_string().contains(token) && !loaded.to_string().contains("/api/"), "{loaded}");
    stage.phones.devices_are(NUMBER, 1).await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_a_desk_shows_a_qr_and_a_revoked_one_nothing() {
    if !window::is_wanted() {
        return;
    }
    let (desk, base) = open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let account = stage.web.account("shop").await;
    let url = desk.send_link(account).await;
    window.page.goto(&url).await.unwrap();
    window.see("[data-action=start]").await;
    let preselected = "return document.querySelector('[name=method]:checked').value";
    assert_eq!(window.run(preselected, vec![]).await, json!("qr"));
    desk.start_qr().await;
    window.says(".over", "4:").await;
    window.keep_pictures("link-scan").await;
    window.assert_accessible("link, QR").await;
    // Another way, without losing what is shown meanwhile.
    window.click("[data-action=other]").await;
    window.see("[name=method]").await;
    window.click("[data-action=start]").await;
    desk.scan(NUMBER).await;
    desk.phase("connected").await;

    let second = stage.web.account("second").await;
    let url = desk.send_link(second).await;
    window.click("dialog .primary").await;
    window.click("[data-action=send-link]").await;
    window.click("[data-action=revoke-link]").await;
    window.says("dialog", "Revoked").await;
    for dead in [url, format!("{base}/#{NOBODYS}"), format!("{base}/"), format!("{base}/p/{NOBODYS}")] {
        window.page.goto("about:blank").await.unwrap();
        window.page.goto(&dead).await.unwrap();
        desk.phase("over").await;
        window.says(".face", "opens nothing").await;
    }
    window.keep_pictures("link-over").await;
    window.assert_accessible("link, over").await;
    until("the attempt's end", || async { (stage.web.status(account).await == "connected").then_some(()) }).await;
    desk.close().await;
}
