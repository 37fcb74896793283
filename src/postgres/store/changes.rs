use paird_actors::domain::{AuditEntry, ChangeId, ConnectionSettings, PairMethod, Phone, Secret};
use paird_actors::ports::{Change, CodeChange, QrChange, StoreError};
use paird_sql::client::Params;
use paird_sql::queries::changes::{RecordChange, RecordChangeParams, record_change};
use serde_json::{Value, json};

use super::{PgStore, clean, timestamp};
use crate::postgres::{number, pool::bounded};

/// Who opens a ticket when nobody asked.
const NOBODY: &str = "paird";

impl PgStore {
    pub(super) async fn write_change(&self, id: ChangeId, change: &Change) -> Result<ConnectionSettings, StoreError> {
        let (qr_png, qr_at, qr_expires_at) = match &change.qr {
            QrChange::Keep | QrChange::Clear => (None, None, None),
            QrChange::Show { payload, at, expires_at } => {
                (Some(picture(payload).await?), Some(timestamp(*at)), Some(timestamp(*expires_at)))
            }
        };
        let record = &change.record;
        let request = record.attempt.as_ref().map(|attempt| &attempt.request);
        let (pair_method, pair_phone) = match request.map(|request| &request.method) {
            None | Some(PairMethod::Qr) => ("qr", None),
            Some(PairMethod::Code { phone }) => ("code", Some(phone.digits())),
        };
        let groups = change.groups.as_deref().unwrap_or_default();
        let row = RecordChangeParams {
            change: id.0,
            account: record.id.0,
            process: self.process,
            fence: record.fence.0,
            status: record.status.as_str(),
            status_reason: clean::text(&record.reason),
            status_since: timestamp(record.since),
            desired: record.desired.as_str(),
            next_retry_at: record.next_retry_at.map(timestamp),
            phone_number: record.phone.as_ref().map(Phone::digits),
            last_phone_number: record.last_phone.as_ref().map(Phone::digits),
            device_jid: record.device_jid.as_deref().map(clean::text),
            pair_deadline: record.attempt.as_ref().map(|attempt| timestamp(attempt.deadline)),
            pair_method,
            pair_phone,
            expect_phone: request.and_then(|request| request.expect_phone.as_ref()).map(Phone::digits),
            keyring_id: record.keyring.map(|keyring| keyring.0),
            linking_keyring_id: record.linking.map(|keyring| keyring.0),
            deleted_at: record.deleted_at.map(timestamp),
            groups_synced_at: record.groups_synced_at.map(timestamp),
            keep_qr: change.qr == QrChange::Keep,
            qr_png,
            qr_at,
            qr_expires_at,
            keep_pair_code: change.pair_code == CodeChange::Keep,
            pair_code: match &change.pair_code {
                CodeChange::Keep | CodeChange::Clear => None,
                CodeChange::Show(code) => Some(code.expose()),
            },
            event_kinds: change.events.iter().map(|event| event.kind()).collect::<Vec<_>>(),
            event_payloads: change.events.iter().map(|event| clean::json(&event.payload())).collect::<Vec<_>>(),
            audit_sources: change.audit.iter().map(|line| clean::text(&line.source)).collect::<Vec<_>>(),
            audit_actions: change.audit.iter().map(|line| line.action).collect::<Vec<_>>(),
            audit_payloads: change.audit.iter().map(audit_payload).collect::<Vec<_>>(),
            ticket_source: change.audit.first().map_or(NOBODY.to_owned(), |line| clean::text(&line.source)),
            ticket_keyrings: change.tickets.iter().map(|(keyring, _)| keyring.0).collect::<Vec<_>>(),
            ticket_reasons: change.tickets.iter().map(|(_, reason)| clean::text(reason)).collect::<Vec<_>>(),
            erase: change.erase.iter().map(|keyring| keyring.0).collect::<Vec<_>>(),
            replace_groups: change.groups.is_some(),
            group_jids: groups.iter().map(|group| clean::text(&group.jid)).collect::<Vec<_>>(),
            group_subjects: groups.iter().map(|group| clean::text(&group.subject)).collect::<Vec<_>>(),
            group_participants: groups
                .iter()
                .map(|group| i32::try_from(group.participants).unwrap_or(i32::MAX))
                .collect::<Vec<_>>(),
            group_admins: groups.iter().map(|group| group.is_admin).collect::<Vec<_>>(),
            command_ids: change.finished.iter().map(|(command, _)| command.0).collect::<Vec<_>>(),
            command_states: change
                .finished
                .iter()
                .map(|(_, result)| if result.is_ok() { "done" } else { "failed" })
                .collect::<Vec<_>>(),
            command_results: change
                .finished
                .iter()
                .map(|(_, result)| match result {
                    Ok(said) | Err(said) => clean::text(said),
                })
                .collect::<Vec<_>>(),
        };
        let client = self.connection().await?;
        let written = async {
            match record_change().params(&client, &row).opt().await {
                Err(wrong) if number::is_taken(&wrong) => Ok(Written::NumberTaken),
                other => other.map(|row| row.map_or(Written::Fenced, Written::All)),
            }
        };
        let row = match bounded(written).await? {
            Written::All(row) => row,
            Written::Fenced => return Err(StoreError::Fenced),
            Written::NumberTaken => {
                return Err(StoreError::Poisoned("another live account of the operator has the number".to_owned()));
            }
        };
        if !change.events.is_empty() {
            self.outbox.ring();
        }
        for (command, _) in &change.finished {
            self.handed_out.forget(*command);
        }
        if !change.finished.is_empty() && row.more {
            self.inbox.notify_one();
        }
        Ok(ConnectionSettings { proxy: row.proxy, device_name: row.device_name })
    }
}

enum Written {
    /// And whether more commands of the account wait.
    All(RecordChange),
    Fenced,
    NumberTaken,
}

/// Drawing takes milliseconds: too long for a thread that serves connections.
async fn picture(payload: &Secret) -> Result<String, StoreError> {
    let payload = payload.clone();
    match tokio::task::spawn_blocking(move || crate::qr::png_base64(&payload)).await {
        Ok(drawn) => drawn.map_err(|wrong| StoreError::Poisoned(format!("the QR cannot be drawn: {wrong}"))),
        Err(wrong) => Err(StoreError::Unavailable(format!("the QR was not drawn: {wrong}"))),
    }
}

fn audit_payload(line: &AuditEntry) -> Value {
    let mut payload = match clean::json(&line.payload) {
        Value::Object(fields) => Value::Object(fields),
        Value::Null => json!({}),
        other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => json!({ "value": other }),
    };
    if let (Value::Object(fields), Some(raw)) = (&mut payload, &line.raw) {
        fields.insert("raw".to_owned(), Value::String(clean::text(raw)));
    }
    payload
}
