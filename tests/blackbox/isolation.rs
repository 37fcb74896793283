//! One account's problems do not affect others: an unreadable row, keys that cannot be
//! decrypted, strange labels, a flood. The others keep working, and no account gets new keys.

use std::time::{Duration, Instant};

use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, until, until_within};
use serde_json::json;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn a_row_with_an_unknown_status_is_held_while_others_pair() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let poisoned = web.account("poisoned").await;
    web.sql
        .batch_execute("ALTER TABLE whatsapp_accounts DROP CONSTRAINT whatsapp_accounts_status_check")
        .await
        .unwrap();
    let poison = "UPDATE whatsapp_accounts SET status = 'wat', desired = 'paired' WHERE id = $1";
    web.sql.execute(poison, &[&poisoned]).await.unwrap();
    let command = web.send("account.pair", poisoned, json!({})).await;

    web.connect_account("sound", "436601000001", &stage.phones).await;
    let held = web.event(poisoned, "session.held", 0).await;
    assert_eq!(held.payload, json!({"reason": "row_unreadable: unknown status \"wat\"", "until": null}));
    // A held row can be read, so the command that waited is done at once.
    let (state, result) = web.outcome(command).await;
    assert_eq!(state, "done", "{result}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_keys_are_held_and_serve_again_once_mended() {
    for spoil in [
        "UPDATE keyrings SET wrapped_key = set_byte(wrapped_key, 40, get_byte(wrapped_key, 40) # 1) WHERE account_id = $1",
        "UPDATE credentials SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1)
         WHERE account_id = $1 AND kind = 'device'",
    ] {
        let (stage, daemon) = Stage::with_daemon().await;
        let web = &stage.web;
        let bad = web.connect_account("bad", "436601000001", &stage.phones).await;
        let good = web.connect_account("good", "436601000002", &stage.phones).await;
        assert!(daemon.terminate().await.success());
        assert_eq!(web.sql.execute(spoil, &[&bad]).await.unwrap(), 1);
        let keys = keys_of(&stage, bad).await;
        let devices = stage.phones.devices("436601000001").await;

        let daemon = stage.daemon(&[]).await;
        web.status_is(bad, "held").await;
        web.status_is(good, "connected").await;
        web.connect_account("newcomer", "436601000003", &stage.phones).await;
        let reason: String = web.column(bad, "status_reason").await;
        assert!(reason.contains("authentication failed"), "{reason}");
        assert_eq!(web.event(bad, "session.held", 0).await.payload["reason"], reason);
        assert_eq!(keys_of(&stage, bad).await, keys, "not a byte of them is touched");
        assert_eq!(stage.phones.devices("436601000001").await.len(), devices.len());
        assert_eq!(stage.phones.report().await.links_made, 3);
        // Another try makes no new keys either.
        web.does("account.resume", bad, json!({})).await;
        let seq = web.seq(bad).await;
        until("held again", || async {
            let held = web.events(bad).await.into_iter().any(|event| event.kind == "session.held" && event.seq >= seq);
            (held && web.status(bad).await == "held").then_some(())
        })
        .await;
        assert_eq!(keys_of(&stage, bad).await, keys);

        web.sql.execute(spoil, &[&bad]).await.unwrap();
        web.does("account.resume", bad, json!({})).await;
        web.status_is(bad, "connected").await;
        let now = stage.phones.devices("436601000001").await;
        assert_eq!(now.iter().map(|device| &device.jid).collect::<Vec<_>>(), [&devices[0].jid]);
        stage.finish([daemon]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_reads_of_any_kind_of_key_make_no_new_identity() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("shop", "436601000001", &stage.phones).await;
    web.event(account, "groups.synced", 0).await;
    let keyring: Uuid = web.column(account, "keyring_id").await;
    let [device] = &stage.phones.devices_are("436601000001", 1).await[..] else { panic!() };
    let kinds = "SELECT DISTINCT kind FROM credentials ORDER BY kind";
    let kinds: Vec<String> = web.sql.query(kinds, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert!(kinds.len() > 2, "{kinds:?}");
    let fail = "ALTER TABLE credentials RENAME TO kept;
        CREATE FUNCTION refuse(kind text) RETURNS boolean STABLE LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'injected: no % can be read', kind; END $$";
    web.sql.batch_execute(fail).await.unwrap();
    for kind in kinds.iter().map(String::as_str).chain(["every kind"]) {
        let identity = identity(&stage, "kept").await;
        let view = format!(
            "DROP VIEW IF EXISTS credentials; CREATE VIEW credentials AS SELECT * FROM kept
             WHERE CASE WHEN kind = '{kind}' OR '{kind}' = 'every kind' THEN refuse(kind) ELSE true END"
        );
        web.sql.batch_execute(&view).await.unwrap();
        let logins = stage.phones.report().await.logins;
        let before = web.seq(account).await;
        stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
        web.event(account, "session.disconnected", before).await;
        // After so many losses the backoff is long; a command does not wait for it.
        web.does("account.resume", account, json!({})).await;
        // It has met the failure, or connects without this kind of record.
        until("a try", || async {
            let refused = web.column::<String>(account, "status_reason").await.contains("injected");
            let again = stage.phones.report().await.logins > logins && web.status(account).await == "connected";
            (refused || again).then_some(())
        })
        .await;
        assert_ne!(web.status(account).await, "unpaired", "{kind}");
        assert_eq!(self::identity(&stage, "kept").await, identity, "{kind}");
        web.sql.batch_execute("DROP VIEW credentials; CREATE VIEW credentials AS SELECT * FROM kept").await.unwrap();
        web.does("account.resume", account, json!({})).await;
        web.status_is(account, "connected").await;
        assert_eq!(web.column::<Uuid>(account, "keyring_id").await, keyring, "{kind}");
        let devices = stage.phones.devices("436601000001").await;
        assert!(matches!(&devices[..], [now] if now.jid == device.jid), "{kind}: {devices:?}");
    }
    assert_eq!(stage.phones.report().await.links_made, 1);
    web.sql.batch_execute("DROP VIEW credentials; ALTER TABLE kept RENAME TO credentials").await.unwrap();
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_or_control_character_labels_are_harmless() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    web.lift_the_limit_of_labels().await;
    let long = "ü".repeat(5_000);
    let wild = "a\nERROR forged: line\r\u{1b}[31mred\u{7}\u{202e}«\"'%s{}\\";
    for (label, number, newcomer) in [(long.as_str(), "436601000001", "one"), (wild, "436601000002", "two")] {
        web.connect_account(label, number, &stage.phones).await;
        let newcomer = web.account(newcomer).await;
        web.pair_with(newcomer, number, &stage.phones).await;
        let duplicate = web.event(newcomer, "session.duplicate", 0).await;
        assert_eq!(duplicate.payload["existingLabel"], *label, "whole on the row");
        until("the notification", || async {
            web.heard(newcomer).into_iter().any(|event| event["type"] == "session.duplicate").then_some(())
        })
        .await;
    }
    let log = daemon.log();
    assert!(!log.lines().any(|line| line.starts_with("ERROR forged")), "a label forged a line of the log");
    assert!(!log.contains(['\u{1b}', '\u{7}', '\r']), "a label's control characters are in the log as they are");
    assert!(log.lines().all(|line| line.len() < 4_000), "a label fills the log");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_commands_for_one_account_delays_no_other() {
    const FLOOD: i64 = 10_000;
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let flooded = web.connect_account("flooded", "436601000001", &stage.phones).await;
    let neighbour = web.connect_account("neighbour", "436601000006", &stage.phones).await;
    let flood = "SELECT count(send_command((ARRAY['account.pair', 'account.cancel', 'account.nonsense', 'groups.sync'])
        [1 + n % 4], $1)) FROM generate_series(1, $2::bigint) AS n";
    assert_eq!(web.count(flood, &[&flooded, &FLOOD]).await, FLOOD);
    let (mut slowest_link, mut slowest_command) = (Duration::ZERO, Duration::ZERO);
    for number in ["436601000002", "436601000003", "436601000004", "436601000005"] {
        let asked = Instant::now();
        web.connect_account(&format!("shop {}", &number[9..]), number, &stage.phones).await;
        slowest_link = slowest_link.max(asked.elapsed());
        for _ in 0..10 {
            let asked = Instant::now();
            web.does("account.pair", neighbour, json!({})).await;
            slowest_command = slowest_command.max(asked.elapsed());
        }
    }
    let open = "SELECT count(*) FROM commands WHERE account_id = $1 AND state IN ('queued', 'running')";
    let left = web.count(open, &[&flooded]).await;
    assert!(left > FLOOD / 10, "only {left} commands were left: this was no flood");
    assert!(slowest_link < Duration::from_secs(5), "a neighbour linked after {slowest_link:?}, {left} commands left");
    assert!(slowest_command < Duration::from_secs(2), "a neighbour's command took {slowest_command:?}, {left} left");
    // Only a thousand more are run, to save time.
    let withdraw = "DELETE FROM commands WHERE account_id = $1 AND state = 'queued' AND id > (
        SELECT id FROM commands WHERE account_id = $1 AND state = 'queued' ORDER BY id OFFSET 1000 LIMIT 1)";
    assert!(web.sql.execute(withdraw, &[&flooded]).await.unwrap() > 0);
    let ended = || async { (web.count(open, &[&flooded]).await == 0).then_some(()) };
    until_within(Duration::from_secs(120), "the end of the flood", ended).await;
    let of_kind = async |kind: &str, state: &str| {
        let sql = "SELECT count(*) FROM commands WHERE account_id = $1 AND kind = $2 AND state = $3";
        web.count(sql, &[&flooded, &kind, &state]).await
    };
    assert_eq!(of_kind("account.nonsense", "done").await, 0);
    assert_eq!(of_kind("account.pair", "failed").await, 0);
    let kinds = web.kinds(flooded).await;
    let told = |kind: &str| kinds.iter().filter(|told| *told == kind).count() as i64;
    // One event for each, and the pairing above counts as one of the commands.
    assert_eq!(told("session.connected"), of_kind("account.pair", "done").await);
    assert_eq!(told("command.failed"), of_kind("account.nonsense", "failed").await);
    assert_eq!(web.status(flooded).await, "connected");
    stage.finish([daemon]).await;
}

/// Everything that would differ if keys had been made or written again.
async fn keys_of(stage: &Stage, account: Uuid) -> String {
    let rows = "SELECT string_agg(r, ',' ORDER BY r) FROM (
        SELECT (to_jsonb(k) - 'epoch' - 'opened_by' - 'opening')::text FROM keyrings k WHERE account_id = $1
        UNION ALL SELECT c::text FROM credentials c WHERE account_id = $1) AS rows (r)";
    stage.web.sql.query_one(rows, &[&account]).await.unwrap().get(0)
}

/// A device's identity: its data key's row, and the set of its records.
async fn identity(stage: &Stage, table: &str) -> (String, i64) {
    let rows = format!(
        "SELECT (SELECT string_agg((to_jsonb(k) - 'epoch' - 'opened_by' - 'opening')::text, ',') FROM keyrings k), count(*) FROM {table} WHERE kind = 'device'"
    );
    let row = stage.web.sql.query_one(&rows, &[]).await.unwrap();
    (row.get(0), row.get(1))
}
