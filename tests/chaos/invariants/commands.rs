//! Commands and events.

use std::collections::BTreeMap;

use paird_testkit::Stage;
use uuid::Uuid;

use super::complaints;

pub async fn ended(stage: &Stage) -> Vec<String> {
    let open = "SELECT concat_ws(' ', id, kind, state, result) FROM commands
        WHERE state NOT IN ('done', 'failed') OR result IS NULL OR done_at IS NULL";
    complaints(stage, open, &[]).await
}

/// Nor is one that succeeded reported as failed.
pub async fn told_once(stage: &Stage) -> Vec<String> {
    let told = "SELECT concat_ws(' ', c.id, c.kind, c.state, c.result, '- told', count(e.id), 'times')
        FROM commands c JOIN whatsapp_accounts a ON a.id = c.account_id
        LEFT JOIN events e ON e.account_id = c.account_id AND e.kind = 'command.failed'
            AND e.payload->>'commandId' = c.id::text AND e.payload->>'kind' = c.kind
        GROUP BY c.id HAVING count(e.id) <> (c.state = 'failed')::int";
    complaints(stage, told, &[]).await
}

/// Each time that it was taken, it goes to one actor, and once: by what the daemons logged.
pub fn delivered_once(stage: &Stage) -> Vec<String> {
    let logs = std::fs::read_dir(&stage.dir).unwrap().map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    twice(logs.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()))
}

fn twice(logs: impl Iterator<Item = String>) -> Vec<String> {
    let mut delivered: BTreeMap<String, usize> = BTreeMap::new();
    for log in logs {
        for line in log.lines().filter(|line| line.contains("delivered=true")) {
            let word = |name: &str| line.split(name).nth(1).and_then(|rest| rest.split_whitespace().next());
            let (Some(command), Some(taking)) = (word("command="), word("taking=")) else { continue };
            *delivered.entry(format!("command {command}, taken as {taking}")).or_default() += 1;
        }
    }
    delivered.retain(|_, times| *times > 1);
    delivered.into_iter().map(|(command, times)| format!("{command}, was delivered {times} times")).collect()
}

#[test]
fn a_command_that_was_delivered_twice_is_found() {
    let line = |taking| format!("DEBUG command account=a command=7 taking={taking} kind=account.pair delivered=true\n");
    assert!(twice([line("x"), line("y")].into_iter()).is_empty(), "it was taken twice");
    assert_eq!(twice([line("x") + &line("x")].into_iter()).len(), 1);
}

/// One that no daemon heard is lost without a notice.
pub async fn notified_once(stage: &Stage, notified: &BTreeMap<(String, Option<Uuid>), i64>) -> Vec<String> {
    let stored = "SELECT kind, account_id, count(*) FROM commands WHERE source = 'notify' GROUP BY 1, 2";
    let mut broken = Vec::new();
    let rows = stage.web.sql.query(stored, &[]).await.unwrap();
    for row in &rows {
        let (kind, account, stored): (String, Option<Uuid>, i64) = (row.get(0), row.get(1), row.get(2));
        let sent = notified.get(&(kind.clone(), account)).copied();
        if sent.unwrap_or(0) < stored {
            broken.push(format!("{kind} for {account:?} was sent {sent:?} times and stored {stored} times"));
        }
    }
    let sent: i64 = notified.iter().filter(|((_, account), _)| account.is_some()).map(|(_, sent)| sent).sum();
    if sent >= 3 && rows.is_empty() {
        broken.push(format!("none of {sent} was stored"));
    }
    broken
}

/// Whoever may not send commands has sent none, however he asked.
pub async fn none_of_strangers(stage: &Stage) -> Vec<String> {
    let sent = "SELECT concat_ws(' ', id, kind, 'of', sent_by) FROM commands WHERE sent_by = 'flooder'";
    complaints(stage, sent, &[]).await
}

pub async fn events_are_whole(stage: &Stage) -> Vec<String> {
    let gaps =
        "SELECT concat_ws(' ', a.label, 'has', count(e.id), 'events up to', max(e.seq), 'and counts', a.event_seq)
            FROM whatsapp_accounts a LEFT JOIN events e ON e.account_id = a.id
            GROUP BY a.id HAVING count(e.id) <> a.event_seq OR coalesce(max(e.seq), 0) <> a.event_seq
        UNION ALL SELECT concat_ws(' ', account_id, seq, kind, 'was never sent') FROM events WHERE NOT notified";
    complaints(stage, gaps, &[]).await
}
