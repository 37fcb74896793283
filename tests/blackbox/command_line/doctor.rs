//! `paird doctor`: each trouble is found and comes with what to do about it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use paird_testkit::Stage;
use serde_json::Value;

use super::{command, paird};

const NUMBER: &str = "436607000004";

/// The findings, and the exit code.
async fn findings(stage: &Stage) -> (Vec<Value>, i32) {
    let output = paird(stage, &["doctor", "--json"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"));
    (report["findings"].as_array().unwrap().clone(), output.status.code().unwrap())
}

/// The finding of one check that failed. Each such finding says what to do.
fn trouble(findings: &[Value], check: &str, level: &str) -> String {
    let found = findings.iter().find(|one| one["check"] == check && one["level"] == level);
    let found = found.unwrap_or_else(|| panic!("no {level} of {check} in {findings:#?}"));
    assert!(found["advice"].as_str().is_some_and(|advice| advice.len() > 5), "{found}");
    found["found"].as_str().unwrap().to_owned()
}

fn worst_of<'a>(findings: &'a [Value], check: &str) -> Vec<&'a str> {
    findings.iter().filter(|one| one["check"] == check).map(|one| one["level"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_nothing_broken_in_a_healthy_daemon() {
    let (stage, daemon) = Stage::with_daemon().await;
    stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    let (found, code) = findings(&stage).await;
    assert_eq!(code, 0, "{found:#?}");
    for check in [
        "database",
        "privileges",
        "schema",
        "clock",
        "master key",
        "key file",
        "daemons",
        "leases",
        "accounts",
        "orphans",
    ] {
        assert_eq!(worst_of(&found, check), ["ok"], "{check}: {found:#?}");
    }
    // The same as text. WhatsApp's address is not set here, so there is a warning.
    let told = String::from_utf8(paird(&stage, &["doctor"]).await.stdout).unwrap();
    assert!(told.contains("  ok  master key") && told.contains("WARN  whatsapp"), "{told}");
    let url = stage.whatsapp_url();
    let output = command(&stage).arg("doctor").env("PAIRD_WHATSAPP_URL", url).output().await.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("  ok  whatsapp    the sandbox answers"), "{told}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_the_remedy_for_a_fleet_in_trouble() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let desk = web.connect_account("desk", NUMBER, &stage.phones).await;
    assert!(daemon.terminate().await.success());
    let sql = "UPDATE whatsapp_accounts SET status = 'held', status_reason = 'replaced' WHERE id = $1";
    web.sql.execute(sql, &[&desk]).await.unwrap();
    let orphan = "INSERT INTO keyrings (id, account_id, wrapped_key, master_key)
                  SELECT gen_random_uuid(), account_id, wrapped_key, master_key FROM keyrings";
    web.sql.execute(orphan, &[]).await.unwrap();
    let old = "UPDATE events SET notified = false, created_at = created_at - interval '1 hour'";
    web.sql.execute(old, &[]).await.unwrap();
    let queued =
        "INSERT INTO commands (kind, account_id, created_at) VALUES ('account.resume', $1, now() - interval '1 hour')";
    web.sql.execute(queued, &[&desk]).await.unwrap();
    let silent = "INSERT INTO event_consumers (consumer, account_id, updated_at) VALUES ('shop', $1, now() - interval '91 days')";
    web.sql.execute(silent, &[&desk]).await.unwrap();
    let key = stage.dir.join("daemon/master.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();

    let (found, code) = findings(&stage).await;
    assert_eq!(code, 1);
    trouble(&found, "key file", "fail");
    assert!(
        trouble(&found, "master key", "fail").contains("chmod 600"),
        "a key file with open permissions is not used"
    );
    assert!(trouble(&found, "daemons", "fail").contains("none runs"));
    assert!(trouble(&found, "orphans", "warn").contains("1 keyrings"));
    assert!(trouble(&found, "events", "warn").contains("not sent"));
    assert!(trouble(&found, "commands", "warn").contains("1 wait"));
    assert!(trouble(&found, "consumers", "warn").contains("shop: silent since"));
    let held = found.iter().find(|one| one["found"] == "desk: held, replaced").unwrap();
    assert!(held["advice"].as_str().unwrap().contains("another program"), "{held}");

    // A keyring was copied to another row above; its key is bound to its own row.
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(trouble(&findings(&stage).await.0, "master key", "fail").contains("1 keyrings do not open"));
    fs::write(&key, format!("paird-master-key-v1 {}=\n", "A".repeat(43))).unwrap();
    assert!(trouble(&findings(&stage).await.0, "master key", "fail").contains("does not hold"));
    fs::remove_file(&key).unwrap();
    assert!(trouble(&findings(&stage).await.0, "master key", "fail").contains("is not there"));
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_or_foreign_database_is_a_finding_not_an_end() {
    let mut stage = Stage::empty().await;
    stage
        .web
        .sql
        .batch_execute("CREATE ROLE guest LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
        .await
        .unwrap();
    let ours = stage.dsn.clone();
    stage.dsn = ours.replace("user=paird", "user=guest").replace("//paird@", "//guest@");
    assert_ne!(stage.dsn, ours);
    let (found, code) = findings(&stage).await;
    assert_eq!(code, 1);
    let lacks = trouble(&found, "privileges", "fail");
    assert!(lacks.contains("INSERT on commands") && !lacks.contains("UPDATE on audit_log"), "{lacks}");

    stage.dsn = ours;
    stage.web.sql.batch_execute("UPDATE refinery_schema_history SET version = 999 WHERE version = (SELECT max(version) FROM refinery_schema_history)").await.unwrap();
    assert!(trouble(&findings(&stage).await.0, "schema", "fail").contains("version 999"));

    stage.database.take().unwrap().stop().await;
    let (found, code) = findings(&stage).await;
    assert_eq!(code, 1);
    trouble(&found, "database", "fail");
    assert!(found.iter().any(|one| one["check"] == "console"), "the other checks still run");
    stage.finish_without_database().await;
}
