//! Pairing links: what is stored of them, when they end, and what may be done through one.

use std::time::Duration;

use paird::postgres::prune::{Keep, once};
use paird::postgres::roles::{self, Isolation};
use paird_actors::domain::{AccountId, AuditAction, AuditEntry, Change};
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::support::{Daemon, Database, connect, update};

const DAY: Duration = Duration::from_secs(24 * 3600);

struct Link {
    id: Uuid,
    token: String,
}

impl Database {
    async fn link(&self, account: AccountId) -> Link {
        self.link_by("create_pairing_link($1)", account).await
    }

    async fn link_by(&self, call: &str, account: AccountId) -> Link {
        let row = self.web.query_one(&format!("SELECT id, token FROM {call}"), &[&account.0]).await.unwrap();
        Link { id: row.get(0), token: row.get(1) }
    }

    /// What whoever has the token is shown; `None`: nothing.
    async fn view(&self, token: &str) -> Option<Value> {
        let sql = "SELECT to_jsonb(v) FROM view_pairing_link(sha256($1::text::bytea)) v";
        self.web.query_opt(sql, &[&token]).await.unwrap().map(|row| row.get(0))
    }

    async fn pair_by(&self, token: &str, phone: Option<&str>) -> String {
        self.one("SELECT pair_by_link(sha256($1::text::bytea), $2)", &[&token, &phone]).await
    }

    async fn revoke(&self, link: Uuid) -> bool {
        self.one("SELECT revoke_pairing_link($1)", &[&link]).await
    }

    async fn set(&self, account: AccountId, columns: &str) {
        let sql = format!("UPDATE whatsapp_accounts SET {columns} WHERE id = $1");
        self.web.execute(&sql, &[&account.0]).await.unwrap();
    }

