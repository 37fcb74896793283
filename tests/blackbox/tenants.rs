//! Operators as tenants (`paird migrate --roles --isolate`), with a daemon, a console and real logins.

use paird_sandbox::Writing;
use paird_testkit::{Api, Logins, Stage, Web, until};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::command_line::command;

const OURS: Uuid = Uuid::from_u128(1);
const THEIRS: Uuid = Uuid::from_u128(2);

/// The command's document and its remarks.
async fn roles(stage: &Stage, isolate: &[&str]) -> (Value, String) {
    let args = [&["migrate", "--roles", "--json"], isolate].concat();
    let output = command(stage).args(&args).output().await.unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    (serde_json::from_slice(&output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

async fn tenant(dsn: &str, operator: Uuid) -> Web {
    let web = Web::connect(dsn).await;
    web.sql.batch_execute(&format!("SET paird.operator = '{operator}'")).await.unwrap();
    web
}

#[tokio::test(flavor = "multi_thread")]
async fn reapplying_roles_keeps_isolation_and_says_so() {
    let stage = Stage::empty().await;
    for (args, isolated, words) in [
        (&[][..], false, ""),
        (&["--isolate"], true, "each login in paird_web sees and touches the rows of one operator from now on"),
        (&[], true, "operators stay isolated"),
        (&["--isolate=on"], true, "each login in paird_web sees and touches the rows of one operator from now on"),
        (&["--isolate=off"], false, "the rows of all operators"),
        (&[], false, ""),
    ] {
        let (document, remarks) = roles(&stage, args).await;
        assert_eq!(document["isIsolated"], isolated, "{args:?}: {document}");
        assert!(remarks.contains(words), "{args:?}: {remarks}");
        assert_eq!(
            remarks.contains("paird.operator") || remarks.contains("all operators"),
            !words.is_empty(),
            "{remarks}"
        );
    }
    let output = command(&stage).args(["migrate", "--isolate"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_lives_a_whole_life_beside_another_unseen() {
    let mut stage = Stage::empty().await;
    roles(&stage, &["--isolate"]).await;
    let Logins { web: web_dsn, daemon: daemon_dsn, console: console_dsn } = stage.logins().await;
    let settings = [("DATABASE_URL", daemon_dsn.as_str()), ("PAIRD_CONSOLE_DATABASE_URL", console_dsn.as_str())];
    let mut daemon = stage.daemon(&settings).await;
    let api = Api::of(&stage, &mut daemon).await;
    let theirs = tenant(&web_dsn, THEIRS).await;
    let other = theirs.account_of(THEIRS, "theirs").await;
    let owner = std::mem::replace(&mut stage.web, tenant(&web_dsn, OURS).await);
    let (web, number) = (&stage.web, "436601000001");

    let account = web.connect_account("desk", number, &stage.phones).await;
    web.event(account, "groups.synced", 0).await;
    web.does("account.unpair", account, json!({})).await;
    web.does("account.resume", account, json!({})).await;
    web.status_is(account, "connected").await;
    let presence = "UPDATE whatsapp_accounts SET presence = 'available' WHERE id = $1";
    assert_eq!(web.sql.execute(presence, &[&account]).await.unwrap(), 1);
    assert_eq!(web.sql.execute(presence, &[&other]).await.unwrap(), 0);

    // A bare NOTIFY names no operator, so it is never a command here.
    for (sender, target) in [(web, other), (web, account), (&theirs, account)] {
        let raw = json!({"type": "account.delete", "accountId": target}).to_string();
        sender.sql.execute("SELECT pg_notify('paird_command', $1)", &[&raw]).await.unwrap();
    }
    daemon.says("may_not_send_commands=").await;
    assert_eq!(owner.count("SELECT count(*) FROM commands WHERE source = 'notify'", &[]).await, 0);

    // Every login that listens gets the notification, but with nothing of the event's contents.
    until("a notification", || async { (!theirs.heard(account).is_empty()).then_some(()) }).await;
    for told in theirs.heard(account) {
        let fields: Vec<&String> = told.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["accountId", "id", "seq", "type"], "{told}");
    }
    assert_eq!(theirs.count("SELECT count(*) FROM events", &[]).await, 0);

    // The console works for both operators.
    let listed = api.get("/api/accounts").await.is(200).json();
    assert_eq!(listed["accounts"].as_array().unwrap().len(), 2);
    api.ask("PATCH", &format!("/api/accounts/{other}"), &[], Some(json!({"label": "still theirs"}))).await.is(200);
    api.does(&other.to_string(), "account.cancel", json!({})).await;
    let mut live = api.follow(None);
    live.until("both accounts", |told| told.kind == "accounts").await;

    // A message of one is not the other's; the console reads it.
    stage.phones.keys_told(number).await;
    stage.phones.send("999000000001", Writing::text(number, "for us alone")).await;
    let id = web.event(account, "message.received", 0).await.payload["messageId"].clone();
    for (reader, seen) in [(web, 3), (&theirs, 0)] {
        let sql = "SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM message_bodies)
                       + (SELECT count(*) FROM contacts)";
        assert_eq!(reader.count(sql, &[]).await, seen);
    }
    let listed = api.get(&format!("/api/accounts/{account}/messages")).await.is(200).json();
    assert_eq!((&listed["messages"][0]["id"], &listed["messages"][0]["text"]), (&id, &json!("for us alone")));
    assert_eq!(api.get(&format!("/api/accounts/{other}/messages")).await.is(200).json(), json!({"messages": []}));

    let before = web.seq(account).await;
    web.does("account.delete", account, json!({})).await;
    web.event(account, "account.unlinked", before).await;
    stage.phones.devices_are(number, 0).await;
    assert!(!daemon.log().contains("permission denied"), "{}", daemon.log());
    assert!(!daemon.log().contains("row-level security"), "{}", daemon.log());
    stage.web = owner;
    stage.finish([daemon]).await;
}
