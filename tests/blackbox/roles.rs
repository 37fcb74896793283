//! The daemon and the web app with no more rights than `sql/roles.sql` gives them.

use paird_testkit::{Stage, Web};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_whole_life_needs_no_more_than_the_two_roles() {
    let mut stage = Stage::empty().await;
    let (web_dsn, daemon_dsn) = stage.logins().await;
    let daemon = stage.daemon(&[("DATABASE_URL", &daemon_dsn)]).await;
    // From here on everything is said and read as the web app.
    let owner = std::mem::replace(&mut stage.web, Web::connect(&web_dsn).await);
    let (web, number) = (&stage.web, "436601000001");

    let account = web.connect_account("desk", number, &stage.phones).await;
    web.event(account, "groups.synced", 0).await;
    web.sql.execute("UPDATE whatsapp_accounts SET label = 'front desk' WHERE id = $1", &[&account]).await.unwrap();
    web.does("account.unpair", account, json!({})).await;
    web.does("account.resume", account, json!({})).await;
    web.status_is(account, "connected").await;
    web.does("groups.sync", account, json!({})).await;
    let second = web.account("second").await;
    web.pair_with(second, number, &stage.phones).await;
    let refused = web.event(second, "session.duplicate", 0).await;
    assert_eq!(refused.payload["existingLabel"], "front desk");
    let raw = json!({"type": "account.cancel", "accountId": second}).to_string();
    web.sql.execute("SELECT pg_notify('paird_command', $1)", &[&raw]).await.unwrap();
    owner.count_becomes("SELECT count(*) FROM commands WHERE source = 'notify' AND state = 'done'", 1).await;
    web.does("account.unpair", account, json!({"logout": true})).await;
    stage.phones.devices_are(number, 0).await;
    web.pair_with(account, number, &stage.phones).await;
    web.status_is(account, "connected").await;
    let before = web.seq(account).await;
    web.does("account.delete", account, json!({})).await;
    web.event(account, "account.unlinked", before).await;
    stage.phones.devices_are(number, 0).await;

    assert_eq!(owner.keys(account).await, (0, 0));
    assert!(!daemon.log().contains("permission denied"), "{}", daemon.log());
    stage.finish([daemon]).await;
}
