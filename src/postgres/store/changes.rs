//! The store for accounts' actors.

use std::collections::BTreeMap;

use async_trait::async_trait;
use paird_actors::domain::{
    AccountId, AuditEntry, CodeChange, ConnectionSettings, Fence, Group, Phone, Presence, QrChange, Secret, StoreError,
    Write, Written,
};
use paird_actors::ports::{AccountStore, ConnectionStore};
use paird_sql::client::Params;
use paird_sql::queries::changes::{RecordChangeParams, record_change};
use paird_sql::queries::settings::load_connection_settings;
use serde_json::{Value, json};

use super::{PgStore, account_row::LinkColumns, strip_nul, timestamp};
use crate::postgres::{number_claim, pool::bounded};

/// The source of a ticket that no operator asked for.
const NOBODY: &str = "paird";

#[async_trait]
impl ConnectionStore for PgStore {
    async fn load_connection_settings(
        &self,
        account: AccountId,
        fence: Fence,
    ) -> Result<ConnectionSettings, StoreError> {
        let client = self.connection().await?;
        let statement = load_connection_settings();
        let row = bounded(statement.bind(&client, &account.0, &self.process, &fence.0).opt()).await?;
        let row = row.ok_or(StoreError::Fenced)?;
        Ok(ConnectionSettings {
            proxy: row.proxy,
            device_name: row.device_name,
            presence: Presence::parse(&row.presence).unwrap_or_default(),
        })
    }
}

