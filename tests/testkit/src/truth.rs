//! Checks that must hold whenever nothing is under way, after any faults.

use serde_json::json;
use uuid::Uuid;

use super::{Phones, Web, until, web::TERMINAL};

impl Web {
    /// The terminal events after `seq`. For one attempt there must be one.
    pub async fn endings(&self, account: Uuid, after: i64) -> Vec<String> {
        let events = self.events(account).await.into_iter().filter(|event| event.seq > after);
        events.map(|event| event.kind).filter(|kind| TERMINAL.contains(&kind.as_str())).collect()
    }

    /// As if every link were older than the time for which it stays with its daemon.
    pub async fn linked_long_ago(&self) {
        self.sql.batch_execute("UPDATE keyrings SET created_at = created_at - interval '1 hour'").await.unwrap();
    }

    /// Sealed rows of the account: keyrings, and credentials in them.
    pub async fn keys(&self, account: Uuid) -> (i64, i64) {
        let credentials = self.count("SELECT count(*) FROM credentials WHERE account_id = $1", &[&account]).await;
        (self.keyrings(account).await, credentials)
    }

    pub async fn tickets(&self, account: Uuid) -> i64 {
        self.count("SELECT count(*) FROM unlink_tickets WHERE account_id = $1", &[&account]).await
    }

    /// Waits until the account fetches its groups, which it can only over a live connection.
    pub async fn works(&self, account: Uuid) {
        until("groups over a live connection", || async {
            (self.ask("groups.sync", account, json!({})).await.0 == "done").then_some(())
        })
        .await;
        assert_eq!(self.status(account).await, "connected");
    }

    /// Waits until the phone lists exactly the devices whose keys the database holds,
    /// and no ticket is open: no ghost on the phone, no key without a lock.
    pub async fn agrees_with(&self, phones: &Phones, number: &str) {
        until(&format!("the list of {number} as the database has it"), || async {
            let sql = "SELECT k.device_jid FROM keyrings k JOIN whatsapp_accounts a ON a.keyring_id = k.id
                       WHERE k.phone_number = $1 AND a.deleted_at IS NULL ORDER BY 1";
            let held = self.sql.query(sql, &[&number]).await.unwrap();
            let mut held: Vec<String> = held.iter().map(|row| row.get(0)).collect();
            let keyrings = self.count("SELECT count(*) FROM keyrings WHERE phone_number = $1", &[&number]).await;
            let mut listed: Vec<_> = phones.devices(number).await.into_iter().map(|device| device.jid).collect();
            held.sort();
            listed.sort();
            (held == listed && keyrings == listed.len() as i64).then_some(())
        })
        .await;
    }
}
