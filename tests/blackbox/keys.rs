//! .deploy/README.md, "Key rotation", from outside: the master key is replaced under a
//! running daemon, and a deletion leaves nothing to open.

use std::path::Path;
use std::process::Stdio;

use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, until};
use serde_json::json;
use tokio::process::{Child, Command};
use tokio_postgres::{Client, NoTls};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_rotation_under_connected_accounts_can_be_completed() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let mut accounts = Vec::new();
    for number in ["436601000001", "436601000002", "436601000003", "436601000004"] {
        accounts.push((web.connect_account(&format!("shop {}", &number[9..]), number, &stage.phones).await, number));
    }
    let key_file = stage.dir.join("daemon/master.key");
    let old = std::fs::read_to_string(&key_file).unwrap();
    let old_id: String = web.sql.query_one("SELECT DISTINCT master_key FROM keyrings", &[]).await.unwrap().get(0);

    let barrier = Barrier::before_the_last(&stage, 1, &old_id).await;
    let mut rotation = keys(&stage, &["rotate", "--batch", "1"]).spawn().unwrap();
    let sealed_with_old = "SELECT count(*) FROM keyrings WHERE master_key = $1";
    until("three of four re-wrapped", || async { (web.count(sealed_with_old, &[&old_id]).await == 1).then_some(()) })
        .await;
    rotation.kill().await.unwrap();
    assert_eq!(std::fs::read_to_string(&key_file).unwrap().lines().count(), 2);
    let (code, status) = finished(keys(&stage, &["status", "--json"]).spawn().unwrap()).await;
    assert_eq!(code, Some(0));
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["rotating"], true);
    let counts: Vec<_> = status["keys"].as_array().unwrap().iter().map(|key| key["keyrings"].clone()).collect();
    assert_eq!(counts, [json!(3), json!(1)]);

    // In the middle of the rotation all accounts can reconnect, and a new one can pair.
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    accounts.push((web.connect_account("fifth", "436601000005", &stage.phones).await, "436601000005"));
    everybody_is_back(&stage, &accounts).await;
    assert_eq!(web.count(sealed_with_old, &[&old_id]).await, 1, "the fifth is sealed with the new key");

    barrier.open().await;
    let (code, said) = finished(keys(&stage, &["rotate"]).spawn().unwrap()).await;
    assert_eq!(code, Some(0));
    // The number of keyrings left is not asserted: Postgres may have finished the statement of the killed rotation.
    assert!(said.contains("continued a rotation") && said.contains("holds only key"), "{said}");
    assert_eq!(web.count(sealed_with_old, &[&old_id]).await, 0);
    let new = std::fs::read_to_string(&key_file).unwrap();
    assert_eq!(new.lines().count(), 1);
    assert_ne!(new, old);

    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    everybody_is_back(&stage, &accounts).await;
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    everybody_is_back(&stage, &accounts).await;
    assert_eq!(stage.phones.report().await.links_made, 5, "no account was linked again");
    let said_old = daemon.log().contains(old.split_whitespace().nth(1).unwrap());
    assert!(!said_old, "the old key is in the log");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_account_leaves_no_key_in_any_table() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let kept = web.connect_account("kept", "436601000001", &stage.phones).await;
    let gone = web.connect_account("gone", "436601000002", &stage.phones).await;
    let wrapped = "SELECT encode(wrapped_key, 'hex') FROM keyrings WHERE account_id = $1";
    let wrapped: String = web.sql.query_one(wrapped, &[&gone]).await.unwrap().get(0);
    let rows = "SELECT count(*) FROM credentials WHERE account_id = $1";
    assert!(web.count(rows, &[&gone]).await > 0);
    assert_eq!(tables_with(&stage, &wrapped).await, ["keyrings"]);

    web.does("account.delete", gone, json!({})).await;
    stage.phones.devices_are("436601000002", 0).await;
    until("the keys are shredded", || async {
        (web.count("SELECT count(*) FROM keyrings WHERE account_id = $1", &[&gone]).await == 0).then_some(())
    })
    .await;
    assert_eq!(web.count(rows, &[&gone]).await, 0);
    assert_eq!(tables_with(&stage, &wrapped).await, [""; 0]);
    assert_eq!(web.status(kept).await, "connected");
    assert!(web.count(rows, &[&kept]).await > 0);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_rotate_without_making_a_keyring_unreadable() {
    let stage = Stage::empty().await;
    let web = &stage.web;
    let here = stage.dir.join("daemon/master.key");
    let there = stage.dir.join("elsewhere/master.key");
    let elsewhere = there.parent().unwrap().display().to_string();
    let daemon = stage.daemon(&[]).await;
    copy_key(&here, &there);
    let old = std::fs::read_to_string(&here).unwrap();
    let other = stage.daemon(&[("PAIRD_DATA_DIR", elsewhere.as_str())]).await;
    let mut accounts = Vec::new();
    for number in ["436601000001", "436601000002", "436601000003", "436601000004"] {
        accounts.push((web.connect_account(&format!("shop {}", &number[9..]), number, &stage.phones).await, number));
    }
    // Daemons do not balance so few accounts, so the owners are set by hand.
    let shared = "UPDATE whatsapp_accounts a SET fence = fence + 1, owner = p.id
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM processes) AS p
        WHERE p.nth = CASE WHEN a.label IN ('shop 001', 'shop 002') THEN 1 ELSE 2 END AND p.id <> a.owner";
    web.sql.batch_execute(shared).await.unwrap();
    web.sql.batch_execute("NOTIFY paird_command, 'resync'").await.unwrap();
    until("accounts on both", || async {
        let sql = "SELECT count(DISTINCT owner) FROM whatsapp_accounts WHERE status = 'connected'";
        (web.count(sql, &[]).await == 2).then_some(())
    })
    .await;

    let (code, _) = finished(keys(&stage, &["rotate", "--prepare"]).spawn().unwrap()).await;
    assert_eq!(code, Some(0));
    // `prepare` seals nothing with the new key yet.
    assert_eq!(web.count("SELECT count(DISTINCT master_key) FROM keyrings", &[]).await, 1);
    everything_opens(&stage, &accounts, &[&here, &there]).await;
    copy_key(&here, &there);
    let old_id: String = web.sql.query_one("SELECT DISTINCT master_key FROM keyrings", &[]).await.unwrap().get(0);
    for at in 0..4 {
        // Each rotation is killed at another keyring.
        let barrier = Barrier::before_the_last(&stage, 4 - at, &old_id).await;
        let mut rotation = keys(&stage, &["rotate", "--batch", "1"]).spawn().unwrap();
        until("the rotation at the barrier", || async { (barrier.waiting(&stage).await > 0).then_some(()) }).await;
        rotation.kill().await.unwrap();
        everything_opens(&stage, &accounts, &[&here, &there]).await;
        barrier.open().await;
        until("the killed one's statement is over", || async { (barrier.waiting(&stage).await == 0).then_some(()) })
            .await;
    }
    let number = "436601000005";
    accounts.push((web.connect_account("fifth", number, &stage.phones).await, number));
    let (code, said) = finished(keys(&stage, &["rotate"]).spawn().unwrap()).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(web.count("SELECT count(DISTINCT master_key) FROM keyrings", &[]).await, 1);
    assert_eq!(std::fs::read_to_string(&here).unwrap().lines().count(), 1);
    everything_opens(&stage, &accounts, &[&here, &there]).await;

    copy_key(&here, &there);
    assert!(!std::fs::read_to_string(&there).unwrap().contains(old.trim()));
    assert!(other.terminate().await.success());
    let other = stage.daemon(&[("PAIRD_DATA_DIR", elsewhere.as_str())]).await;
    everything_opens(&stage, &accounts, &[&here, &there]).await;
    assert_eq!(stage.phones.report().await.links_made, 5, "no account was linked again");
    stage.finish([daemon, other]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_keys_are_named_by_label_and_keep_the_old_key() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let bad = web.connect_account("front desk", "436601000001", &stage.phones).await;
    let good = web.connect_account("shop", "436601000002", &stage.phones).await;
    let key_file = stage.dir.join("daemon/master.key");
    assert_eq!(finished(keys(&stage, &["status"]).spawn().unwrap()).await.0, Some(0));
    let spoil = "UPDATE keyrings SET wrapped_key = set_byte(wrapped_key, 40, get_byte(wrapped_key, 40) # 1)
        WHERE account_id = $1";
    web.sql.execute(spoil, &[&bad]).await.unwrap();

    let (code, said) = finished_with_errors(keys(&stage, &["status"])).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("the keys of \"front desk\"") && said.contains("do not open"), "{said}");
    assert!(!said.contains("\"shop\""), "{said}");
    let (code, status) = finished(keys(&stage, &["status", "--json"]).spawn().unwrap()).await;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!((code, &status["unopenable"][0]["label"]), (Some(1), &json!("front desk")));

    let (code, said) = finished_with_errors(keys(&stage, &["rotate"])).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("the keys of \"front desk\" do not open") && said.contains("the old one stays"), "{said}");
    assert_eq!(std::fs::read_to_string(&key_file).unwrap().lines().count(), 2);
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    web.status_is(bad, "held").await;
    everybody_is_back(&stage, &[(good, "436601000002")]).await;

    web.sql.execute(spoil, &[&bad]).await.unwrap();
    web.does("account.resume", bad, json!({})).await;
    everybody_is_back(&stage, &[(bad, "436601000001"), (good, "436601000002")]).await;
    let (code, _) = finished(keys(&stage, &["rotate"]).spawn().unwrap()).await;
    assert_eq!(code, Some(0));
    assert_eq!(std::fs::read_to_string(&key_file).unwrap().lines().count(), 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_rotation_says_so_and_continues_when_run_again() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let mut accounts = Vec::new();
    for number in ["436601000001", "436601000002", "436601000003"] {
        accounts.push((web.connect_account(&format!("shop {}", &number[9..]), number, &stage.phones).await, number));
    }
    let key_file = stage.dir.join("daemon/master.key");
    let last: uuid::Uuid =
        web.sql.query_one("SELECT id FROM keyrings ORDER BY id DESC LIMIT 1", &[]).await.unwrap().get(0);
    let fail = format!(
        "CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'injected'; END $$;
         CREATE TRIGGER struck BEFORE UPDATE OF wrapped_key ON keyrings FOR EACH ROW WHEN (NEW.id = '{last}') EXECUTE FUNCTION strike()"
    );
    web.sql.batch_execute(&fail).await.unwrap();
    // The last of a batch of three fails, so none of the batch is resealed.
    let (code, said) = finished_with_errors(keys(&stage, &["rotate", "--batch", "3"])).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("database: injected") && said.trim().lines().count() == 1, "{said}");
    assert_eq!(web.count("SELECT count(DISTINCT master_key) FROM keyrings", &[]).await, 1);
    everything_opens(&stage, &accounts, &[&key_file]).await;
    web.sql.batch_execute("DROP TRIGGER struck ON keyrings").await.unwrap();
    let (code, said) = finished(keys(&stage, &["rotate"]).spawn().unwrap()).await;
    assert_eq!(code, Some(0));
    assert!(said.contains("3 keyrings"), "{said}");
    everything_opens(&stage, &accounts, &[&key_file]).await;
    stage.finish([daemon]).await;
}