#[async_trait]
impl AccountStore for PgStore {
    async fn record(&self, write: &Write) -> Result<Written, StoreError> {
        let Write { id, follows, record, change, keys, qr_png } = write;
        let (qr_at, qr_expires_at) = match &change.qr {
            QrChange::Keep | QrChange::Clear => (None, None),
            QrChange::Show { at, expires_at, .. } => (Some(timestamp(*at)), Some(timestamp(*expires_at))),
        };
        let link = LinkColumns::of(record);
        // A statement may not touch a row twice.
        let groups = distinct(change.groups.as_deref().unwrap_or_default());
        let records = keys.as_ref().map(|keys| keys.records.as_slice()).unwrap_or_default();
        let row = RecordChangeParams {
            change: id.0,
            follows: follows.map(|former| former.0),
            account: record.id.0,
            process: self.process,
            fence: record.fence.0,
            status: record.status.as_str(),
            status_reason: strip_nul::text(&record.reason.to_string()),
            status_since: timestamp(record.since),
            desired: record.desired.as_str(),
            next_retry_at: record.next_retry_at.map(timestamp),
            phone_number: link.phone.as_deref(),
            last_phone_number: record.last_phone.as_ref().map(Phone::digits),
            device_jid: link.device_jid.as_deref(),
            pair_deadline: link.deadline.map(timestamp),
            pair_method: link.method.as_str(),
            pair_phone: link.pair_phone.as_deref(),
            expect_phone: link.expect_phone.as_deref(),
            keyring_id: link.keyring.map(|keyring| keyring.0),
            linking_keyring_id: link.linking.map(|keyring| keyring.0),
            deleted_at: record.deleted_at.map(timestamp),
            groups_synced_at: record.groups_synced_at.map(timestamp),
            released_at: record.released_at.map(timestamp),
            deletes: change.deletes,
            new_keyring_id: keys.as_ref().map(|keys| keys.keyring.0),
            linked_phone: change.links.as_ref().map(Phone::digits),
            wrapped_key: keys.as_ref().map(|keys| keys.wrapped_key.as_slice()).unwrap_or_default(),
            master_key: keys.as_ref().map(|keys| keys.master_key.as_str()).unwrap_or_default(),
            record_kinds: records.iter().map(|record| record.kind).collect::<Vec<_>>(),
            record_names: records.iter().map(|record| record.name.as_str()).collect::<Vec<_>>(),
            sealed_records: records.iter().map(|record| record.sealed.as_slice()).collect::<Vec<_>>(),
            record_stamps: records.iter().map(|record| record.stamp).collect::<Vec<_>>(),
            keep_qr: change.qr == QrChange::Keep,
            qr_png: qr_png.as_ref().map(Secret::expose),
            qr_at,
            qr_expires_at,
            keep_pair_code: change.pair_code == CodeChange::Keep,
            pair_code: match &change.pair_code {
                CodeChange::Keep | CodeChange::Clear => None,
                CodeChange::Show(code) => Some(code.expose()),
            },
            event_kinds: change.events.iter().map(|event| event.kind().as_str()).collect::<Vec<_>>(),
            event_payloads: change.events.iter().map(|event| strip_nul::json(&event.payload())).collect::<Vec<_>>(),
            audit_sources: change.audit.iter().map(|line| strip_nul::text(&line.source)).collect::<Vec<_>>(),
            audit_actions: change.audit.iter().map(|line| line.action.as_str()).collect::<Vec<_>>(),
            audit_payloads: change.audit.iter().map(audit_payload).collect::<Vec<_>>(),
            ticket_source: change.audit.first().map_or(NOBODY.to_owned(), |line| strip_nul::text(&line.source)),
            ticket_keyrings: change.tickets.iter().map(|(keyring, _)| keyring.0).collect::<Vec<_>>(),
            ticket_reasons: change.tickets.iter().map(|(_, reason)| reason.to_string()).collect::<Vec<_>>(),
            erase: change.erase.iter().map(|keyring| keyring.0).collect::<Vec<_>>(),
            replace_groups: change.groups.is_some(),
            group_jids: groups.iter().map(|group| strip_nul::text(&group.jid)).collect::<Vec<_>>(),
            group_subjects: groups.iter().map(|group| strip_nul::text(&group.subject)).collect::<Vec<_>>(),
            group_participants: groups
                .iter()
                .map(|group| i32::try_from(group.participants).unwrap_or(i32::MAX))
                .collect::<Vec<_>>(),
            group_admins: groups.iter().map(|group| group.is_admin).collect::<Vec<_>>(),
            command_ids: change.finished.iter().map(|ended| ended.command.0).collect::<Vec<_>>(),
            command_states: change
                .finished
                .iter()
                .map(|ended| if ended.result.is_ok() { "done" } else { "failed" })
                .collect::<Vec<_>>(),
            command_results: change
                .finished
                .iter()
                .map(|ended| match &ended.result {
                    Ok(said) | Err(said) => strip_nul::text(said),
                })
                .collect::<Vec<_>>(),
        };
        let client = self.connection().await?;
        let mark = self.polls.mark();
        for _ in 0..number_claim::RACES {
            let asked = async { number_claim::unless_taken(record_change().params(&client, &row).opt().await) };
            let Some(answer) = bounded(asked).await? else { continue };
            let answer = answer.ok_or(StoreError::Fenced)?;
            let settings = ConnectionSettings {
                proxy: answer.proxy,
                device_name: answer.device_name,
                presence: Presence::parse(&answer.presence).unwrap_or_default(),
            };
            let settings = answer.is_live.then_some(settings);
            let written = Written::of(answer.was_written, answer.in_turn, answer.existing_label, settings)?;
            if let Written::NumberTaken { .. } = written {
                return Ok(written);
            }
            if !change.events.is_empty() {
                self.outbox.wake();
            }
            for ended in &change.finished {
                self.in_flight.forget(ended.command);
            }
            // A look that overlapped with this statement may have seen both: this command
            // still running, and the next one not taken because of it.
            if !change.finished.is_empty() && (answer.more || self.polls.came_since(mark)) {
                self.inbox.notify_one();
            }
            if !change.tickets.is_empty() {
                self.resync.notify_one();
            }
            return Ok(written);
        }
        Err(number_claim::contested())
    }
}

/// The last of each jid.
fn distinct(groups: &[Group]) -> Vec<&Group> {
    let last: BTreeMap<&str, &Group> = groups.iter().map(|group| (group.jid.as_str(), group)).collect();
    last.into_values().collect()
}

fn audit_payload(line: &AuditEntry) -> Value {
    let mut payload = match strip_nul::json(&line.payload) {
        Value::Object(fields) => Value::Object(fields),
        Value::Null => json!({}),
        other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => json!({ "value": other }),
    };
    if let (Value::Object(fields), Some(raw)) = (&mut payload, &line.raw) {
        fields.insert("raw".to_owned(), Value::String(strip_nul::text(raw)));
    }
    payload
}
