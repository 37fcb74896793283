//! The daemon and the web app with no more rights than `sql/roles.sql` gives them.

use paird_testkit::{Api, Logins, Stage, Web};
use serde_json::json;

use crate::command_line::command;

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_whole_life_needs_no_more_than_the_two_roles() {
    let mut stage = Stage::empty().await;
    let Logins { web: web_dsn, daemon: daemon_dsn, .. } = stage.logins().await;
    let daemon = stage.daemon(&[("DATABASE_URL", &daemon_dsn)]).await;
    // From here on the test sends and reads as the web app's login.
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

/// A console without its own login uses the daemon's, as in former versions.
#[tokio::test(flavor = "multi_thread")]
async fn a_console_without_its_rights_says_which_and_doctor_too() {
    let stage = Stage::empty().await;
    let logins = stage.logins().await;
    let mut daemon = stage.daemon(&[("DATABASE_URL", &logins.daemon)]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let account = stage.web.account("desk").await;
    let login = login_of(&logins.daemon);
    for (method, path, body, what) in [
        ("POST", "/api/accounts".to_owned(), Some(json!({"label": "x"})), "table whatsapp_accounts"),
        ("PATCH", format!("/api/accounts/{account}"), Some(json!({"label": "x"})), "table whatsapp_accounts"),
        ("PUT", format!("/api/accounts/{account}/presence"), Some(json!({"presence": "silent"})), "whatsapp_accounts"),
        ("PUT", format!("/api/accounts/{account}/device-name"), Some(json!({"deviceName": "x"})), "whatsapp_accounts"),
        ("PUT", format!("/api/accounts/{account}/proxy"), Some(json!({"url": "http://x:1"})), ""),
        ("GET", format!("/api/accounts/{account}/audit"), None, "table audit_log"),
        ("GET", format!("/api/accounts/{account}/messages"), None, "table message_bodies"),
        ("POST", format!("/api/accounts/{account}/commands"), Some(json!({"kind": "account.pair"})), "send_command"),
        ("POST", format!("/api/accounts/{account}/messages"), Some(json!({"to": "436601000009"})), "send_message"),
        ("DELETE", "/api/messages/7".to_owned(), None, "cancel_message"),
    ] {
        let problem = api.ask(method, &path, &[], body).await.problem(403);
        let detail = problem["detail"].as_str().unwrap();
        for part in [login, what, "permission denied", "paird migrate --roles", "PAIRD_CONSOLE_DATABASE_URL"] {
            assert!(detail.contains(part), "{path}: {detail}");
        }
    }
    // What the login may read is shown.
    api.get("/api/accounts").await.is(200);

    let told = doctor(&stage, &[("DATABASE_URL", &logins.daemon)]).await;
    let line = told.lines().find(|line| line.contains("console login")).unwrap_or_else(|| panic!("{told}"));
    assert!(
        line.contains("FAIL") && line.contains("INSERT on whatsapp_accounts") && line.contains("send_command"),
        "{line}"
    );
    assert!(told.contains("set PAIRD_CONSOLE_DATABASE_URL to a login that is a member of paird_console"), "{told}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_whose_login_is_not_let_in_says_so() {
    let stage = Stage::empty().await;
    let nobody = stage.dsn.replace("user=paird", "user=nobody_at_all");
    let mut daemon = stage.daemon(&[("PAIRD_CONSOLE_DATABASE_URL", &nobody)]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let problem = api.get("/api/accounts").await.problem(403);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("nobody_at_all") && detail.contains("PAIRD_CONSOLE_DATABASE_URL"), "{detail}");
    // Accounts do not need the console's login.
    stage.web.connect_account("desk", "436601000001", &stage.phones).await;
    let told = doctor(&stage, &[("PAIRD_CONSOLE_DATABASE_URL", &nobody)]).await;
    let line = told.lines().find(|line| line.contains("console login")).unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains("FAIL") && line.contains("nobody_at_all"), "{line}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_asks_each_login_for_what_it_needs_and_no_more() {
    let stage = Stage::empty().await;
    let logins = stage.logins().await;
    let both = [("DATABASE_URL", logins.daemon.as_str()), ("PAIRD_CONSOLE_DATABASE_URL", logins.console.as_str())];
    let daemon = stage.daemon(&both).await;
    let told = doctor(&stage, &both).await;
    assert!(!told.contains("FAIL"), "{told}");
    for line in ["  ok  privileges", "  ok  console login", "  ok  orphans", "  ok  consumers"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    // It must not advise to undo `migrate --roles`.
    assert!(!told.contains("GRANT") && !told.contains("lacks"), "{told}");

    let told = doctor(&stage, &[("DATABASE_URL", &logins.web)]).await;
    assert!(told.contains("is a login of paird_web: keys, daemons and queues are not looked at"), "{told}");
    assert!(!told.contains("GRANT") && !told.contains("lacks"), "{told}");

    // Each login lacks one right.
    let (of_daemon, of_console) = (login_of(&logins.daemon), login_of(&logins.console));
    stage
        .web
        .sql
        .batch_execute(
            "REVOKE UPDATE ON commands FROM paird_daemon;
             REVOKE EXECUTE ON FUNCTION prune_audit(interval, bigint, integer, boolean) FROM paird_daemon;
             REVOKE UPDATE (proxy) ON whatsapp_accounts FROM paird_console",
        )
        .await
        .unwrap();
    let told = doctor(&stage, &both).await;
    let words = format!("{of_daemon} lacks EXECUTE on prune_audit, UPDATE on commands");
    assert!(told.contains(&words) && told.contains("paird migrate --roles"), "{told}");
    assert!(told.contains(&format!("{of_console} lacks UPDATE of proxy on whatsapp_accounts")), "{told}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_people_works_under_the_roles() {
    let stage = Stage::under_roles().await;
    let logins = stage.logins().await;
    let mut daemon = stage.daemon(&[]).await;
    Api::of(&stage, &mut daemon).await;
    let settings = [("DATABASE_URL", logins.daemon.as_str()), ("PAIRD_CONSOLE_DATABASE_URL", logins.console.as_str())];
    let does = async |args: &[&str]| {
        let output = command(&stage).envs(settings).args(args).output().await.unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    does(&["accounts", "add", "desk", "--device-name", "Desk"]).await;
    does(&["accounts", "rename", "desk", "front desk"]).await;
    does(&["accounts", "proxy", "front desk", "socks5://127.0.0.1:9"]).await;
    does(&["accounts", "proxy", "front desk", "none"]).await;
    does(&["accounts", "name", "front desk", "Reception"]).await;
    let id = stage.web.sql.query_one("SELECT id FROM whatsapp_accounts", &[]).await.unwrap().get(0);
    // The second one is written to.
    for number in ["436601000001", "436601000009"] {
        stage.phones.add(number).await;
    }
    stage.web.pair_with(id, "436601000001", &stage.phones).await;
    stage.web.status_is(id, "connected").await;
    for args in [
        &["accounts", "list"][..],
        &["status", "front desk"],
        &["groups", "front desk", "--sync"],
        &["send", "front desk", "436601000009", "hello"],
        &["messages", "front desk"],
        &["events", "front desk"],
        &["audit", "front desk"],
        &["inspect", "front desk"],
        &["restart", "front desk"],
        &["sweep", "--dry-run"],
        &["resync"],
        &["health"],
        &["prune", "--dry-run"],
        &["keys", "status"],
        &["keys", "rotate"],
        &["migrate"],
        &["unpair", "front desk"],
        &["resume", "front desk"],
        &["cancel", "front desk"],
        &["delete", "front desk", "--yes"],
    ] {
        does(args).await;
    }
    // With the daemon's login, the error names the missing right.
    let output =
        command(&stage).env("DATABASE_URL", &logins.daemon).args(["accounts", "add", "x"]).output().await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("permission denied") && told.contains("PAIRD_CONSOLE_DATABASE_URL"), "{told}");
    stage.finish([daemon]).await;
}

pub(crate) fn login_of(dsn: &str) -> &str {
    dsn.split("user=").nth(1).unwrap().split(' ').next().unwrap()
}

async fn doctor(stage: &Stage, settings: &[(&str, &str)]) -> String {
    let output = command(stage).envs(settings.iter().copied()).arg("doctor").output().await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}
