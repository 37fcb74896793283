//! Logging in and out.

use crate::{desk::Desk, window};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_said_and_the_right_one_opens() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::at_the_door(&[]).await;
    let window = &desk.window;
    window.keep_pictures("login").await;
    window.assert_accessible("login").await;
    window.fill("#token", "not-the-token-of-this-console").await;
    window.click("#login button").await;
    window.says("#token-wrong", "wrong").await;
    window.keep_pictures("login-wrong").await;
    window.assert_accessible("login, wrong token").await;

    desk.log_in().await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_shows_the_login_and_login_returns_to_the_same_page() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let window = &desk.window;
    let account = desk.stage.web.account("shop").await;
    desk.go(&format!("/accounts/{account}")).await;
    window.says("h1", "shop").await;

    // The session ends elsewhere; this page notices by itself, as its live stream ends, too.
    let logged_out =
        "const done = arguments[0]; fetch('/logout', { method: 'POST' }).then((answer) => done(answer.ok))";
    assert_eq!(window.page.execute_async(logged_out, vec![]).await.unwrap(), true);
    window.fill("#token", &desk.token()).await;
    window.click("#login button").await;
    window.says("h1", "shop").await;

    window.click("#logout").await;
    window.see("#token").await;
    desk.go(&format!("/accounts/{account}")).await;
    window.see("#token").await;
    window.fill("#token", &desk.token()).await;
    window.click("#login button").await;
    window.says("h1", "shop").await;
    desk.go("/nowhere").await;
    window.says("h1", "Nothing here").await;
    window.keep_pictures("missing").await;
    window.assert_accessible("a wrong address").await;
    desk.close().await;
}
