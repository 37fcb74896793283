//! Compares the phones' lists with the database.

use std::collections::BTreeMap;

use paird_sandbox::LinkedDevice;
use paird_testkit::Stage;

use super::complaints;
use crate::script::{ALL_PHONES, number};

/// Connected is what WhatsApp has a connection of, and it has no other connection.
pub async fn statuses_are_true(stage: &Stage) -> Vec<String> {
    let listed = listed(stage).await;
    let rows = "SELECT k.device_jid, a.status, a.label FROM whatsapp_accounts a JOIN keyrings k ON k.id = a.keyring_id";
    let mut broken = Vec::new();
    let mut connected = 0;
    for row in stage.web.sql.query(rows, &[]).await.unwrap() {
        let (jid, status, label): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let told = status == "connected";
        connected += u64::from(told);
        let device = listed.get(&jid);
        if told != device.is_some_and(|device| device.connected) {
            broken.push(format!("{label} is {status} and {jid} is {device:?}"));
        }
    }
    let report = stage.phones.report().await;
    if (report.logged_in_now, report.connections_now) != (connected, connected) {
        let (logged_in, open) = (report.logged_in_now, report.connections_now);
        broken.push(format!("{connected} are connected; {logged_in} are logged in, {open} sockets are open"));
    }
    let odd = "SELECT concat_ws(' ', label, status, status_reason, desired) FROM whatsapp_accounts
        WHERE (status IN ('connected', 'held') AND (keyring_id IS NULL OR desired <> 'paired'))
           OR status IN ('pending', 'reconnecting', 'deleting') OR (deleted_at IS NOT NULL) <> (desired = 'deleted')
           OR (deleted_at IS NOT NULL AND (status <> 'unpaired' OR keyring_id IS NOT NULL))";
    broken.extend(complaints(stage, odd, &[]).await);
    broken
}

/// Each device on a phone has its keys here, once.
pub async fn no_ghosts(stage: &Stage) -> Vec<String> {
    let mut kept = BTreeMap::<String, u32>::new();
    for row in stage.web.sql.query("SELECT device_jid FROM keyrings", &[]).await.unwrap() {
        let jid: Option<String> = row.get(0);
        *kept.entry(jid.unwrap_or_else(|| "keys of no device".to_owned())).or_default() += 1;
    }
    let ghosts = listed(stage).await.into_values().filter(|device| !kept.contains_key(&device.jid));
    let ghosts = ghosts.map(|device| format!("{} is listed, and nobody has its keys", device.jid));
    let twice = kept.iter().filter(|(_, times)| **times > 1).map(|(jid, times)| format!("{jid} has {times} keyrings"));
    ghosts.chain(twice).collect()
}

pub async fn keys_have_a_holder(stage: &Stage) -> Vec<String> {
    let stray = "SELECT concat_ws(' ', k.account_id, k.device_jid, a.status) FROM keyrings k
            JOIN whatsapp_accounts a ON a.id = k.account_id
            WHERE NOT (a.keyring_id IS NOT DISTINCT FROM k.id AND a.deleted_at IS NULL)
              AND NOT EXISTS (SELECT FROM unlink_tickets t WHERE t.keyring_id = k.id)
        UNION ALL SELECT concat_ws(' ', a.label, 'names keys that are gone') FROM whatsapp_accounts a
            WHERE a.keyring_id IS NOT NULL AND NOT EXISTS (SELECT FROM keyrings k WHERE k.id = a.keyring_id)
        UNION ALL SELECT DISTINCT concat_ws(' ', 'credentials of', c.account_id, 'in', k.account_id) FROM credentials c
            JOIN keyrings k ON k.id = c.keyring_id WHERE k.account_id <> c.account_id";
    complaints(stage, stray, &[]).await
}

/// By one live account of the operator, and only by one that is linked: with the number of its keys.
pub async fn numbers_are_held_once(stage: &Stage) -> Vec<String> {
    let broken = "SELECT concat_ws(' ', operator_id, phone_number, count(*), 'times') FROM whatsapp_accounts
            WHERE deleted_at IS NULL AND phone_number IS NOT NULL
            GROUP BY operator_id, phone_number HAVING count(*) > 1
        UNION ALL SELECT concat_ws(' ', a.label, a.status, 'holds', a.phone_number, 'with keys of', k.phone_number)
            FROM whatsapp_accounts a LEFT JOIN keyrings k ON k.id = a.keyring_id
            WHERE CASE WHEN a.status IN ('connected', 'held')
                THEN a.phone_number IS NULL OR a.phone_number IS DISTINCT FROM k.phone_number
                    OR a.device_jid IS DISTINCT FROM k.device_jid
                ELSE a.phone_number IS NOT NULL END";
    complaints(stage, broken, &[]).await
}

async fn listed(stage: &Stage) -> BTreeMap<String, LinkedDevice> {
    let mut listed = BTreeMap::new();
    for phone in 0..ALL_PHONES {
        for device in stage.phones.devices(&number(phone)).await {
            listed.insert(device.jid.clone(), device);
        }
    }
    listed
}
