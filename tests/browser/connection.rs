//! The daemon goes away under an open page, and comes back.

use paird_testkit::until;
use serde_json::json;

use crate::{desk::Desk, window};

const NUMBER: &str = "436607400001";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_that_the_daemon_is_away_and_recovers_by_itself() {
    if !window::is_wanted() {
        return;
    }
    let mut desk = Desk::open().await;
    desk.stage.phones.add(NUMBER).await;
    let account = desk.stage.web.account("shop").await;
    desk.go_to_pairing(account).await;
    desk.window.run("window.sameDocument = true", vec![]).await;
    desk.start_qr().await;
    let first = desk.qr_on_screen().await.unwrap();
    assert!(desk.window.text("#lost").await.is_empty());

    let address = desk.address.clone();
    desk = desk.daemon_restarts(&[("PAIRD_CONSOLE_ADDR", &address)]).await;
    until("the banner gone", || async { desk.window.text("#lost").await.is_empty().then_some(()) }).await;
    desk.window.says("#feed", "Live").await;
    let next = until("another code", || async { desk.qr_on_screen().await.filter(|next| *next != first) }).await;
    desk.stage.phones.scan(NUMBER, &next).await.unwrap();
    desk.phase("connected").await;
    assert_eq!(desk.window.run("return window.sameDocument", vec![]).await, json!(true));
    desk.close().await;
}

impl Desk {
    /// Killed; the page notices; then another one.
    async fn daemon_restarts(self, settings: &[(&str, &str)]) -> Self {
        let Self { stage, daemon, window, address } = self;
        daemon.kill().await;
        window.says("#lost", "The connection to paird is lost").await;
        window.keep_pictures("connection-lost").await;
        window.assert_accessible("pairing, connection lost").await;
        let daemon = stage.daemon(settings).await;
        Self { stage, daemon, window, address }
    }
}
