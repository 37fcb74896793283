//! The page of one account: its story, and what can be done with it.

use fantoccini::key::Key;
use paird_sandbox::Writing;
use paird_testkit::{Proxy, until};
use serde_json::json;

use crate::{desk::Desk, window};

const NUMBER: &str = "436607300001";
const ANNA: &str = "999000000009";
/// Markup that would do something, and a mark that turns what follows it around.
const HOSTILE: &str =
    "<img src=x onerror=\"document.title = 'taken'\"><script>document.title = 'taken'</script>\u{202e}end";

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_history_reads_as_sentences_and_grows_live() {
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
    window.says("[aria-labelledby=details] .facts", &account.to_string()).await;
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
async fn unpair_states_the_phones_list_and_resume_needs_no_code() {
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
async fn delete_names_the_phone_and_clears_the_account_everywhere() {
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

#[tokio::test(flavor = "multi_thread")]
async fn proxy_and_device_name_are_edited_without_showing_a_password() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.web.hush("s3cret-of-the-proxy");
    let proxy = Proxy::wanting("alice:s3cret-of-the-proxy").await;
    let account = stage.web.connect_account("Front desk", NUMBER, &stage.phones).await;
    desk.go(&format!("/accounts/{account}")).await;
    window.says("[data-fact=proxy]", "None").await;

    window.click("[data-action=proxy]").await;
    window.says("dialog", "disconnects and reconnects it at once").await;
    window.fill("#proxy-url", "proxy.example").await;
    window.click("dialog [type=submit]").await;
    window.says("dialog .wrong", "socks5://host:port").await;
    window.fill("#proxy-url", &proxy.url("socks5")).await;
    window.fill("#proxy-user", "alice").await;
    window.fill("#proxy-password", "s3cret-of-the-proxy").await;
    window.keep_pictures("dialog-proxy").await;
    window.assert_accessible("account, proxy").await;
    window.click("dialog [type=submit]").await;
    window.says("[data-fact=proxy]", &format!("{} with user and password", proxy.url("socks5"))).await;
    until("a tunnel", || async { (proxy.tunnels() > 0).then_some(()) }).await;
    window.says(".badge", "Connected").await;
    let page = window.run("return document.documentElement.outerHTML", vec![]).await.to_string();
    assert!(!page.contains("s3cret") && !page.contains("alice"), "{page}");

    let tunnels = proxy.tunnels();
    window.click("[data-action=reconnect]").await;
    until("one more tunnel", || async { (proxy.tunnels() > tunnels).then_some(()) }).await;
    window.says(".badge", "Connected").await;

    window.click("[data-action=device-name]").await;
    window.says("dialog", "until it is paired again").await;
    window.fill("#device-name", "Reception").await;
    window.keep_pictures("dialog-device-name").await;
    window.assert_accessible("account, name on the phone").await;
    window.click("dialog [type=submit]").await;
    window.says("[data-fact=device-name]", "Reception").await;
    window.keep_pictures("account-connection").await;
    window.assert_accessible("account, connection").await;

    window.click("[data-action=proxy]").await;
    window.says("dialog", "User and password are set and are never shown").await;
    window.see("#proxy-url").await.clear().await.unwrap();
    window.click("dialog [type=submit]").await;
    window.says("[data-fact=proxy]", "connects directly").await;
    assert_eq!(stage.web.column::<Option<String>>(account, "proxy").await, None);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_shows_its_newest_page_and_loads_older_ones() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (web, window) = (&desk.stage.web, &desk.window);
    let account = web.account("Front desk").await;
    let sql = "WITH told AS (
                   INSERT INTO events (account_id, seq, kind, created_at)
                   SELECT $1, n, 'session.timeout', now() - (251 - n) * interval '1 minute' FROM generate_series(1, 250) n
               ), audited AS (
                   INSERT INTO audit_log (source, action, target_type, target_id, created_at)
                   SELECT 'web', 'account.paired', 'whatsapp_account', $1, now() - (251 - n) * interval '1 minute'
                   FROM generate_series(1, 250, 10) n
               ) UPDATE whatsapp_accounts SET event_seq = 250 WHERE id = $1";
    web.sql.execute(sql, &[&account]).await.unwrap();
    desk.go(&format!("/accounts/{account}")).await;
    window.see("[data-action=older]").await;
    let counts = || async {
        let events = window.texts(".story li[data-kind='session.timeout']").await.len();
        (events, window.texts(".story li[data-kind='account.paired']").await.len())
    };
    // No line of the audit log is older than the events beside it. The two come in turn.
    until("the newest page", || async { (counts().await == (100, 10)).then_some(()) }).await;
    window.keep_pictures("account-long").await;
    window.assert_accessible("account, a long story").await;

    for wanted in [(200, 20), (250, 25)] {
        window.click("[data-action=older]").await;
        until("an older page", || async { (counts().await == wanted).then_some(()) }).await;
    }
    assert_eq!(window.texts("[data-action=older]").await, Vec::<String>::new());
    // New events are added once, at the top.
    desk.tell(account, "session.cancelled", json!({"reason": "operator"})).await;
    window.says(".story li:first-child", "ancel").await;
    assert_eq!(counts().await, (250, 25));
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_live_and_a_strangers_markup_stays_text() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let account = stage.web.reachable_account("Front desk", NUMBER, &stage.phones).await;
    desk.go(&format!("/accounts/{account}")).await;
    window.says("[aria-labelledby=messages]", "None yet").await;

    stage.phones.send(ANNA, Writing::text(NUMBER, HOSTILE)).await;
    window.says(".messages", "<img src=x onerror=").await;
    window.says(".messages", "+999 000 000 009").await;
    let made = "return document.querySelectorAll('.messages img, .messages script').length";
    assert_eq!(window.run(made, vec![]).await, json!(0));
    assert_eq!(window.run("return document.title", vec![]).await, json!("Front desk · paird"));
    assert_eq!(
        window.run("return document.querySelector('.messages p + p bdi').textContent", vec![]).await,
        json!(HOSTILE)
    );

    stage.phones.send(NUMBER, Writing::text(ANNA, "written on the phone")).await;
    window.says(".messages li:first-child", "written on the phone").await;
    window.says(".messages li:first-child", "From the phone to +999 000 000 009").await;
    stage.phones.burst(ANNA, NUMBER, (1..=30).map(|nth| format!("burst {nth}")).collect()).await;
    until("the last of a burst", || async {
        // Of what is out of sight there is no visible text.
        let bodies = "return [...document.querySelectorAll('.messages li p:last-child')].map((e) => e.textContent)";
        let shown: Vec<String> = serde_json::from_value(window.run(bodies, vec![]).await).unwrap();
        (shown.len() == 20 && shown[0] == "burst 30" && shown[19] == "burst 11").then_some(())
    })
    .await;
    window.says(".story", "A message came in (30 times)").await;
    window.keep_pictures("account-messages").await;
    window.assert_accessible("account, messages").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_written_cancelled_and_followed_on_the_page() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (web, window) = (&desk.stage.web, &desk.window);
    let account = web.account("Front desk").await;
    desk.go(&format!("/accounts/{account}")).await;
    window.says(".compose", "sent as soon as the account is connected").await;
    // What is wrong is said beside what was typed, which stays.
    window.fill("#to", "call me").await;
    window.fill("#body", "your table is free").await;
    window.click("[data-action=send]").await;
    window.says("#compose-wrong", "To: must be a phone number with its country code").await;
    window.assert_accessible("account, a wrong recipient").await;
    window.fill("#to", "+999 000 000 009").await;
    // By keyboard alone.
    window.tab_to("#body").await;
    window.tab_to("[data-action=send]").await;
    window.press(&[Key::Enter]).await;
    window.says(".messages li:first-child", "your table is free").await;
    window.says(".messages li:first-child", "To +999 000 000 009").await;
    window.says(".messages .state", "Queued").await;
    assert_eq!(window.text("#compose-wrong").await, "");
    let left = "return [document.querySelector('#to').value, document.querySelector('#body').value]";
    assert_eq!(window.run(left, vec![]).await, json!(["+999 000 000 009", ""]));
    window.keep_pictures("account-sending").await;
    window.assert_accessible("account, a queued message").await;
    let sql = "SELECT source FROM messages WHERE account_id = $1";
    assert_eq!(web.sql.query_one(sql, &[&account]).await.unwrap().get::<_, String>(0), "console");

    window.fill("#body", "never mind").await;
    window.click("[data-action=send]").await;
    window.says(".messages li:first-child", "never mind").await;
    window.click(".messages li:first-child [data-action=cancel-message]").await;
    window.says(".messages li:first-child .state", "Cancelled").await;
    assert_eq!(window.texts("[data-action=cancel-message]").await.len(), 1, "only of what is still queued");

    let sent = "UPDATE messages SET state = 'read', sent_at = now() WHERE account_id = $1 AND state = 'queued'
                RETURNING id";
    let id: i64 = web.sql.query_one(sent, &[&account]).await.unwrap().get(0);
    desk.tell(account, "message.read", json!({"messageId": id})).await;
    window.says(".messages li:last-child .state", "Read").await;
    window.says(".story", "A message was read").await;
    desk.close().await;
}
