//! The audit log: who did what, with the login by Postgres and the channel, and no secrets.

use paird_testkit::{Api, Logins, Stage, Web, until};
use serde_json::json;
use uuid::Uuid;

use crate::{command_line::command, roles::login_of};

const NUMBER: &str = "436601000001";

/// Lines of these actions, oldest first: action, source, login, channel.
async fn lines(stage: &Stage, actions: &[&str]) -> Vec<[String; 4]> {
    let sql = "SELECT action, source, coalesce(sent_by, ''), coalesce(channel, '') FROM audit_log
               WHERE action = ANY ($1) ORDER BY id";
    let rows = stage.web.sql.query(sql, &[&actions]).await.unwrap();
    rows.iter().map(|row| [row.get(0), row.get(1), row.get(2), row.get(3)]).collect()
}

fn line(action: &str, source: &str, dsn: &str, channel: &str) -> [String; 4] {
    [action.to_owned(), source.to_owned(), login_of(dsn).to_owned(), channel.to_owned()]
}

async fn assert_nowhere_in_the_audit(stage: &Stage, secret: &str) {
    let sql = "SELECT count(*) FROM audit_log l WHERE strpos(to_jsonb(l)::text, $1) > 0";
    assert_eq!(stage.web.count(sql, &[&secret]).await, 0, "{secret} is in the audit log");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_change_is_audited_with_its_author() {
    let stage = Stage::under_roles().await;
    let logins = stage.roles();
    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let web = Web::connect(&logins.web).await;
    web.hush("geheim");

    // A web app, by SQL: it sets no source, or another one than its login.
    let desk = web.account("desk").await;
    for sql in [
        "UPDATE whatsapp_accounts SET label = 'front desk', device_name = 'Desk' WHERE id = $1",
        "UPDATE whatsapp_accounts SET proxy = 'socks5://alice:geheim@127.0.0.1:9' WHERE id = $1",
        "UPDATE whatsapp_accounts SET presence = 'available' WHERE id = $1",
        // Values that do not change are no action.
        "UPDATE whatsapp_accounts SET label = label, presence = presence, proxy = proxy WHERE id = $1",
    ] {
        web.sql.execute(sql, &[&desk]).await.unwrap();
    }
    let written =
        ["account.added", "account.renamed", "account.proxied", "account.device_named", "account.presence_set"];
    let of_web = |action| line(action, "web", &logins.web, "row");
    let by_sql = lines(&stage, &written).await;
    let expected =
        ["account.added", "account.renamed", "account.device_named", "account.proxied", "account.presence_set"];
    assert_eq!(by_sql, expected.map(of_web));

    // The HTTP API.
    let path = format!("/api/accounts/{desk}");
    api.post("/api/accounts", json!({"label": "shop"})).await.is(201);
    api.ask("PATCH", &path, &[], Some(json!({"label": "lobby"}))).await.is(200);
    api.ask("PUT", &format!("{path}/device-name"), &[], Some(json!({"deviceName": "Lobby"}))).await.is(200);
    let proxy = json!({"url": "http://127.0.0.1:8", "user": "alice", "password": "geheim"});
    api.ask("PUT", &format!("{path}/proxy"), &[], Some(proxy)).await.is(200);
    api.ask("DELETE", &format!("{path}/proxy"), &[], None).await.is(200);
    api.ask("PUT", &format!("{path}/presence"), &[], Some(json!({"presence": "silent"}))).await.is(200);
    let by_api = lines(&stage, &written).await.split_off(by_sql.len());
    assert!(by_api.iter().all(|line| line[1] == "api" && line[3] == "row"), "{by_api:?}");
    assert!(by_api.iter().all(|line| line[2] == login_of(&logins.console)), "{by_api:?}");
    let actions: Vec<&str> = by_api.iter().map(|line| line[0].as_str()).collect();
    let proxied = actions.iter().filter(|action| **action == "account.proxied").count();
    assert_eq!(proxied, 4, "address and login, set and removed: {actions:?}");
    for action in written {
        assert!(actions.contains(&action), "{action} in {actions:?}");
    }

    // The command line.
    let output = command(&stage)
        .env("DATABASE_URL", &logins.daemon)
        .env("PAIRD_CONSOLE_DATABASE_URL", &logins.console)
        .args(["accounts", "rename", "shop", "till"])
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let by_cli = lines(&stage, &written).await.split_off(by_sql.len() + by_api.len());
    assert_eq!(by_cli, [line("account.renamed", "cli", &logins.console, "row")]);

    assert_nowhere_in_the_audit(&stage, "geheim").await;
    assert_nowhere_in_the_audit(&stage, "alice").await;
    // The API and the command line show it.
    let shown = api.get(&format!("{path}/audit")).await.is(200).json();
    let added = shown["records"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&added["sentBy"], &added["channel"]), (&json!(login_of(&logins.web)), &json!("row")));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_their_effects_name_the_asking_login() {
    let mut stage = Stage::under_roles().await;
    let Logins { web: web_dsn, daemon: daemon_dsn, .. } = stage.roles();
    let (web_dsn, daemon_dsn) = (web_dsn.clone(), daemon_dsn.clone());
    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let owner = std::mem::replace(&mut stage.web, Web::connect(&web_dsn).await);
    let web = &stage.web;
    let desk = web.connect_account("desk", NUMBER, &stage.phones).await;
    web.does("account.unpair", desk, json!({})).await;
    web.does("account.resume", desk, json!({})).await;
    web.status_is(desk, "connected").await;

    // A phone that is linked already, and one that is not the expected one.
    let second = web.account("second").await;
    web.pair_with(second, NUMBER, &stage.phones).await;
    web.event(second, "session.duplicate", 0).await;
    web.does("account.pair", second, json!({"expectPhone": "436601000009"})).await;
    web.scan(second, NUMBER, &stage.phones).await;
    web.event(second, "session.wrong_phone", 0).await;

    // The same login by a bare NOTIFY, and the API.
    web.does("account.pair", second, json!({})).await;
    let raw = json!({"type": "account.cancel", "accountId": second}).to_string();
    web.sql.execute("SELECT pg_notify('paird_command', $1)", &[&raw]).await.unwrap();
    web.event(second, "session.cancelled", 0).await;
    api.does(&desk.to_string(), "account.delete", json!({})).await;
    web.event(desk, "account.unlinked", 0).await;

    let actions = [
        "account.paired",
        "account.unpaired",
        "account.resumed",
        "account.duplicate_refused",
        "account.wrong_phone_refused",
        "account.cancelled",
        "account.deleted",
    ];
    let console_dsn = stage.roles().console.clone();
    stage.web = owner;
    assert_eq!(
        lines(&stage, &actions).await,
        [
            line("account.paired", "web", &web_dsn, "command"),
            line("account.unpaired", "web", &web_dsn, "command"),
            line("account.resumed", "web", &web_dsn, "command"),
            line("account.duplicate_refused", "web", &web_dsn, "command"),
            line("account.wrong_phone_refused", "web", &web_dsn, "command"),
            line("account.cancelled", "notify", &web_dsn, "notify"),
            line("account.deleted", "api", &console_dsn, "command"),
        ]
    );
    let label = "SELECT payload->>'existingLabel' FROM audit_log WHERE action = 'account.duplicate_refused'";
    assert_eq!(stage.web.sql.query_one(label, &[]).await.unwrap().get::<_, String>(0), "desk");
    // Actions that no operator asked for are the daemon's.
    let unlinked = lines(&stage, &["account.unlinked"]).await;
    assert_eq!((unlinked[0][2].as_str(), unlinked[0][3].as_str()), (login_of(&daemon_dsn), "daemon"));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consoles_doors_are_audited_and_a_flood_is_one_line() {
    let stage = Stage::under_roles().await;
    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let logins = stage.roles();
    let json_body = ("Content-Type", "application/json");
    for nth in 0..300 {
        let bearer = format!("Bearer wrong-{nth}-wrong-wrong-wrong");
        api.bare("GET", "/api/accounts", &[("Authorization", &bearer)], None).await.is(401);
    }
    api.bare("POST", "/login", &[json_body], Some(br#"{"token":"no-it-is-not-this-one"}"#.to_vec())).await.is(401);
    let right = serde_json::to_vec(&json!({"token": api.token})).unwrap();
    api.bare("POST", "/login", &[json_body], Some(right)).await.is(204);
    api.post("/api/drain", json!({})).await.is(200);
    api.ask("DELETE", "/api/drain", &[], None).await.is(200);
    let output = command(&stage).env("DATABASE_URL", &logins.daemon).args(["keys", "rotate"]).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");

    let actions = ["console.login_failed", "console.logged_in", "daemon.drained", "daemon.undrained", "keys.rotated"];
    until("the lines of the doors", || async { (lines(&stage, &actions).await.len() >= 5).then_some(()) }).await;
    assert_eq!(
        lines(&stage, &actions).await,
        [
            line("console.login_failed", "", &logins.daemon, "http"),
            line("console.logged_in", "console", &logins.daemon, "http"),
            line("daemon.drained", "api", &logins.daemon, "http"),
            line("daemon.undrained", "api", &logins.daemon, "http"),
            line("keys.rotated", "cli", &logins.daemon, "cli"),
        ]
    );
    let target = "SELECT target_id FROM audit_log WHERE action = 'daemon.drained'";
    let target: Uuid = stage.web.sql.query_one(target, &[]).await.unwrap().get(0);
    assert_eq!(stage.web.count("SELECT count(*) FROM processes WHERE id = $1", &[&target]).await, 1);
    assert_nowhere_in_the_audit(&stage, &api.token).await;
    assert_nowhere_in_the_audit(&stage, "wrong-7").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_by_hand_to_daemon_and_account_is_audited() {
    let stage = Stage::under_roles().await;
    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let (daemon_dsn, console_dsn) = (&stage.roles().daemon, &stage.roles().console);
    let desk = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    api.post("/api/sweep", json!({"dryRun": true})).await.is(200);
    api.post("/api/sweep", json!({})).await.is(200);
    api.post("/api/resync", json!({})).await.is(202);
    api.post(&format!("/api/accounts/{desk}/restart"), json!({})).await.is(202);
    api.post(&format!("/api/accounts/{}/restart", Uuid::new_v4()), json!({})).await.is(404);
    stage.web.event(desk, "session.disconnected", 0).await;
    stage.web.status_is(desk, "connected").await;
    api.does(&desk.to_string(), "account.reconnect", json!({})).await;

    let actions = ["daemon.swept", "daemon.resynced", "account.restarted", "account.reconnected"];
    until("the lines", || async { (lines(&stage, &actions).await.len() >= 4).then_some(()) }).await;
    assert_eq!(
        lines(&stage, &actions).await,
        [
            line("daemon.swept", "api", daemon_dsn, "http"),
            line("daemon.resynced", "api", daemon_dsn, "http"),
            line("account.restarted", "api", daemon_dsn, "http"),
            line("account.reconnected", "api", console_dsn, "command"),
        ]
    );
    let of_desk = "SELECT count(*) FROM audit_log WHERE target_type = 'whatsapp_account' AND target_id = $1
                   AND operator_id = (SELECT operator_id FROM whatsapp_accounts WHERE id = $1)
                   AND payload->>'label' = 'desk' AND action IN ('account.restarted', 'account.reconnected')";
    assert_eq!(stage.web.count(of_desk, &[&desk]).await, 2);
    stage.finish([daemon]).await;
}
