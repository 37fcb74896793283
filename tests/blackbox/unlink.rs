//! sql/README.md, "Unpairing and deleting": unpair, delete, resume and re-pair leave no
//! device entry on the phone.

use paird_sandbox::{Fault, PausePoint, UnlinkFault};
use paird_testkit::{Daemon, Stage, Web, until};
use serde_json::json;
use uuid::Uuid;

const NUMBER: &str = "436601234567";

/// A connected account whose device WhatsApp is being asked to remove, and does not yet.
async fn deleting(stage: &Stage, daemon: &Daemon) -> Uuid {
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    stage.phones.fault(Fault::Pause { at: PausePoint::BeforeUnlink, number: None }).await;
    let result = web.does("account.delete", account, json!({})).await;
    assert_eq!(result, "deleted; the device is being removed from the phone");
    daemon.log_until("the unlink under way", |log| log.contains("unlink: Connecting → Asking")).await;
    account
}

/// The end of every deletion of a link: nothing on the phone, nothing in the tables, one event.
async fn is_unlinked(web: &Web, stage: &Stage, account: Uuid) {
    web.event(account, "account.unlinked", 0).await;
    assert_eq!(stage.phones.devices(NUMBER).await, [], "the phone's list is empty");
    assert_eq!(web.keys(account).await, (0, 0), "the keys are erased");
    assert_eq!(web.tickets(account).await, 0);
    let kinds = web.kinds(account).await;
    let told = |kind: &str| kinds.iter().filter(|told| *told == kind).count();
    assert_eq!((told("account.deleted"), told("account.unlinked")), (1, 1), "{kinds:?}");
    // Settled by the account's own actor, once its last device entry has left the phone.
    web.status_is(account, "unpaired").await;
    assert_eq!(web.column::<String>(account, "status_reason").await, "deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_accounts_keys_stay_until_its_device_is_gone() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = deleting(&stage, &daemon).await;
    let listed = web.count("SELECT count(*) FROM whatsapp_accounts WHERE deleted_at IS NULL", &[]).await;
    assert_eq!(listed, 0, "a deleted account is not listed, even before WhatsApp confirms");
    assert_eq!(web.status(account).await, "deleting");
    assert_eq!(web.event(account, "account.deleted", 0).await.payload, json!({"unlinked": "pending"}));
    assert_eq!(web.column::<Option<String>>(account, "phone_number").await, None, "its number is free");
    let (keyrings, credentials) = web.keys(account).await;
    assert!(keyrings == 1 && credentials > 0, "nothing is erased while the phone lists the device");
    assert_eq!(stage.phones.devices(NUMBER).await.len(), 1);

    stage.phones.clear_faults().await;
    is_unlinked(web, &stage, account).await;
    let actions = "SELECT string_agg(action, ' ' ORDER BY id) FROM audit_log WHERE target_id = $1";
    let actions: String = web.sql.query_one(actions, &[&account]).await.unwrap().get(0);
    assert_eq!(actions, "account.added account.paired account.deleted account.unlinked");
    assert_eq!(stage.phones.report().await.unlinks, 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlink_interrupted_by_a_kill_ends_after_the_restart() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = deleting(&stage, &daemon).await;
    daemon.kill().await;
    let (keyrings, credentials) = web.keys(account).await;
    assert!(keyrings == 1 && credentials > 0 && web.tickets(account).await == 1);
    stage.phones.clear_faults().await;
    let daemon = stage.daemon(&[]).await;
    is_unlinked(web, &stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_refused_unlink_is_retried_until_the_device_is_gone() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    for how in [UnlinkFault::Lost, UnlinkFault::Overtaken, UnlinkFault::Dropped, UnlinkFault::Refused] {
        let account = web.connect_account(&format!("{how:?}"), NUMBER, &stage.phones).await;
        stage.phones.fault(Fault::Unlink { how, times: Some(1) }).await;
        web.does("account.delete", account, json!({})).await;
        is_unlinked(web, &stage, account).await;
    }
    assert_eq!(stage.phones.report().await.unlinks, 4, "each device was removed once");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_unlink_does_not_block_the_stop() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    stage.phones.fault(Fault::Unlink { how: UnlinkFault::Stalled, times: Some(1) }).await;
    web.does("account.delete", account, json!({})).await;
    stage.phones.devices_are(NUMBER, 0).await;
    assert_eq!(web.keys(account).await.0, 1, "nobody has said that the device is gone");
    assert!(daemon.terminate().await.success());
    assert_eq!(web.tickets(account).await, 1);
    let daemon = stage.daemon(&[]).await;
    is_unlinked(web, &stage, account).await;
    let told = web.event(account, "account.unlinked", 0).await;
    assert!(told.payload["reason"].as_str().unwrap().starts_with("logged_out: failure 401"), "{told:?}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_unlink_times_out_and_the_next_try_settles_it() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_UNLINK_TIMEOUT", "2s")]).await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    stage.phones.fault(Fault::Unlink { how: UnlinkFault::Stalled, times: Some(1) }).await;
    web.does("account.delete", account, json!({})).await;
    stage.phones.devices_are(NUMBER, 0).await;
    until("the end of the wait", || async {
        let sql = "SELECT last_error FROM unlink_tickets WHERE account_id = $1";
        let error: Option<String> = web.sql.query_opt(sql, &[&account]).await.unwrap()?.get(0);
        assert_eq!(web.keys(account).await.0, 1, "nobody has said that the device is gone");
        error
    })
    .await;
    is_unlinked(web, &stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlink_is_tried_again_while_whatsapp_refuses_connections() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    stage.phones.fault(Fault::RefuseConnections { times: Some(2) }).await;
    web.does("account.delete", account, json!({})).await;
    until("the second failed try", || async {
        let sql =
            "SELECT attempts, last_error, next_retry_at > clock_timestamp() FROM unlink_tickets WHERE account_id = $1";
        let row = web.sql.query_opt(sql, &[&account]).await.unwrap()?;
        let (attempts, error, ahead): (i32, Option<String>, bool) = (row.get(0), row.get(1), row.get(2));
        (attempts == 2 && error?.starts_with("unreachable") && ahead).then_some(())
    })
    .await;
    assert_eq!(web.keys(account).await.0, 1);
    is_unlinked(web, &stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlink_is_abandoned_and_reported_after_fourteen_days() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    stage.phones.fault(Fault::RefuseConnections { times: None }).await;
    web.does("account.delete", account, json!({})).await;
    until("a ticket that failed", || async {
        let sql = "SELECT count(*) FROM unlink_tickets WHERE account_id = $1 AND attempts > 0";
        (web.count(sql, &[&account]).await == 1).then_some(())
    })
    .await;
    daemon.kill().await;
    let days = "SELECT extract(epoch FROM abandon_at - opened_at)::bigint / 86400 FROM unlink_tickets";
    assert_eq!(web.count(days, &[]).await, 14);
    let over = "UPDATE unlink_tickets SET abandon_at = clock_timestamp(), next_retry_at = clock_timestamp()";
    web.sql.execute(over, &[]).await.unwrap();

    let daemon = stage.daemon(&[]).await;
    let told = web.event(account, "account.unlink_abandoned", 0).await;
    assert!(told.payload["reason"].as_str().unwrap().starts_with("given up after"), "{told:?}");
    assert_eq!((web.keys(account).await, web.tickets(account).await), ((0, 0), 0));
    web.status_is(account, "unpaired").await;
    assert_eq!(web.column::<String>(account, "status_reason").await, "deleted");
    let audited = "SELECT count(*) FROM audit_log WHERE target_id = $1 AND action = 'account.unlink_abandoned'";
    assert_eq!(web.count(audited, &[&account]).await, 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_the_phone_removed_already_counts_as_unlinked() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    web.does("account.unpair", account, json!({})).await;
    let device = stage.phones.devices(NUMBER).await.remove(0);
    stage.phones.unlink(NUMBER, &device.jid).await;
    web.does("account.delete", account, json!({})).await;
    is_unlinked(web, &stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_without_a_link_is_done_at_once_and_twice_is_once() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.account("never paired").await;
    for result in ["deleted", "deleted already"] {
        assert_eq!(web.does("account.delete", account, json!({})).await, result);
    }
    assert_eq!(web.event(account, "account.deleted", 0).await.payload, json!({"unlinked": "none"}));
    assert_eq!(web.kinds(account).await, ["account.deleted"]);
    for kind in ["account.pair", "account.resume", "account.unpair", "groups.sync"] {
        let (state, why) = web.ask(kind, account, json!({})).await;
        assert_eq!((state.as_str(), why.as_str()), ("failed", "the account was deleted"), "{kind}");
    }
    stage.finish([daemon]).await;
}

/// A second deletion, or any other command, must not remove what the unlink needs.
#[tokio::test(flavor = "multi_thread")]
async fn commands_for_a_deleted_account_leave_its_unlink_alone() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    stage.phones.fault(Fault::Unlink { how: UnlinkFault::Refused, times: None }).await;
    web.does("account.delete", account, json!({})).await;
    for (kind, state) in [("account.delete", "done"), ("account.unpair", "failed"), ("account.cancel", "failed")] {
        assert_eq!(web.ask(kind, account, json!({})).await.0, state, "{kind}");
        web.status_is(account, "deleting").await;
        assert_eq!(web.count("SELECT count(*) FROM unlink_tickets", &[]).await, 1);
    }
    stage.phones.clear_faults().await;
    is_unlinked(web, &stage, account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_while_pairing_ends_the_attempt_and_leaves_nothing() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("desk").await;
    web.does("account.pair", account, json!({})).await;
    let qr = web.qr(account).await;
    assert_eq!(web.does("account.delete", account, json!({})).await, "deleted");
    assert_eq!(web.event(account, "account.deleted", 0).await.payload, json!({"unlinked": "none"}));
    assert_eq!(web.endings(account, 0).await, ["session.cancelled"]);
    assert_eq!(web.column::<Option<String>>(account, "last_qr_png").await, None);
    assert_eq!(web.keys(account).await, (0, 0));
    stage.phones.scan(NUMBER, &qr).await.unwrap_err();

    // Between the scan and the first login the phone lists the device already.
    let account = web.account("desk again").await;
    stage.phones.fault(Fault::Pause { at: PausePoint::BeforeRestart, number: None }).await;
    web.pair_with(account, NUMBER, &stage.phones).await;
    stage.phones.devices_are(NUMBER, 1).await;
    web.does("account.delete", account, json!({})).await;
    assert_eq!(web.event(account, "account.deleted", 0).await.payload, json!({"unlinked": "pending"}));
    stage.phones.clear_faults().await;
    is_unlinked(web, &stage, account).await;
    assert_eq!(web.endings(account, 0).await, ["session.cancelled"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_pairing_removes_the_old_entry_from_the_phone() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    let old = stage.phones.devices(NUMBER).await.remove(0);
    web.does("account.unpair", account, json!({})).await;
    let seq = web.seq(account).await;
    web.pair_with(account, NUMBER, &stage.phones).await;
    web.event(account, "session.connected", seq).await;
    web.event(account, "account.unlinked", seq).await;
    let devices = stage.phones.devices(NUMBER).await;
    assert!(matches!(&devices[..], [new] if new.jid != old.jid && new.connected), "{devices:?}");
    assert_eq!(web.keys(account).await.0, 1);
    assert_eq!(web.status(account).await, "connected");
    web.agrees_with(&stage.phones, NUMBER).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unpair_with_logout_takes_the_device_off_the_phone() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    let result = web.does("account.unpair", account, json!({"logout": true})).await;
    assert_eq!(result, "unpaired; the device is being removed from the phone");
    assert_eq!(web.event(account, "account.unpaired", 0).await.payload, json!({"unlinked": "pending"}));
    web.event(account, "account.unlinked", 0).await;
    assert_eq!(stage.phones.devices(NUMBER).await, []);
    assert_eq!(web.keys(account).await, (0, 0));
    assert_eq!(web.status(account).await, "unpaired");
    let (state, _) = web.ask("account.resume", account, json!({})).await;
    assert_eq!(state, "failed", "there is nothing left to resume with");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_account_keeps_its_entry_and_resumes_without_a_qr() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    let result = web.does("account.unpair", account, json!({})).await;
    assert_eq!(result, "unpaired; the phone still lists the device, and resuming connects it again");
    assert_eq!(web.event(account, "account.unpaired", 0).await.payload, json!({"unlinked": "none"}));
    assert_eq!(web.status(account).await, "unpaired");
    assert_eq!(web.column::<Option<String>>(account, "phone_number").await, None);
    assert_eq!(web.keys(account).await.0, 1, "the keys are parked");
    let devices = stage.phones.devices(NUMBER).await;
    assert!(matches!(&devices[..], [device] if !device.connected), "{devices:?}");

    // It stays closed over a restart.
    assert!(daemon.terminate().await.success());
    let daemon = stage.daemon(&[]).await;
    web.does("account.cancel", account, json!({})).await;
    assert_eq!(web.status(account).await, "unpaired");

    let seq = web.seq(account).await;
    web.does("account.resume", account, json!({})).await;
    web.event(account, "session.connected", seq).await;
    let since = web.kinds(account).await.split_off(seq as usize);
    assert!(!since.contains(&"session.qr".to_owned()), "{since:?}");
    assert_eq!(web.column::<Option<String>>(account, "phone_number").await.as_deref(), Some(NUMBER));
    let report = stage.phones.report().await;
    assert_eq!((report.links_made, report.replaced, report.unlinks), (1, 0, 0));
    web.agrees_with(&stage.phones, NUMBER).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resume_is_refused_when_another_account_took_the_number() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let first = web.connect_account("first", NUMBER, &stage.phones).await;
    web.does("account.unpair", first, json!({})).await;
    let second = web.connect_account("second", NUMBER, &stage.phones).await;
    let (state, why) = web.ask("account.resume", first, json!({})).await;
    assert_eq!(state, "failed");
    assert!(why.starts_with("the number is linked to «second» now"), "{why}");
    assert_eq!((web.status(first).await.as_str(), web.status(second).await.as_str()), ("unpaired", "connected"));
    let refused = web.event(first, "command.failed", 0).await;
    assert_eq!(refused.payload["reason"], why);

    // Once the other account has given the number up, the first one can resume.
    web.does("account.unpair", second, json!({"logout": true})).await;
    web.does("account.resume", first, json!({})).await;
    web.status_is(first, "connected").await;
    web.agrees_with(&stage.phones, NUMBER).await;
    assert_eq!(stage.phones.devices(NUMBER).await.len(), 1);
    stage.finish([daemon]).await;
}
