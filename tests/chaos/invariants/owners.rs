//! The owners of accounts, and WhatsApp's view of them.

use paird_testkit::Stage;

use super::complaints;

/// Each daemon has one lease, and there are no others; each account that needs a daemon has
/// one of them. An account at rest may have a former owner: its next command finds another.
pub async fn one_live_owner(stage: &Stage, pids: &[i32]) -> Vec<String> {
    let live = "SELECT pid FROM processes WHERE expires_at > clock_timestamp() AND NOT draining ORDER BY pid";
    let rows = stage.web.sql.query(live, &[]).await.unwrap();
    let leases: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    let mut pids = pids.to_vec();
    pids.sort_unstable();
    let stray =
        "SELECT concat_ws(' ', a.label, a.status, 'is owned by', coalesce(p.pid::text, a.owner::text, 'nobody'))
            FROM whatsapp_accounts a
            LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp() AND NOT p.draining
            WHERE needs_daemon(a) AND p.id IS NULL
        UNION ALL SELECT concat_ws(' ', label, 'is owned under fence 0') FROM whatsapp_accounts
            WHERE owner IS NOT NULL AND fence = 0";
    let mut broken = complaints(stage, stray, &[]).await;
    if pids != leases {
        broken.push(format!("the daemons are {pids:?} and the leases those of {leases:?}"));
    }
    broken
}

/// But while a daemon stood still for longer than its lease: WhatsApp does not know.
pub async fn never_connected_twice(stage: &Stage, usurped: &[(u64, u64)]) -> Vec<String> {
    let report = stage.phones.report().await;
    let explained = |at: u64| usurped.iter().any(|(from, to)| (*from..=*to).contains(&at));
    let broken = report.replacements.iter().filter(|replaced| !explained(replaced.at_ms));
    broken
        .map(|replaced| format!("{} {} at {}, not in {usurped:?}", replaced.from, replaced.what, replaced.at_ms))
        .collect()
}

pub async fn nothing_odd(stage: &Stage) -> Vec<String> {
    let report = stage.phones.report().await;
    report
        .unknown
        .iter()
        .chain(&report.violations)
        .map(|odd| format!("{} at {}: {}", odd.from, odd.at_ms, odd.what))
        .collect()
}
