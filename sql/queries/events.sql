--! notify_events
-- Sends what was committed and not sent yet, per account in seq order (ids of one
-- account grow with seq: its row lock orders the writers), and marks it. A waiting
-- lock, not SKIP LOCKED, keeps that order between a former and a new owner. The mark
-- need not survive a crash: at least once is the promise. Every login receives the notification,
-- so with isolated operators it carries no content.
WITH batch AS (
    SELECT e.id
    FROM events e LEFT JOIN whatsapp_accounts a ON a.id = e.account_id
    WHERE NOT e.notified
      AND (a.owner IS NULL OR a.owner = :process OR NOT EXISTS (
              SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp()))
    ORDER BY e.id
    LIMIT 500
    FOR UPDATE OF e
), marked AS (
    UPDATE events e SET notified = true FROM batch WHERE e.id = batch.id
    RETURNING e AS event, e.id, (e.payload || jsonb_build_object(
        'type', e.kind, 'accountId', e.account_id, 'id', e.id, 'seq', e.seq))::text AS message
), sent AS (
    -- event_message makes the same of an event that is short enough. It is called for others alone:
    -- each statement that calls it parses and plans it, which takes as long as all the rest.
    SELECT pg_notify(:channel, CASE WHEN NOT :is_full OR (SELECT is_isolated()) THEN event_wake(event)
                                    WHEN octet_length(message) < 8000 THEN message
                                    ELSE event_message(event) END)
    FROM (SELECT marked.* FROM marked ORDER BY marked.id) AS ordered
)
SELECT count(*) AS sent, set_config('synchronous_commit', 'off', true) AS commit_mode FROM sent;