    /// What the audit log says of links: action, source, channel.
    async fn links_in_audit(&self) -> Vec<String> {
        let sql = "SELECT concat_ws(' ', replace(action, 'account.pairing_link_', ''), source, channel) FROM audit_log
                   WHERE action LIKE 'account.pairing\\_link%' ORDER BY id";
        self.web.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    async fn refusal(&self, call: &str, account: Uuid) -> String {
        let wrong = self.web.query(&format!("SELECT {call}"), &[&account]).await.expect_err(call);
        assert_eq!(wrong.code(), Some(&SqlState::INVALID_PARAMETER_VALUE), "{call}: {wrong:?}");
        wrong.as_db_error().unwrap().message().to_owned()
    }

    /// As the machine writes it once a phone is linked.
    async fn paired(&self, daemon: &Daemon, account: AccountId) {
        let record = daemon.record(account).await;
        let entry = AuditEntry {
            source: "pairing_link".to_owned(),
            action: AuditAction::Paired,
            raw: None,
            payload: json!({}),
        };
        daemon.write(update(&record, Change { audit: vec![entry], ..Change::default() })).await.unwrap();
    }
}

#[tokio::test]
async fn only_the_hash_of_a_links_token_is_stored() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    let (link, other) = (database.link(account).await, database.link(account).await);
    database.view(&link.token).await.unwrap();
    database.pair_by(&link.token, None).await;
    database.revoke(link.id).await;
    for Link { token, .. } in [&link, &other] {
        let is_plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        assert!(token.len() == 43 && is_plain, "256 bits in 43 characters: {token}");
    }
    assert_ne!(link.token, other.token);
    let hashed = "SELECT count(*) FROM pairing_links WHERE token_hash = sha256($1::text::bytea) AND id = $2";
    assert_eq!(database.one::<i64>(hashed, &[&link.token, &link.id]).await, 1);
    let tables = "SELECT c.oid::regclass::text FROM pg_class c
                  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'";
    let tables = database.web.query(tables, &[]).await.unwrap();
    assert!(tables.len() > 15);
    let hex: String = link.token.bytes().map(|byte| format!("{byte:02x}")).collect();
    for table in tables.iter().map(|row| row.get::<_, String>(0)) {
        let sql = format!(
            "SELECT count(*) FROM {table} t WHERE t::text LIKE '%' || $1 || '%' OR t::text LIKE '%' || $2 || '%'"
        );
        assert_eq!(database.one::<i64>(&sql, &[&link.token, &hex]).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_link_shows_its_account_until_it_ends() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    let qr = "last_qr_png = 'png', qr_expires_at = now() + interval '1 min', status = 'pending', pair_code = 'ABCD'";
    database.set(account, qr).await;
    let link = database.link(account).await;
    let seen = database.view(&link.token).await.unwrap();
    assert_eq!((&seen["label"], &seen["qr_png"], &seen["pair_code"]), (&json!("desk"), &json!("png"), &json!("ABCD")));
    assert_eq!(database.view("another").await, None);
    // A picture that is over is not shown.
    database.set(account, "qr_expires_at = now() - interval '1 s'").await;
    assert_eq!(database.view(&link.token).await.unwrap()["qr_png"], Value::Null);
    database.set(account, qr).await;

    let end = |columns: &str| format!("UPDATE pairing_links SET {columns} WHERE id = $1");
    for (ends, again) in [
        ("expires_at = clock_timestamp()", "expires_at = clock_timestamp() + interval '1 day'"),
        ("uses_left = 0", "uses_left = 1"),
        ("revoked_at = now()", "revoked_at = NULL"),
    ] {
        database.web.execute(&end(ends), &[&link.id]).await.unwrap();
        assert_eq!(database.view(&link.token).await, None, "{ends}");
        assert_eq!(database.pair_by(&link.token, None).await, "gone", "{ends}");
        assert!(!database.revoke(link.id).await, "{ends}");
        database.web.execute(&end(again), &[&link.id]).await.unwrap();
        assert!(database.view(&link.token).await.is_some(), "{again}");
    }
    // Used up a moment ago: that it is linked, and nothing of what follows.
    database.web.execute(&end("uses_left = 0, last_used_at = now()"), &[&link.id]).await.unwrap();
    let seen = database.view(&link.token).await.unwrap();
    assert_eq!((&seen["is_live"], &seen["qr_png"], &seen["pair_code"]), (&json!(false), &Value::Null, &Value::Null));
    database.web.execute(&end("last_used_at = now() - interval '11 min'"), &[&link.id]).await.unwrap();
    assert_eq!(database.view(&link.token).await, None);

    let link = database.link(account).await;
    database.set(account, "status = 'unpaired', desired = 'deleted', deleted_at = now()").await;
    assert_eq!(database.view(&link.token).await, None);
    assert_eq!(database.count("SELECT count(*) FROM pairing_links").await, 0, "they go with their account");
}

#[tokio::test]
async fn a_phone_that_was_linked_is_a_use_of_every_live_link() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let (account, other) =
        (database.account(Uuid::new_v4(), "desk").await, database.account(Uuid::new_v4(), "x").await);
    let once = database.link(account).await;
    let twice = database.link_by("create_pairing_link($1, uses => 2)", account).await;
    let revoked = database.link(account).await;
    let elsewhere = database.link(other).await;
    assert!(database.revoke(revoked.id).await);
    let left = "SELECT uses_left FROM pairing_links WHERE id = $1";
    for wanted in [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]] {
        database.paired(&daemon, account).await;
        let mut found = Vec::new();
        for link in [&once, &twice, &revoked, &elsewhere] {
            found.push(database.one::<i32>(left, &[&link.id]).await);
        }
        assert_eq!(found, wanted);
    }
    let used: Vec<_> = database.links_in_audit().await.into_iter().filter(|line| line.starts_with("used")).collect();
    assert_eq!(used, ["used pairing_link row"; 3]);
}

#[tokio::test]
async fn an_attempt_by_a_link_is_one_command_with_its_limits() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    let link = database.link_by("create_pairing_link($1, expect_phone => '+43 (0)660 1234567')", account).await;
    assert_eq!(database.pair_by(&link.token, None).await, "no_daemon");
    let daemon = database.daemon().await;
    assert_eq!(database.pair_by(&link.token, Some("436609999999")).await, "other_phone");
    for _ in 0..3 {
        assert_eq!(database.pair_by(&link.token, Some("436601234567")).await, "asked");
    }
    let sql = "SELECT json_agg(json_build_array(kind, source, args)) FROM commands";
    let args = json!({"method": "code", "phone": "436601234567", "expectPhone": "436601234567"});
    assert_eq!(database.one::<Value>(sql, &[]).await, json!([["account.pair", "pairing_link", args]]));
    database.web.execute("UPDATE commands SET state = 'done', done_at = now()", &[]).await.unwrap();
    assert_eq!(database.pair_by(&link.token, None).await, "asked");
    let sql = "SELECT args FROM commands ORDER BY id DESC LIMIT 1";
    assert_eq!(database.one::<Value>(sql, &[]).await, json!({"method": "qr", "expectPhone": "436601234567"}));

    for status in ["connected", "reconnecting", "held"] {
        database.set(account, &format!("status = '{status}'")).await;
        assert_eq!(database.pair_by(&link.token, None).await, "linked", "{status}");
    }
    database.set(account, "status = 'unpaired'").await;
    database.web.execute("UPDATE processes SET draining = true", &[]).await.unwrap();
    database.web.execute("UPDATE commands SET state = 'done', done_at = now()", &[]).await.unwrap();
    assert_eq!(database.pair_by(&link.token, None).await, "no_daemon");
    drop(daemon);
}