/// Stops a rotation when so many keyrings are left under the old master key. A row lock would also
/// stop the opening of keyrings.
struct Barrier(Client);

impl Barrier {
    async fn before_the_last(stage: &Stage, left: i64, master_key: &str) -> Self {
        let (holder, connection) = tokio_postgres::connect(&stage.dsn, NoTls).await.unwrap();
        tokio::spawn(connection);
        let build = format!(
            "SELECT pg_advisory_lock(1);
             CREATE OR REPLACE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF (SELECT count(*) FROM keyrings WHERE master_key = TG_ARGV[0]) = TG_ARGV[1]::bigint THEN
                     PERFORM pg_advisory_xact_lock_shared(1);
                 END IF;
                 RETURN NULL;
             END $$;
             CREATE OR REPLACE TRIGGER barrier BEFORE UPDATE OF wrapped_key ON keyrings
             FOR EACH STATEMENT EXECUTE FUNCTION stand_still('{master_key}', {left})"
        );
        holder.batch_execute(&build).await.unwrap();
        Self(holder)
    }

    async fn waiting(&self, stage: &Stage) -> i64 {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'";
        stage.web.count(waits, &[]).await
    }

    async fn open(&self) {
        self.0.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
    }
}

/// As an operator copies it: whole, and readable by its owner alone.
fn copy_key(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    let draft = to.with_extension("draft");
    std::fs::copy(from, &draft).unwrap();
    std::fs::rename(draft, to).unwrap();
}

