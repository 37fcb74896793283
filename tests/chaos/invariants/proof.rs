//! That each check sees what it is for: rows are broken by hand, and it complains.

use std::{collections::BTreeMap, future::Future};

use paird_testkit::{Stage, until};

use super::{attempts, commands, lists, owners};
use crate::script::number;

/// A check that holds, complains once the rows are broken by this statement, and holds again.
pub(super) async fn sees<'a, F: Future<Output = Vec<String>>>(
    stage: &'a Stage,
    what: &str,
    check: impl Fn(&'a Stage) -> F,
    breaking: &str,
) {
    assert_eq!(check(stage).await, Vec::<String>::new(), "before: {what}");
    stage.web.sql.batch_execute(&format!("BEGIN; SET CONSTRAINTS ALL DEFERRED; {breaking}")).await.unwrap();
    let complaints = check(stage).await;
    stage.web.sql.batch_execute("ROLLBACK").await.unwrap();
    println!("{what}: {complaints:?}");
    assert!(!complaints.is_empty(), "nobody saw {what}");
    assert_eq!(check(stage).await, Vec::<String>::new(), "after: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_complains_of_rows_that_are_broken_by_hand() {
    let (stage, daemon) = Stage::with_daemon().await;
    for phone in 0..crate::script::ALL_PHONES {
        stage.phones.add(&number(phone)).await;
    }
    let web = &stage.web;
    let account = web.connect_account("desk", &number(0), &stage.phones).await;
    let other = web.account("other").await;
    web.ask("account.nonsense", account, serde_json::json!({})).await;
    web.event(account, "groups.synced", 0).await;
    until("every event is sent", || async { commands::events_are_whole(&stage).await.is_empty().then_some(()) }).await;

    let it = format!("(account_id = '{account}')");
    let row = format!("id = '{account}'");
    for (what, breaking) in [
        ("a command that runs for ever", format!("UPDATE commands SET state = 'running' WHERE {it}")),
        ("a command without a result", format!("UPDATE commands SET result = NULL WHERE {it}")),
    ] {
        sees(&stage, what, commands::ended, &breaking).await;
    }
    let of_a_stranger = format!("UPDATE commands SET sent_by = 'flooder' WHERE {it}");
    sees(&stage, "a command of a stranger", commands::none_of_strangers, &of_a_stranger).await;
    for (what, breaking) in [
        (
            "a failure that is told twice",
            format!(
                "INSERT INTO events (account_id, seq, kind, payload) SELECT account_id, 99, kind, payload FROM events WHERE kind = 'command.failed' AND {it}"
            ),
        ),
        ("a failure that is not told", "DELETE FROM events WHERE kind = 'command.failed'".to_owned()),
        (
            "a failure of a command that was done",
            "UPDATE commands SET state = 'done' WHERE state = 'failed'".to_owned(),
        ),
    ] {
        sees(&stage, what, commands::told_once, &breaking).await;
    }
    for (what, breaking) in [
        ("a gap", format!("DELETE FROM events WHERE seq = 1 AND {it}")),
        ("a last event that is missing", format!("UPDATE whatsapp_accounts SET event_seq = event_seq + 1 WHERE {row}")),
        ("an event that was not sent", format!("UPDATE events SET notified = false WHERE seq = 1 AND {it}")),
    ] {
        sees(&stage, what, commands::events_are_whole, &breaking).await;
    }
    for (what, breaking) in [
        (
            "an attempt with a second end",
            format!("INSERT INTO events (account_id, seq, kind) VALUES ('{account}', 99, 'session.timeout')"),
        ),
        (
            "an attempt without an end",
            format!(
                "INSERT INTO commands (account_id, kind, state, result) VALUES ('{other}', 'account.pair', 'done', 'pairing started')"
            ),
        ),
    ] {
        sees(&stage, what, attempts::ended_once, &breaking).await;
    }
    for (what, column) in [
        ("a QR", "last_qr_png = 'x'"),
        ("a code", "pair_code = 'x'"),
        ("a deadline", "pair_deadline = now()"),
        ("a number that was expected", "expect_phone = '436601'"),
    ] {
        sees(&stage, what, attempts::left_nothing, &format!("UPDATE whatsapp_accounts SET {column} WHERE {row}")).await;
    }
    for (what, breaking) in [
        ("a hold that was not audited", format!("INSERT INTO events (account_id, seq, kind) VALUES ('{account}', 99, 'session.held')")),
        ("a link that was not told", format!("DELETE FROM events WHERE kind = 'session.connected' AND {it}")),
        ("a line of nobody", "INSERT INTO audit_log (source, action, target_type, target_id) VALUES ('x', 'x', 'whatsapp_account', gen_random_uuid())".to_owned()),
    ] {
        sees(&stage, what, attempts::audit_matches, &breaking).await;
    }
    for (what, breaking) in [
        ("a status that is not so", format!("UPDATE whatsapp_accounts SET status = 'held' WHERE {row}")),
        (
            "a deletion that never ends",
            format!(
                "UPDATE whatsapp_accounts SET status = 'deleting', desired = 'deleted', deleted_at = now() WHERE id = '{other}'"
            ),
        ),
    ] {
        sees(&stage, what, lists::statuses_are_true, &breaking).await;
    }
    sees(&stage, "a ghost", lists::no_ghosts, "UPDATE keyrings SET device_jid = 'another'").await;
    sees(&stage, "two keyrings of a device", lists::no_ghosts, &format!("INSERT INTO keyrings SELECT gen_random_uuid(), '{other}', wrapped_key, master_key, phone_number, device_jid FROM keyrings")).await;
    sees(
        &stage,
        "keys that nobody has",
        lists::keys_have_a_holder,
        &format!("UPDATE whatsapp_accounts SET keyring_id = NULL WHERE {row}"),
    )
    .await;
    sees(
        &stage,
        "a number that is not that of the keys",
        lists::numbers_are_held_once,
        &format!("UPDATE whatsapp_accounts SET phone_number = '436609' WHERE {row}"),
    )
    .await;
    sees(
        &stage,
        "a number of an account that is not linked",
        lists::numbers_are_held_once,
        &format!("UPDATE whatsapp_accounts SET phone_number = '436609' WHERE id = '{other}'"),
    )
    .await;
    let pids = [daemon.pid()];
    sees(
        &stage,
        "an owner that is gone",
        |stage| owners::one_live_owner(stage, &pids),
        "UPDATE whatsapp_accounts SET owner = gen_random_uuid() WHERE owner IS NOT NULL",
    )
    .await;
    sees(
        &stage,
        "a linked account without an owner",
        |stage| owners::one_live_owner(stage, &pids),
        &format!("UPDATE whatsapp_accounts SET owner = NULL WHERE {row}"),
    )
    .await;
    sees(&stage, "a lease of nobody", |stage| owners::one_live_owner(stage, &pids), "INSERT INTO processes SELECT gen_random_uuid(), host, 1, version, pid_space, 1, command_channel, started_at, renewed_at, expires_at, draining FROM processes").await;
    let sent = BTreeMap::from([(("account.wave".to_owned(), Some(account)), 1)]);
    let stored = format!(
        "INSERT INTO commands (account_id, kind, source) SELECT '{account}', 'account.wave', 'notify' FROM generate_series(1, 2)"
    );
    sees(&stage, "a NOTIFY that was stored twice", |stage| commands::notified_once(stage, &sent), &stored).await;
    stage.finish([daemon]).await;
}
