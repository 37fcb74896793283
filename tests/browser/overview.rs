//! The fleet at a glance.

use serde_json::json;

use crate::{
    desk::{Desk, a_full_house},
    window,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_says_what_needs_a_person_and_how_it_went() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let window = &desk.window;
    a_full_house(&desk).await;
    window.click("nav a[href='/overview']").await;
    window.see("nav a[aria-current=page][href='/overview']").await;
    window.says("[aria-labelledby=needs]", "Needs a person (1)").await;
    window.says(".needs li", "Marketing").await;
    window.says(".needs li", "Held").await;
    window.says("[aria-labelledby=daemons]", "1 account").await;
    window.says("[aria-labelledby=queues]", "Messages to be sent").await;
    window.says("[data-plot=accounts] [data-series=Connected]", "Connected 1").await;
    window.says("[data-plot=accounts] [data-series=Held]", "Held 1").await;
    window.says("[data-plot=waits] [data-series='First QR']", "ms").await;
    window.says("[data-plot=messages] [data-series=Received]", "Received 0").await;
    window.see("[data-plot=accounts] svg path").await;

    let account = desk.foreign_account("Second shop", "status, desired = 'reconnecting', 'paired'").await;
    desk.tell(account, "session.disconnected", json!({"reason": "socket_lost"})).await;
    window.says("[aria-labelledby=recent] li:first-child", "Second shop").await;
    let hold = "UPDATE whatsapp_accounts SET status = 'held', status_reason = 'banned: 403' WHERE id = $1";
    desk.stage.web.sql.execute(hold, &[&account]).await.unwrap();
    window.says("[aria-labelledby=needs]", "Needs a person (2)").await;
    window.keep_pictures("overview").await;
    window.assert_accessible("overview").await;
    window.click(".needs a").await;
    window.see(".summary").await;
    desk.close().await;
}