#[tokio::test]
async fn revoking_a_link_ends_the_attempt_that_it_began() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    let (link, idle) = (database.link(account).await, database.link(account).await);
    let cancels = "SELECT count(*) FROM commands WHERE kind = 'account.cancel'";
    assert_eq!(database.pair_by(&link.token, None).await, "asked");
    assert!(database.revoke(idle.id).await);
    assert_eq!(database.count(cancels).await, 0, "another link's");
    assert!(database.revoke(link.id).await);
    assert!(!database.revoke(link.id).await);
    assert_eq!(database.count(cancels).await, 1, "before it has begun");

    database.web.execute("UPDATE commands SET state = 'done', started_at = now(), done_at = now()", &[]).await.unwrap();
    let link = database.link(account).await;
    assert_eq!(database.pair_by(&link.token, None).await, "asked");
    database.web.execute("UPDATE commands SET state = 'done', started_at = now(), done_at = now()", &[]).await.unwrap();
    database.set(account, "status = 'pending', pair_deadline = now() + interval '5 min'").await;
    assert!(database.revoke(link.id).await);
    assert_eq!(database.count(cancels).await, 2, "while it runs");

    // Somebody else's attempt took its place.
    let link = database.link(account).await;
    assert_eq!(database.pair_by(&link.token, None).await, "asked");
    database.send("account.pair", account).await;
    assert!(database.revoke(link.id).await);
    assert_eq!(database.count(cancels).await, 2);
    drop(daemon);
}

#[tokio::test]
async fn a_link_can_end_with_the_attempt_that_is_running() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    let call = "create_pairing_link($1, NULL)";
    assert!(database.refusal(call, account.0).await.starts_with("expires_in: no attempt is running"));
    let pair = database.send("account.pair", account).await;
    database.web.execute("UPDATE commands SET state = 'done', started_at = now(), done_at = now()", &[]).await.unwrap();
    let running = "status = 'pending', expect_phone = '436601234567', pair_deadline = now() + interval '3 min'";
    database.set(account, running).await;
    let link = database.link_by(call, account).await;
    let sql = "SELECT l.expires_at = a.pair_deadline AND l.expect_phone = a.expect_phone AND l.attempt = $2
               FROM pairing_links l JOIN whatsapp_accounts a ON a.id = l.account_id WHERE l.id = $1";
    assert!(database.one::<bool>(sql, &[&link.id, &pair]).await);
    database.set(account, "pair_deadline = now() - interval '1 s'").await;
    database.refusal(call, account.0).await;
}

#[tokio::test]
async fn a_wrong_link_is_refused_and_the_field_named() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    for (args, words) in [
        (", uses => 0", "uses: must be 1 to 100"),
        (", uses => 101", "uses: must be 1 to 100"),
        (", uses => NULL", "uses: must be 1 to 100"),
        (", '59 s'", "expires_in: must be 1 minute to 90 days"),
        (", '91 days'", "expires_in: must be 1 minute to 90 days"),
        (", '-1 day'", "expires_in: must be 1 minute to 90 days"),
        (", expect_phone => '0660 1234567'", "expect_phone: must be a phone number with its country code"),
        (", expect_phone => '1@lid'", "expect_phone: must be a phone number with its country code"),
        (
            ", expect_phone => '436601234567@s.whatsapp.net'",
            "expect_phone: must be a phone number with its country code",
        ),
    ] {
        assert_eq!(database.refusal(&format!("create_pairing_link($1{args})"), account.0).await, words, "{args}");
    }
    let nobody = database.refusal("create_pairing_link($1)", Uuid::new_v4()).await;
    assert_eq!(nobody, "account: there is no such account");
    for _ in 0..20 {
        database.link(account).await;
    }
    let wrong = database.web.query("SELECT create_pairing_link($1)", &[&account.0]).await.unwrap_err();
    assert_eq!(wrong.code(), Some(&SqlState::CONFIGURATION_LIMIT_EXCEEDED), "{wrong:?}");
    database
        .web
        .execute("UPDATE pairing_links SET uses_left = 0 WHERE id = (SELECT id FROM pairing_links LIMIT 1)", &[])
        .await
        .unwrap();
    database.link(account).await;
}

