//! Proxy and name on the phone, set over HTTP.

use paird_testkit::{Api, Proxy, Stage, Web, until};
use serde_json::{Value, json};
use uuid::Uuid;

const NUMBER: &str = "436607000011";
const PASSWORD: &str = "s3cret-of-the-proxy";
const LOGIN: &str = "alice:s3cret-of-the-proxy";

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_set_changed_removed_and_shown_without_its_login() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let web = &stage.web;
    web.hush(PASSWORD);
    let proxy = Proxy::wanting(LOGIN).await;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    let path = format!("/api/accounts/{account}/proxy");
    let mut live = api.follow(None);

    let given = json!({"url": proxy.url("socks5"), "user": "alice", "password": PASSWORD});
    let set = api.ask("PUT", &path, &[], Some(given.clone())).await.is(200);
    assert!(!set.text().contains(PASSWORD) && !set.text().contains("alice"), "{}", set.text());
    let shown = set.json();
    assert_eq!((&shown["proxy"], &shown["proxyHasLogin"]), (&json!(proxy.url("socks5")), &json!(true)));
    live.until("the proxy, live", |told| told.kind == "account" && told.data["proxyHasLogin"] == true).await;
    through(&proxy, 1).await;
    web.status_is(account, "connected").await;

    // The same request again, as after a lost answer, disconnects nothing.
    let reconnects = reconnects(web, account).await;
    api.ask("PUT", &path, &[], Some(given)).await.is(200);
    assert_eq!(self::reconnects(web, account).await, reconnects);

    // A login in the URL is accepted, and is not stored in the row.
    let whole = json!({"url": proxy.url_with("http", LOGIN)});
    let set = api.ask("PUT", &path, &[], Some(whole)).await.is(200);
    assert!(!set.text().contains(PASSWORD), "{}", set.text());
    assert_eq!(set.json()["proxy"], proxy.url("http"));
    assert_eq!(web.column::<String>(account, "proxy").await, proxy.url("http"));
    through(&proxy, 2).await;
    web.status_is(account, "connected").await;

    // A URL without a login removes the stored login, so the proxy refuses.
    let bare = api.ask("PUT", &path, &[], Some(json!({"url": proxy.url("http")}))).await.is(200).json();
    assert_eq!(bare["proxyHasLogin"], false);
    until("the proxy's refusal", || async {
        let account = api.account(&account.to_string()).await;
        account["statusReason"].as_str().unwrap().starts_with("proxy_auth").then_some(())
    })
    .await;
    let none = api.ask("DELETE", &path, &[], None).await.is(200).json();
    assert_eq!((&none["proxy"], &none["proxyHasLogin"]), (&Value::Null, &json!(false)));
    web.status_is(account, "connected").await;
    assert_eq!(proxy.tunnels(), 2);
    let before = self::reconnects(web, account).await;
    api.ask("DELETE", &path, &[], None).await.is(200);
    assert_eq!(self::reconnects(web, account).await, before);

    // A web app may have written a login into the column: it is not shown.
    let sql = "UPDATE whatsapp_accounts SET proxy = $2 WHERE id = $1";
    web.sql.execute(sql, &[&account, &proxy.url_with("socks5", LOGIN)]).await.unwrap();
    let shown = api.get("/api/accounts").await;
    assert!(!shown.text().contains(PASSWORD), "{}", shown.text());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_name_set_over_http_shows_from_the_next_pairing() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let account = stage.web.account("desk").await;
    let path = format!("/api/accounts/{account}/device-name");
    let named = api.ask("PUT", &path, &[], Some(json!({"deviceName": " Front desk · Wörgl "}))).await.is(200).json();
    assert_eq!(named["deviceName"], "Front desk · Wörgl");
    stage.phones.add(NUMBER).await;
    stage.web.pair_with(account, NUMBER, &stage.phones).await;
    stage.web.status_is(account, "connected").await;
    assert_eq!(stage.phones.devices_are(NUMBER, 1).await[0].label, "Front desk · Wörgl");
    for _ in 0..2 {
        assert_eq!(api.ask("DELETE", &path, &[], None).await.is(200).json()["deviceName"], Value::Null);
    }
    assert_eq!(stage.phones.devices_are(NUMBER, 1).await[0].label, "Front desk · Wörgl");

    // Reconnects with the current settings on request.
    let connections = stage.phones.report().await.accepted;
    api.does(&account.to_string(), "account.reconnect", json!({})).await;
    until("one more connection", || async { (stage.phones.report().await.accepted > connections).then_some(()) }).await;
    stage.web.status_is(account, "connected").await;
    stage.finish([daemon]).await;
}

async fn through(proxy: &Proxy, tunnels: u64) {
    until("a tunnel through the proxy", || async { (proxy.tunnels() >= tunnels).then_some(()) }).await;
}

async fn reconnects(web: &Web, account: Uuid) -> i64 {
    web.count("SELECT count(*) FROM commands WHERE account_id = $1 AND kind = 'account.reconnect'", &[&account]).await
}
