//! Tags, the number that an account is for, and accounts from a file.

use paird_testkit::until;
use serde_json::json;

use crate::{desk::Desk, window};

#[tokio::test(flavor = "multi_thread")]
async fn tags_and_the_number_to_link_are_edited_on_the_page() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let account = stage.web.account("Front desk").await;
    desk.go(&format!("/accounts/{account}")).await;
    window.says("[data-fact=desired-phone]", "Any").await;
    window.click("[data-action=tags]").await;
    window.fill("#tags", "VIP, vip").await;
    window.click("dialog [type=submit]").await;
    window.says("dialog .wrong", "twice").await;
    window.see("#tags").await.clear().await.unwrap();
    window.fill("#tags", "VIP, <b>north</b>\u{202e}x").await;
    window.keep_pictures("dialog-tags").await;
    window.assert_accessible("account, tags").await;
    window.click("dialog [type=submit]").await;
    window.says(".tags", "VIP").await;
    assert_eq!(window.texts(".tags li").await, ["VIP", "<b>north</b>\u{202e}x"]);

    window.click("[data-action=desired-phone]").await;
    window.fill("#desired-phone", "0660 1").await;
    window.click("dialog [type=submit]").await;
    window.says("dialog .wrong", "country code").await;
    window.see("#desired-phone").await.clear().await.unwrap();
    window.fill("#desired-phone", "+43 (0)660 7300031").await;
    window.assert_accessible("account, number to link").await;
    window.click("dialog [type=submit]").await;
    window.says("[data-fact=desired-phone]", "+436 607 300 031 only").await;
    window.keep_pictures("account-tags").await;
    window.assert_accessible("account with tags").await;
    assert_eq!(stage.web.column::<String>(account, "desired_phone").await, "436607300031");
    desk.close().await;
}

/// The dialog, without the page that will have a button for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_checked_in_the_dialog_and_then_added() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.web.account("taken").await;
    desk.go("/").await;
    window.see("h1").await;
    window.run("import('/static/views/files.js').then(({ importAccounts }) => importAccounts())", vec![]).await;
    let choose = "const files = new DataTransfer(); files.items.add(new File([arguments[0]], 'new.csv'));
                  document.querySelector('#file').files = files.files";
    window.see("#file").await;
    window.run(choose, vec![json!("label,tags\ntaken,\n,\"a,A\"\n")]).await;
    window.click("dialog [type=submit]").await;
    window.says("[data-fact=mistakes]", "Line 3, label: is empty").await;
    window.says("dialog .wrong", "nothing was added").await;
    window.keep_pictures("dialog-import").await;
    window.assert_accessible("import with mistakes").await;
    window.run(choose, vec![json!("label,tags\ndesk,vip\nlobby,\n")]).await;
    window.click("dialog [type=submit]").await;
    window.says("dialog h2", "Add 2 accounts?").await;
    assert_eq!(stage.web.count("SELECT count(*) FROM whatsapp_accounts", &[]).await, 1);
    window.assert_accessible("import, checked").await;
    window.click("dialog [type=submit]").await;
    window.says(".toast", "2 accounts added").await;
    until("three accounts", || async {
        (stage.web.count("SELECT count(*) FROM whatsapp_accounts", &[]).await == 3).then_some(())
    })
    .await;
    desk.close().await;
}
