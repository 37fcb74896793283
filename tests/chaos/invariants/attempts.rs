//! The ends of attempts, and their events.

use paird_testkit::Stage;

use super::complaints;

/// An attempt begins with a command that says so, and has one terminal event. A
/// connection of an attempt is told from any other by the audit, in its transaction.
pub async fn ended_once(stage: &Stage) -> Vec<String> {
    let ends = "SELECT concat_ws(' ', a.label, begun, 'attempts,', ended, 'ends and', paired, 'links:', kinds)
        FROM whatsapp_accounts a,
            LATERAL (SELECT count(*) AS begun FROM commands c WHERE c.account_id = a.id AND c.kind = 'account.pair'
                AND c.state = 'done' AND c.result LIKE 'pairing started%') AS b,
            LATERAL (SELECT count(*) FILTER (WHERE e.kind IN ('session.duplicate', 'session.wrong_phone',
                'session.timeout', 'session.cancelled', 'session.failed')) AS ended,
                string_agg(e.kind, ' ' ORDER BY e.seq) AS kinds FROM events e WHERE e.account_id = a.id) AS e,
            LATERAL (SELECT count(*) AS paired FROM audit_log l
                WHERE l.target_id = a.id AND l.action = 'account.paired') AS p
        WHERE begun <> ended + paired";
    complaints(stage, ends, &[]).await
}

/// Nothing that a phone could still scan or type, no deadline, no number that was expected.
pub async fn left_nothing(stage: &Stage) -> Vec<String> {
    let left = "SELECT concat_ws(' ', a.label, a.status, 'has', string_agg(field.key, ', '))
        FROM whatsapp_accounts a, jsonb_each(to_jsonb(a)) AS field
        WHERE field.key IN ('last_qr_png', 'last_qr_at', 'qr_expires_at', 'pair_code', 'pair_deadline', 'pair_phone',
            'expect_phone', 'linking_keyring_id') AND field.value <> 'null' AND a.status <> 'pending'
        GROUP BY a.id";
    complaints(stage, left, &[]).await
}

/// What is always written with one event is there as often; a first login and a
/// disconnect are not audited where nobody did anything.
pub async fn audit_matches(stage: &Stage) -> Vec<String> {
    let differ = "SELECT concat_ws(' ', a.label, pairs.action, audited, 'times in the audit,', told, 'times told')
        FROM whatsapp_accounts a
        CROSS JOIN (VALUES ('account.deleted', 'account.deleted', true), ('account.unlinked', 'account.unlinked', true),
            ('account.unlink_abandoned', 'account.unlink_abandoned', true), ('account.held', 'session.held', true),
            ('account.logged_out', 'session.logged_out', true), ('account.paired', 'session.connected', false),
            ('account.unpaired', 'account.unpaired', false), ('session.disconnected', 'session.disconnected', false))
            AS pairs (action, kind, always),
            LATERAL (SELECT count(*) AS audited FROM audit_log l WHERE l.target_id = a.id AND l.action = pairs.action) AS l,
            LATERAL (SELECT count(*) AS told FROM events e WHERE e.account_id = a.id AND e.kind = pairs.kind) AS e
        WHERE CASE WHEN always THEN audited <> told ELSE audited > told END
        UNION ALL SELECT concat_ws(' ', l.action, 'of nobody or without its label')
        FROM audit_log l LEFT JOIN whatsapp_accounts a ON a.id = l.target_id
        WHERE l.target_type = 'whatsapp_account'
          AND (a.id IS NULL OR l.payload->>'label' IS DISTINCT FROM a.label)";
    complaints(stage, differ, &[]).await
}