#[tokio::test]
async fn what_happens_to_a_link_is_audited_once() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    let link = database.link_by("create_pairing_link($1, source => 'shop')", account).await;
    for _ in 0..3 {
        database.view(&link.token).await.unwrap();
    }
    database.view("wrong").await;
    database.revoke(link.id).await;
    database.revoke(link.id).await;
    let lines = database.links_in_audit().await;
    assert_eq!(lines, ["made shop row", "opened pairing_link http", "revoked web row"]);
    let sql = "SELECT count(*) FROM audit_log WHERE target_id = $1 AND sent_by = 'paird' AND payload->>'label' = 'desk'
               AND payload->>'link' = $2 AND operator_id IS NOT NULL";
    assert_eq!(database.one::<i64>(sql, &[&account.0, &link.id.to_string()]).await, 3);
}

#[tokio::test]
async fn old_links_are_pruned_and_live_ones_are_not() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    for days in ["-8 days", "-7.1 days", "-6.9 days", "1 day"] {
        let link = database.link(account).await;
        let sql = "UPDATE pairing_links SET expires_at = now() + $2::text::interval WHERE id = $1";
        database.web.execute(sql, &[&link.id, &days]).await.unwrap();
    }
    let pool = database.dsn.pool().unwrap();
    let keep = Keep { events: 30 * DAY, bodies: 7 * DAY, commands: 30 * DAY, audit: None };
    assert_eq!(once(&pool, keep, true).await.unwrap().pairing_links, 2);
    assert_eq!(database.count("SELECT count(*) FROM pairing_links").await, 4);
    assert_eq!(once(&pool, keep, false).await.unwrap().pairing_links, 2);
    assert_eq!(database.count("SELECT count(*) FROM pairing_links").await, 2);
}

#[tokio::test]
async fn a_web_app_makes_links_and_only_the_console_opens_them() {
    let database = Database::new().await;
    roles::grant(&database.dsn, Isolation::AsItIs).await.unwrap();
    let account = database.account(Uuid::new_v4(), "desk").await;
    let logins = "CREATE ROLE of_web LOGIN IN ROLE paird_web; CREATE ROLE of_console LOGIN IN ROLE paird_console;
                  CREATE ROLE of_daemon LOGIN IN ROLE paird_daemon";
    database.web.batch_execute(logins).await.unwrap();
    let login = async |name: &str| connect(&database.text.replace("user=paird", &format!("user={name}"))).await;
    let (web, console, daemon) = (login("of_web").await, login("of_console").await, login("of_daemon").await);
    let made = web.query_one("SELECT id, token FROM create_pairing_link($1)", &[&account.0]).await.unwrap();
    let (id, token): (Uuid, String) = (made.get(0), made.get(1));
    let signed = "SELECT count(*) FROM pairing_links l JOIN audit_log a ON a.payload->>'link' = l.id::text
                  WHERE l.sent_by = 'of_web' AND a.sent_by = 'of_web'";
    assert_eq!(database.count(signed).await, 1);
    let (view, pair) = (
        "SELECT label FROM view_pairing_link(sha256($1::text::bytea))",
        "SELECT pair_by_link(sha256($1::text::bytea), NULL)",
    );
    for sql in [view, pair] {
        for client in [&web, &daemon] {
            let wrong = client.query(sql, &[&token]).await.expect_err(sql);
            assert_eq!(wrong.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {wrong:?}");
        }
        assert_eq!(console.query(sql, &[&token]).await.unwrap().len(), 1, "{sql}");
    }
    for sql in [
        "SELECT token_hash FROM pairing_links",
        "UPDATE pairing_links SET uses_left = 9",
        "DELETE FROM pairing_links",
        "INSERT INTO pairing_links (account_id) VALUES (gen_random_uuid())",
    ] {
        for client in [&web, &console, &daemon] {
            let wrong = client.batch_execute(sql).await.expect_err(sql);
            assert_eq!(wrong.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {wrong:?}");
        }
    }
    assert!(web.query_one("SELECT revoke_pairing_link($1)", &[&id]).await.unwrap().get::<_, bool>(0));
}
