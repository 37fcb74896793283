//! The audit log: what its triggers write, and that nobody can change it.

use paird::postgres::roles::{self, Isolation};
use paird_actors::{domain::Change, ports::FleetStore as _};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::support::{Database, connect, finished, update};

#[tokio::test]
async fn an_audited_proxy_shows_its_address_and_nothing_else() {
    let database = Database::new().await;
    for (proxy, shown) in [
        (Some("socks5://10.0.0.7:1080"), Some("socks5://10.0.0.7:1080")),
        (Some("HTTP://proxy.example:3128/"), Some("HTTP://proxy.example:3128/")),
        (Some("http://[2001:db8::7]:3128"), Some("http://[2001:db8::7]:3128")),
        (Some("socks5://alice:geheim@host:1"), Some("socks5://host:1")),
        (Some("socks5://alice:ge@heim/x@host:1"), Some("socks5://host:1")),
        (Some("socks5://geheim@host"), Some("socks5://host")),
        (Some("alice:geheim@host:1"), Some("what is no address of a proxy")),
        (Some("socks5://host:1?password=geheim"), Some("what is no address of a proxy")),
        (Some("socks5://host:1/geheim"), Some("what is no address of a proxy")),
        (Some("socks5://host:1#geheim"), Some("what is no address of a proxy")),
        (Some("socks5://host:geheim"), Some("what is no address of a proxy")),
        (Some("socks5://geheim host"), Some("what is no address of a proxy")),
        (Some("geheim"), Some("what is no address of a proxy")),
        (Some(""), Some("what is no address of a proxy")),
        (None, None),
    ] {
        let said: Option<String> = database.one("SELECT proxy_without_login($1)", &[&proxy]).await;
        assert_eq!(said.as_deref(), shown, "{proxy:?}");
    }
}

/// Those that lead to no line of their own, when they were done.
#[tokio::test]
async fn commands_that_were_done_are_audited_once() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "desk").await;
    for (kind, outcome) in [
        ("account.passkey", Ok("done")),
        ("account.cancel", Ok("done")),
        ("account.resume", Ok("done")),
        ("account.reconnect", Ok("done")),
        ("account.pair", Ok("done")),
        ("account.cancel", Err("nothing to cancel")),
    ] {
        let sql = r#"INSERT INTO commands (kind, account_id, args, source) VALUES ($1, $2, '{"response":"geheim"}', 'shop')
                     RETURNING id"#;
        let command: i64 = database.one(sql, &[&kind, &record.id.0]).await;
        daemon.store.take_commands().await.unwrap();
        // The second write finds the command ended.
        for _ in 0..2 {
            let change = Change { finished: vec![finished(command, outcome)], ..Change::default() };
            daemon.write(update(&record, change)).await.unwrap();
        }
    }
    let sql = "SELECT concat_ws(' ', action, source, sent_by, channel, payload::text) FROM audit_log
               WHERE channel = 'command' ORDER BY id";
    let lines: Vec<String> = database.web.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let wanted = ["passkey_answered", "cancelled", "resumed", "reconnected"]
        .map(|what| format!(r#"account.{what} shop paird command {{"label": "desk"}}"#));
    assert_eq!(lines, wanted);
}

/// Nor can the owner of the tables, without first dropping the triggers.
#[tokio::test]
async fn audit_writers_cannot_change_the_log() {
    let database = Database::new().await;
    roles::grant(&database.dsn, Isolation::AsItIs).await.unwrap();
    database.account(Uuid::new_v4(), "desk").await;
    let daemon = "CREATE ROLE of_daemon LOGIN IN ROLE paird_daemon; CREATE ROLE of_web LOGIN IN ROLE paird_web;
                  CREATE ROLE of_console LOGIN IN ROLE paird_console";
    database.web.batch_execute(daemon).await.unwrap();
    let changes = [
        "UPDATE audit_log SET action = 'x'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "SET paird.pruning_audit = 'on'; DELETE FROM audit_log",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_log_is_append_only ON audit_log",
    ];
    for login in ["of_daemon", "of_web", "of_console"] {
        let client = connect(&database.text.replace("user=paird", &format!("user={login}"))).await;
        for sql in changes {
            let wrong = client.batch_execute(sql).await.expect_err(sql);
            assert_eq!(wrong.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{login}: {sql}: {wrong:?}");
        }
        let may_append = login == "of_daemon";
        let forged = "INSERT INTO audit_log (source, action, target_type) VALUES ('x', 'x', 'x')";
        assert_eq!(client.batch_execute(forged).await.is_ok(), may_append, "{login}");
    }
    for sql in &changes[..4] {
        let wrong = database.web.batch_execute(sql).await.expect_err(sql);
        assert!(wrong.as_db_error().unwrap().message().contains("append-only"), "{sql}: {wrong:?}");
    }
    // Postgres names the login that appended a line; the login cannot choose another name.
    let signed = "SELECT sent_by FROM audit_log WHERE action = 'x'";
    assert_eq!(database.one::<String>(signed, &[]).await, "of_daemon");
}
