//! What came in and what went out.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::complaints;
use crate::support::Stage;

pub async fn ended(stage: &Stage) -> Vec<String> {
    let open = "SELECT concat_ws(' ', id, kind, state, result) FROM commands
        WHERE state NOT IN ('done', 'failed') OR result IS NULL OR done_at IS NULL";
    complaints(stage, open, &[]).await
}

/// And one that is done is not told of as failed.
pub async fn told_once(stage: &Stage) -> Vec<String> {
    let told = "SELECT concat_ws(' ', c.id, c.kind, c.state, c.result, '- told', count(e.id), 'times')
        FROM commands c JOIN whatsapp_accounts a ON a.id = c.account_id
        LEFT JOIN events e ON e.account_id = c.account_id AND e.kind = 'command.failed'
            AND e.payload->>'commandId' = c.id::text AND e.payload->>'kind' = c.kind
        GROUP BY c.id HAVING count(e.id) <> (c.state = 'failed')::int";
    complaints(stage, told, &[]).await
}

/// One that nobody heard is lost, and says so to nobody.
pub async fn notified_once(stage: &Stage, notified: &BTreeMap<(String, Uuid), i64>) -> Vec<String> {
    let stored = "SELECT kind, account_id, count(*) FROM commands WHERE source = 'notify' GROUP BY 1, 2";
    let mut broken = Vec::new();
    let rows = stage.web.sql.query(stored, &[]).await.unwrap();
    for row in &rows {
        let (kind, account, stored): (String, Option<Uuid>, i64) = (row.get(0), row.get(1), row.get(2));
        let sent = account.and_then(|account| notified.get(&(kind.clone(), account))).copied();
        if sent.unwrap_or(0) < stored {
            broken.push(format!("{kind} for {account:?} was sent {sent:?} times and stored {stored} times"));
        }
    }
    let sent: i64 = notified.values().sum();
    if sent >= 3 && rows.is_empty() {
        broken.push(format!("none of {sent} was stored"));
    }
    broken
}

pub async fn events_are_whole(stage: &Stage) -> Vec<String> {
    let gaps =
        "SELECT concat_ws(' ', a.label, 'has', count(e.id), 'events up to', max(e.seq), 'and counts', a.event_seq)
            FROM whatsapp_accounts a LEFT JOIN events e ON e.account_id = a.id
            GROUP BY a.id HAVING count(e.id) <> a.event_seq OR coalesce(max(e.seq), 0) <> a.event_seq
        UNION ALL SELECT concat_ws(' ', account_id, seq, kind, 'was never sent') FROM events WHERE NOT notified";
    complaints(stage, gaps, &[]).await
}
