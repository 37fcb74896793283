//! What holds once it is quiet, whatever happened before.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    script::{PHONES, number},
    support::Stage,
};

pub async fn hold(stage: &Stage, accounts: &[Uuid]) {
    every_command_ended(stage).await;
    for account in accounts {
        events_are_gapless(stage, *account).await;
        attempts_ended_once(stage, *account).await;
    }
    lists_equal_rows(stage).await;
    no_keys_without_a_holder(stage).await;
    let report = stage.phones.report().await;
    assert_eq!(report.replaced, 0, "two connections of one device");
    let connected = stage.web.count("SELECT count(*) FROM whatsapp_accounts WHERE status = 'connected'", &[]).await;
    assert_eq!(report.logged_in_now, u64::try_from(connected).unwrap(), "a connection that no account has");
}

async fn every_command_ended(stage: &Stage) {
    let open =
        "SELECT count(*) FROM commands WHERE state NOT IN ('done', 'failed') OR result IS NULL OR done_at IS NULL";
    assert_eq!(stage.web.count(open, &[]).await, 0);
}

async fn events_are_gapless(stage: &Stage, account: Uuid) {
    let events = stage.web.events(account).await;
    let last: i64 = stage.web.column(account, "event_seq").await;
    assert_eq!(events.len(), usize::try_from(last).unwrap());
    let unsent = "SELECT count(*) FROM events WHERE account_id = $1 AND NOT notified";
    assert_eq!(stage.web.count(unsent, &[&account]).await, 0, "an event was never sent");
}

/// An attempt begins with a command that says so, and has one terminal event. A
/// connection of an attempt is told from any other by the audit, in its transaction.
async fn attempts_ended_once(stage: &Stage, account: Uuid) {
    let begun = "SELECT count(*) FROM commands WHERE account_id = $1 AND kind = 'account.pair'
        AND state = 'done' AND result LIKE 'pairing started%'";
    let ended = "SELECT count(*) FROM events WHERE account_id = $1 AND kind IN ('session.duplicate',
        'session.wrong_phone', 'session.timeout', 'session.cancelled', 'session.failed')";
    let connected = "SELECT count(*) FROM audit_log WHERE target_id = $1 AND action = 'account.paired'";
    let (begun, ended) = (stage.web.count(begun, &[&account]).await, stage.web.count(ended, &[&account]).await);
    let connected = stage.web.count(connected, &[&account]).await;
    let kinds = stage.web.kinds(account).await;
    assert_eq!(begun, ended + connected, "{account}: {begun} attempts, {ended} + {connected} ends: {kinds:?}");
}

/// Connected is what WhatsApp says is connected; a device on a phone has one keyring,
/// held by an account that is linked or parked.
async fn lists_equal_rows(stage: &Stage) {
    let mut listed = BTreeMap::new();
    for phone in 0..PHONES {
        for device in stage.phones.devices(&number(phone)).await {
            listed.insert(device.jid.clone(), device);
        }
    }
    let rows = "SELECT k.device_jid, a.status, a.label, a.desired FROM keyrings k
        LEFT JOIN whatsapp_accounts a ON a.keyring_id = k.id";
    let mut kept = BTreeMap::new();
    for row in stage.web.sql.query(rows, &[]).await.unwrap() {
        let jid: String = row.get(0);
        let status: Option<String> = row.get(1);
        let before = kept.insert(jid.clone(), status.clone());
        assert_eq!(before, None, "two keyrings of {jid}");
        let device = listed.get(&jid);
        let is_connected = device.is_some_and(|device| device.connected);
        let told = status.as_deref() == Some("connected");
        assert_eq!(told, is_connected, "{jid} is {status:?} and the phone says {device:?}");
    }
    let ghosts: Vec<_> = listed.keys().filter(|jid| !kept.contains_key(*jid)).collect();
    assert!(ghosts.is_empty(), "on a phone, and nobody has the keys: {ghosts:?}");
    let unheld = "SELECT count(*) FROM whatsapp_accounts WHERE status IN ('connected', 'held') AND keyring_id IS NULL";
    assert_eq!(stage.web.count(unheld, &[]).await, 0, "linked without keys");
}

async fn no_keys_without_a_holder(stage: &Stage) {
    let stray = "SELECT count(*) FROM keyrings k WHERE NOT EXISTS (SELECT FROM whatsapp_accounts a
        WHERE a.keyring_id = k.id AND a.deleted_at IS NULL)
        AND NOT EXISTS (SELECT FROM unlink_tickets t WHERE t.keyring_id = k.id)";
    assert_eq!(stage.web.count(stray, &[]).await, 0, "keys that nobody has");
    let shown = "SELECT count(*) FROM whatsapp_accounts WHERE status <> 'pending' AND
        (last_qr_png IS NOT NULL OR pair_code IS NOT NULL OR pair_deadline IS NOT NULL OR linking_keyring_id IS NOT NULL)";
    assert_eq!(stage.web.count(shown, &[]).await, 0, "a QR or a deadline after its attempt");
}