/// Each file decrypts every keyring, and the daemons open all of them again.
async fn everything_opens(stage: &Stage, accounts: &[(uuid::Uuid, &str)], files: &[&Path]) {
    for file in files {
        let mut status = keys(stage, &["status"]);
        status.env("PAIRD_MASTER_KEY_FILE", file);
        let (code, said) = finished_with_errors(status).await;
        assert_eq!(code, Some(0), "{}: {said}", file.display());
    }
    let logins = stage.phones.report().await.logins;
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    until("all accounts logged in again", || async {
        for (account, _) in accounts {
            // After several losses the backoff is long; a command does not wait for it.
            stage.web.does("account.resume", *account, json!({})).await;
        }
        (stage.phones.report().await.logins >= logins + accounts.len() as u64).then_some(())
    })
    .await;
    everybody_is_back(stage, accounts).await;
}

async fn everybody_is_back(stage: &Stage, accounts: &[(uuid::Uuid, &str)]) {
    for (account, number) in accounts {
        until(&format!("{number} connected"), || async {
            let devices = stage.phones.devices(number).await;
            let back = matches!(&devices[..], [device] if device.connected);
            (back && stage.web.status(*account).await == "connected").then_some(())
        })
        .await;
    }
}

/// The tables that hold this text anywhere in a row.
async fn tables_with(stage: &Stage, text: &str) -> Vec<String> {
    let tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    let mut found = Vec::new();
    for table in stage.web.sql.query(tables, &[]).await.unwrap() {
        let table: String = table.get(0);
        let look = format!("SELECT count(*) FROM \"{table}\" t WHERE strpos(t::text, $1) > 0");
        if stage.web.count(&look, &[&text]).await > 0 {
            found.push(table);
        }
    }
    found
}

fn keys(stage: &Stage, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paird"));
    command.arg("keys").args(arguments).env_clear().current_dir(&stage.dir).env("HOME", &stage.dir);
    command.env("DATABASE_URL", &stage.dsn).env("PAIRD_DATA_DIR", stage.dir.join("daemon"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    command
}

/// Both streams as one text.
async fn finished_with_errors(mut command: Command) -> (Option<i32>, String) {
    let output = command.stderr(Stdio::piped()).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

async fn finished(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().await.unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}
