//! Commands that an installation runs by itself: the container's health check, and migrations.

use paird_testkit::{Stage, until};
use serde_json::json;

use super::{command, document, paird, refused, text};

#[tokio::test(flavor = "multi_thread")]
async fn health_is_the_lease_of_this_machine_and_not_the_console() {
    let mut stage = Stage::empty().await;
    let dead = paird(&stage, &["health"]).await;
    assert_eq!(dead.status.code(), Some(1));
    let said = String::from_utf8(dead.stdout).unwrap();
    assert!(said.starts_with("no daemon of ") && said.trim_end().ends_with(" holds a live lease"), "{said}");

    // A daemon on another host does not make this container healthy.
    let elsewhere = "INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, expires_at)
                     VALUES (gen_random_uuid(), 'elsewhere', 1, '0', '', 0, now() + interval '1 hour')";
    stage.web.sql.execute(elsewhere, &[]).await.unwrap();
    assert_eq!(paird(&stage, &["health"]).await.status.code(), Some(1));

    let daemon = stage.daemon(&[("PAIRD_CONSOLE_ADDR", "off"), ("PAIRD_LEASE_TTL", "5s")]).await;
    assert_eq!(text(&paird(&stage, &["health"]).await), "alive\n");
    let document = document(&stage, &["health"]).await;
    assert_eq!((&document["alive"], &document["daemons"]), (&json!(true), &json!(1)));

    // A killed daemon counts as alive until its lease has run out.
    daemon.kill().await;
    until("the end of the lease", || async {
        let dead = paird(&stage, &["health", "--json"]).await;
        let document: serde_json::Value = serde_json::from_slice(&dead.stdout).unwrap();
        assert_eq!(document["alive"], json!(dead.status.success()));
        (dead.status.code() == Some(1)).then_some(())
    })
    .await;
    stage.database.take().unwrap().stop().await;
    let (code, complaint) = refused(&stage, &["health"]).await;
    assert_eq!((code, complaint.contains("DATABASE_URL")), (10, true), "{complaint}");
    let (code, complaint) = refused(&stage, &["migrate"]).await;
    assert_eq!((code, complaint.contains("DATABASE_URL")), (10, true), "{complaint}");
    stage.finish_without_database().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liveness_probe_outlives_the_database_a_readiness_not() {
    let mut stage = Stage::empty().await;
    assert_ne!(paird(&stage, &["health", "--live"]).await.status.code(), Some(0), "there is no daemon");
    let daemon = stage.daemon(&[]).await;
    assert_eq!(text(&paird(&stage, &["health", "--live"]).await), "alive\n");
    assert_eq!(text(&paird(&stage, &["health", "--ready"]).await), "ready\n");
    assert_eq!(document(&stage, &["health", "--ready"]).await["ready"], json!(true));
    stage.database.take().unwrap().stop().await;
    assert_eq!(paird(&stage, &["health", "--live"]).await.status.code(), Some(0));
    // Readiness is at most a second old.
    let waiting = until("readiness to notice it", || async {
        let answer = paird(&stage, &["health", "--ready"]).await;
        (answer.status.code() == Some(1)).then_some(answer)
    })
    .await;
    assert!(String::from_utf8(waiting.stdout).unwrap().starts_with("not ready: "));
    daemon.kill().await;
    assert_ne!(paird(&stage, &["health", "--live"]).await.status.code(), Some(0));
    stage.finish_without_database().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_makes_the_schema_once_and_grants_roles_repeatedly() {
    let mut stage = Stage::empty().await;
    let owner = std::mem::take(&mut stage.dsn);
    stage.web.sql.batch_execute("CREATE DATABASE fresh").await.unwrap();
    stage.dsn = owner.replace("dbname=postgres", "dbname=fresh").replace("dbname=paird", "dbname=fresh");
    assert_ne!(stage.dsn, owner);
    let (fresh, connection) = tokio_postgres::connect(&stage.dsn, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);

    let version = paird::postgres::migrate::known();
    let expected = format!("the schema is at version {version}");
    assert_eq!(text(&paird(&stage, &["migrate"]).await).trim_end(), expected);
    let applied = "SELECT array_agg(applied_on ORDER BY version) FROM refinery_schema_history";
    let when: Vec<String> = fresh.query_one(applied, &[]).await.unwrap().get(0);
    assert_eq!(when.len(), usize::try_from(version).unwrap());
    let web_may = |what: &'static str| {
        let fresh = &fresh;
        async move {
            let sql = "SELECT has_table_privilege('paird_web', 'whatsapp_accounts', $1)";
            fresh.query_one(sql, &[&what]).await.map(|row| row.get::<_, bool>(0)).unwrap_or(false)
        }
    };
    assert!(!web_may("SELECT").await, "roles are made only with --roles");

    for _ in 0..2 {
        let document = document(&stage, &["migrate", "--roles"]).await;
        let granted =
            json!({"schemaVersion": version, "rolesGranted": true, "isOpenToAll": false, "isIsolated": false});
        assert_eq!(document, granted);
        assert!(web_may("SELECT").await && !web_may("DELETE").await);
    }
    let said = text(&paird(&stage, &["migrate", "--roles"]).await);
    assert_eq!(
        said.trim_end(),
        format!("{expected}; the roles paird_web, paird_daemon and paird_console have the rights they need")
    );
    let again: Vec<String> = fresh.query_one(applied, &[]).await.unwrap().get(0);
    assert_eq!(again, when, "nothing is migrated twice");

    // The daemon's role may look at the schema's version, but cannot migrate.
    fresh.batch_execute("CREATE ROLE night_daemon LOGIN IN ROLE paird_daemon").await.unwrap();
    let as_daemon = |args: &'static [&'static str]| {
        let dsn = stage.dsn.replace("user=paird", "user=night_daemon");
        command(&stage).env("DATABASE_URL", dsn).args(args).output()
    };
    assert_eq!(text(&as_daemon(&["migrate"]).await.unwrap()).trim_end(), expected);
    let refused = as_daemon(&["migrate", "--roles"]).await.unwrap();
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), complaint.contains("permission denied")), (Some(1), true), "{complaint}");

    let later = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
                 SELECT 999, 'later', max(applied_on), '0' FROM refinery_schema_history";
    fresh.batch_execute(later).await.unwrap();
    let (code, complaint) = super::refused(&stage, &["migrate"]).await;
    assert_eq!((code, complaint.contains("999")), (1, true), "{complaint}");
    drop(fresh);
    stage.dsn = owner;
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prune_counts_first_and_then_deletes_what_is_old() {
    let (stage, daemon) = Stage::with_daemon().await;
    assert!(daemon.terminate().await.success());
    let sql = &stage.web.sql;
    let account = stage.web.account("desk").await;
    let old = "INSERT INTO events (account_id, seq, kind, created_at, notified)
               SELECT $1, seq, 'session.timeout', now() - interval '31 days', true FROM generate_series(1, 3) seq";
    sql.execute(old, &[&account]).await.unwrap();
    let silent = "INSERT INTO event_consumers (consumer, account_id, updated_at) VALUES ('shop', $1, now() - interval '91 days')";
    sql.execute(silent, &[&account]).await.unwrap();
    let orphan = "INSERT INTO keyrings (id, account_id, wrapped_key, master_key, created_at)
                  VALUES (gen_random_uuid(), $1, '', 'm', now() - interval '2 hours')";
    sql.execute(orphan, &[&account]).await.unwrap();

    let would = document(&stage, &["prune", "--dry-run"]).await;
    let expected = json!({
        "dryRun": true, "events": 3, "messages": 0, "bodies": 0, "commands": 0, "accounts": 0, "contactChecks": 0, "pairingLinks": 0, "auditEntries": 0,
        "keyrings": [{"accountId": account, "label": "desk"}], "silentConsumers": ["shop"],
    });
    assert_eq!(would, expected);
    let said = text(&paird(&stage, &["prune"]).await);
    let rows: Vec<Vec<&str>> =
        said.lines().map(|line| line.split("  ").filter(|cell| !cell.is_empty()).collect()).collect();
    assert_eq!(rows[0], ["KIND", "PRUNED"], "{said}");
    assert!(said.contains("events            3") && said.contains("desk"), "{said}");
    assert_eq!(stage.web.count("SELECT count(*) FROM events", &[]).await, 0);
    assert_eq!(document(&stage, &["prune"]).await["keyrings"], json!([]));
    let (code, complaint) = {
        let output = command(&stage).arg("prune").env("PAIRD_KEEP_EVENTS", "1h").output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!((code, complaint.starts_with("paird: PAIRD_KEEP_EVENTS: ")), (Some(2), true), "{complaint}");
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_prunes_and_logs_silent_consumers() {
    let stage = Stage::empty().await;
    let account = stage.web.account("desk").await;
    for (seq, days) in [(1_i64, 10), (2, 3)] {
        let old = "INSERT INTO events (account_id, seq, kind, created_at, notified)
                   VALUES ($1, $2, 'session.timeout', now() - make_interval(days => $3), true)";
        stage.web.sql.execute(old, &[&account, &seq, &days]).await.unwrap();
    }
    let silent = "INSERT INTO event_consumers (consumer, account_id, updated_at) VALUES ('shop', $1, now() - interval '91 days')";
    stage.web.sql.execute(silent, &[&account]).await.unwrap();
    let sql = "UPDATE whatsapp_accounts SET event_seq = 2 WHERE id = $1";
    stage.web.sql.execute(sql, &[&account]).await.unwrap();
    let mut daemon = stage.daemon(&[("PAIRD_KEEP_EVENTS", "7d")]).await;
    let line = daemon.says("consumer=shop").await;
    assert!(line.contains("silent for 90 days"), "{line}");
    daemon.says("pruned events=1").await;
    assert_eq!(stage.web.count("SELECT min(seq) FROM events", &[]).await, 2);
    stage.finish([daemon]).await;
}
