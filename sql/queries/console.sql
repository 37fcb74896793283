-- The console's statements. It reads rows and sends commands; it decides nothing.

--: ShownAccount(phone_number?, last_phone_number?, next_retry_at?, last_qr_at?, qr_expires_at?, pair_deadline?, expect_phone?, deleted_at?, proxy?, device_name?, desired_phone?, sending_paused_until?, sending_paused_reason?, owner_host?, owner_pid?, owner_version?)
--: FeedEvent()
--: AuditRecord(operator_id?, target_id?, sent_by?, channel?)
--: ShownCommand(account_id?, result?, sent_by?, started_at?, done_at?)

--! list_shown_accounts : ShownAccount
SELECT a.id, a.operator_id, a.label, a.phone_number, a.last_phone_number, a.status, a.status_reason, a.status_since,
       a.next_retry_at, a.desired, a.last_qr_at, a.qr_expires_at, a.pair_deadline, a.expect_phone, a.created_at,
       a.deleted_at, a.proxy, a.device_name, a.presence, a.tags, a.desired_phone, a.sending_paused_until,
       a.sending_paused_reason,
       a.keyring_id IS NOT NULL AS has_keys, a.pair_code IS NOT NULL AS has_pair_code,
       EXISTS (SELECT FROM proxy_logins l WHERE l.account_id = a.id AND l.proxy = a.proxy) AS has_proxy_login,
       p.host AS owner_host, p.pid AS owner_pid, p.version AS owner_version, tickets.open AS open_tickets
FROM whatsapp_accounts a
LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp(),
     LATERAL (SELECT count(*) AS open FROM unlink_tickets t WHERE t.account_id = a.id) AS tickets
WHERE a.deleted_at IS NULL
ORDER BY a.created_at, a.id;

--! get_shown_account : ShownAccount
SELECT a.id, a.operator_id, a.label, a.phone_number, a.last_phone_number, a.status, a.status_reason, a.status_since,
       a.next_retry_at, a.desired, a.last_qr_at, a.qr_expires_at, a.pair_deadline, a.expect_phone, a.created_at,
       a.deleted_at, a.proxy, a.device_name, a.presence, a.tags, a.desired_phone, a.sending_paused_until,
       a.sending_paused_reason,
       a.keyring_id IS NOT NULL AS has_keys, a.pair_code IS NOT NULL AS has_pair_code,
       EXISTS (SELECT FROM proxy_logins l WHERE l.account_id = a.id AND l.proxy = a.proxy) AS has_proxy_login,
       p.host AS owner_host, p.pid AS owner_pid, p.version AS owner_version, tickets.open AS open_tickets
FROM whatsapp_accounts a
LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp(),
     LATERAL (SELECT count(*) AS open FROM unlink_tickets t WHERE t.account_id = a.id) AS tickets
WHERE a.id = :account AND a.deleted_at IS NULL;

--! find_accounts (operator?, daemon?, proxy?, search?, id_prefix?, digits?, number_key?, after_at?, after_id?, most?) : ShownAccount
-- The accounts that meet every criterion, in the order of lists: all of them, or a page after a position.
-- Whoever reads page after page misses no account that was there before, whatever is added, renamed or
-- deleted meanwhile. With -infinity instead of no position, the index serves generic plans, too.
SELECT a.id, a.operator_id, a.label, a.phone_number, a.last_phone_number, a.status, a.status_reason, a.status_since,
       a.next_retry_at, a.desired, a.last_qr_at, a.qr_expires_at, a.pair_deadline, a.expect_phone, a.created_at,
       a.deleted_at, a.proxy, a.device_name, a.presence, a.tags, a.desired_phone, a.sending_paused_until,
       a.sending_paused_reason,
       a.keyring_id IS NOT NULL AS has_keys, a.pair_code IS NOT NULL AS has_pair_code,
       EXISTS (SELECT FROM proxy_logins l WHERE l.account_id = a.id AND l.proxy = a.proxy) AS has_proxy_login,
       p.host AS owner_host, p.pid AS owner_pid, p.version AS owner_version, tickets.open AS open_tickets
FROM whatsapp_accounts a
LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp(),
     LATERAL (SELECT count(*) AS open FROM unlink_tickets t WHERE t.account_id = a.id) AS tickets
WHERE a.deleted_at IS NULL
  AND (a.created_at, a.id) > (coalesce(:after_at, '-infinity'::timestamptz),
                              coalesce(:after_id, '00000000-0000-0000-0000-000000000000'::uuid))
  AND (:operator::uuid IS NULL OR a.operator_id = :operator)
  AND (cardinality(:statuses::text[]) = 0 OR a.status = ANY (:statuses))
  AND (cardinality(:reasons::text[]) = 0 OR split_part(a.status_reason, ':', 1) = ANY (:reasons)
       OR (cardinality(:known_reasons::text[]) > 0 AND split_part(a.status_reason, ':', 1) <> ALL (:known_reasons)))
  AND (:daemon::text IS NULL OR :daemon IN (p.id::text, p.host, p.host || ':' || p.pid))
  AND (:proxy::text IS NULL OR lower(coalesce(proxy_without_login(a.proxy), 'none')) = lower(:proxy))
  AND NOT EXISTS (SELECT FROM unnest(:tags::text[]) AS wanted (tag)
                  WHERE NOT EXISTS (SELECT FROM unnest(a.tags) AS own (tag) WHERE folded(own.tag) = folded(wanted.tag)))
  AND (:search::text IS NULL
       OR position(folded(:search) IN folded(a.label)) > 0
       OR position(folded(:search) IN folded(a.status_reason)) > 0
       OR split_part(a.status_reason, ':', 1) = ANY (:searched_reasons::text[])
       OR EXISTS (SELECT FROM unnest(a.tags) AS own (tag) WHERE position(folded(:search) IN folded(own.tag)) > 0)
       OR starts_with(a.id::text, :id_prefix::text)
       OR position(:digits::text IN a.phone_number) > 0
       OR position(:digits IN a.last_phone_number) > 0
       OR position(:digits IN a.desired_phone) > 0
       OR :number_key::text IN (a.phone_key, phone_key(a.last_phone_number), phone_key(a.desired_phone)))
ORDER BY a.created_at, a.id
LIMIT :most;

--! list_changed_accounts : ShownAccount
-- Rows written by transactions that were still open at `since`, or began later. Scans the row
-- headers of live accounts and of those deleted within a day: a caller that reads less often
-- must compare with list_shown_accounts.
SELECT a.id, a.operator_id, a.label, a.phone_number, a.last_phone_number, a.status, a.status_reason, a.status_since,
       a.next_retry_at, a.desired, a.last_qr_at, a.qr_expires_at, a.pair_deadline, a.expect_phone, a.created_at,
       a.deleted_at, a.proxy, a.device_name, a.presence, a.tags, a.desired_phone, a.sending_paused_until,
       a.sending_paused_reason,
       a.keyring_id IS NOT NULL AS has_keys, a.pair_code IS NOT NULL AS has_pair_code,
       EXISTS (SELECT FROM proxy_logins l WHERE l.account_id = a.id AND l.proxy = a.proxy) AS has_proxy_login,
       p.host AS owner_host, p.pid AS owner_pid, p.version AS owner_version, tickets.open AS open_tickets
FROM whatsapp_accounts a
LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp(),
     LATERAL (SELECT count(*) AS open FROM unlink_tickets t WHERE t.account_id = a.id) AS tickets
WHERE (a.deleted_at IS NULL OR a.deleted_at > now() - interval '1 day')
  AND age(a.xmin) <= age((:since::bigint::text::xid8)::xid)
ORDER BY a.created_at, a.id;

--! find_account
SELECT true AS found FROM whatsapp_accounts WHERE id = :account;

--! add_account
-- `source` names the writer in the audit log, here and in all other writes of a row.
INSERT INTO whatsapp_accounts (id, operator_id, label)
SELECT :id, :operator, :label FROM (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed
WHERE claimed.source IS NOT NULL
ON CONFLICT (id) DO NOTHING
RETURNING id;

--! get_account_of_key
SELECT operator_id, label, deleted_at IS NOT NULL AS is_deleted FROM whatsapp_accounts WHERE id = :id;

--! rename_account
UPDATE whatsapp_accounts a SET label = :label
FROM (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed
WHERE a.id = :account AND a.deleted_at IS NULL AND claimed.source IS NOT NULL
RETURNING a.id;

--! get_pair_code : (pair_code?)
SELECT pair_code FROM whatsapp_accounts WHERE id = :account AND status = 'pending' AND deleted_at IS NULL;

--! get_qr : ShownQr(expires_at?)
-- One that is over is not shown: no phone takes it any more.
SELECT last_qr_png AS png, qr_expires_at AS expires_at
FROM whatsapp_accounts
WHERE id = :account AND deleted_at IS NULL AND last_qr_png IS NOT NULL
  AND (qr_expires_at IS NULL OR qr_expires_at > clock_timestamp());

--! list_account_groups
SELECT jid, subject, participants, is_admin, synced_at
FROM whatsapp_groups
WHERE account_id = :account
ORDER BY subject, jid;

--! list_account_events : FeedEvent
SELECT id, account_id, seq, kind, payload, created_at, xact::text::bigint AS xact
FROM events
WHERE account_id = :account AND seq > :after
ORDER BY seq
LIMIT :limit;

--! list_last_account_events : FeedEvent
SELECT * FROM (
    SELECT id, account_id, seq, kind, payload, created_at, xact::text::bigint AS xact
    FROM events
    WHERE account_id = :account AND seq > :after AND seq < :before
    ORDER BY seq DESC
    LIMIT :limit
) AS last
ORDER BY seq;

--! list_fleet_events (earliest?, before_at?, before_id?) : FeedEvent
-- Newest first, of all accounts. From kind to kind along events_by_kind: those that are asked for, else all
-- that there are. Whoever goes on behind the last row of a page meets no row twice, and every row that was
-- there when the first page was read.
WITH RECURSIVE there (kind) AS (
    (SELECT e.kind FROM events e ORDER BY e.kind LIMIT 1)
    UNION ALL
    SELECT (SELECT e.kind FROM events e WHERE e.kind > there.kind ORDER BY e.kind LIMIT 1)
    FROM there WHERE there.kind IS NOT NULL
), wanted (kind) AS (
    SELECT there.kind FROM there WHERE there.kind IS NOT NULL AND cardinality(:kinds::text[]) = 0
    UNION
    SELECT unnest(:kinds)
)
SELECT page.id, page.account_id, page.seq, page.kind, page.payload, page.created_at, page.xact
FROM wanted CROSS JOIN LATERAL (
    SELECT e.id, e.account_id, e.seq, e.kind, e.payload, e.created_at, e.xact::text::bigint AS xact
    FROM events e
    WHERE e.kind = wanted.kind AND e.created_at >= coalesce(:earliest, '-infinity'::timestamptz)
      AND (e.created_at, e.id) < (coalesce(:before_at, 'infinity'::timestamptz), coalesce(:before_id, 0::bigint))
    ORDER BY e.created_at DESC, e.id DESC
    LIMIT :limit
) AS page
ORDER BY page.created_at DESC, page.id DESC
LIMIT :limit;

--! list_newest_account_events (earliest?, latest?, before?) : FeedEvent
-- The same of one account, by seq.
SELECT id, account_id, seq, kind, payload, created_at, xact::text::bigint AS xact
FROM events
WHERE account_id = :account AND seq < coalesce(:before, 9223372036854775807)
  AND (cardinality(:kinds::text[]) = 0 OR kind = ANY (:kinds))
  AND created_at >= coalesce(:earliest, '-infinity'::timestamptz)
  AND created_at < coalesce(:latest, 'infinity'::timestamptz)
ORDER BY seq DESC
LIMIT :limit;

--! list_fleet_audit (earliest?, before_at?, before_id?) : AuditRecord
-- As list_fleet_events, along audit_log_by_action.
WITH RECURSIVE there (action) AS (
    (SELECT l.action FROM audit_log l ORDER BY l.action LIMIT 1)
    UNION ALL
    SELECT (SELECT l.action FROM audit_log l WHERE l.action > there.action ORDER BY l.action LIMIT 1)
    FROM there WHERE there.action IS NOT NULL
), wanted (action) AS (
    SELECT there.action FROM there WHERE there.action IS NOT NULL AND cardinality(:kinds::text[]) = 0
    UNION
    SELECT unnest(:kinds)
)
SELECT page.id, page.operator_id, page.source, page.sent_by, page.channel, page.action, page.target_type,
       page.target_id, page.payload, page.created_at
FROM wanted CROSS JOIN LATERAL (
    SELECT l.*
    FROM audit_log l
    WHERE l.action = wanted.action AND l.created_at >= coalesce(:earliest, '-infinity'::timestamptz)
      AND (l.created_at, l.id) < (coalesce(:before_at, 'infinity'::timestamptz), coalesce(:before_id, 0::bigint))
    ORDER BY l.created_at DESC, l.id DESC
    LIMIT :limit
) AS page
ORDER BY page.created_at DESC, page.id DESC
LIMIT :limit;

--! list_account_audit (earliest?, latest?, before?) : AuditRecord
-- The same of one account, by id.
SELECT id, operator_id, source, sent_by, channel, action, target_type, target_id, payload, created_at
FROM audit_log
WHERE target_id = :account AND id < coalesce(:before, 9223372036854775807)
  AND (cardinality(:kinds::text[]) = 0 OR action = ANY (:kinds))
  AND created_at >= coalesce(:earliest, '-infinity'::timestamptz)
  AND created_at < coalesce(:latest, 'infinity'::timestamptz)
ORDER BY id DESC
LIMIT :limit;

--! list_fleet_commands (earliest?, before_at?, before_id?) : ShownCommand
-- As list_fleet_events, along commands_by_kind.
WITH RECURSIVE there (kind) AS (
    (SELECT c.kind FROM commands c ORDER BY c.kind LIMIT 1)
    UNION ALL
    SELECT (SELECT c.kind FROM commands c WHERE c.kind > there.kind ORDER BY c.kind LIMIT 1)
    FROM there WHERE there.kind IS NOT NULL
), wanted (kind) AS (
    SELECT there.kind FROM there WHERE there.kind IS NOT NULL AND cardinality(:kinds::text[]) = 0
    UNION
    SELECT unnest(:kinds)
)
SELECT page.id, page.account_id, page.kind, page.state, page.result, page.source, page.sent_by, page.created_at,
       page.started_at, page.done_at
FROM wanted CROSS JOIN LATERAL (
    SELECT c.id, c.account_id, c.kind, c.state, c.result, c.source, c.sent_by, c.created_at, c.started_at, c.done_at
    FROM commands c
    WHERE c.kind = wanted.kind AND c.created_at >= coalesce(:earliest, '-infinity'::timestamptz)
      AND (c.created_at, c.id) < (coalesce(:before_at, 'infinity'::timestamptz), coalesce(:before_id, 0::bigint))
      AND (cardinality(:states::text[]) = 0 OR c.state = ANY (:states))
    ORDER BY c.created_at DESC, c.id DESC
    LIMIT :limit
) AS page
ORDER BY page.created_at DESC, page.id DESC
LIMIT :limit;

--! list_account_commands (earliest?, latest?, before?) : ShownCommand
-- The same of one account, by id.
SELECT id, account_id, kind, state, result, source, sent_by, created_at, started_at, done_at
FROM commands
WHERE account_id = :account AND id < coalesce(:before, 9223372036854775807)
  AND (cardinality(:kinds::text[]) = 0 OR kind = ANY (:kinds))
  AND (cardinality(:states::text[]) = 0 OR state = ANY (:states))
  AND created_at >= coalesce(:earliest, '-infinity'::timestamptz)
  AND created_at < coalesce(:latest, 'infinity'::timestamptz)
ORDER BY id DESC
LIMIT :limit;

--! find_accounts_called
-- Two say that the label is not enough.
SELECT id FROM whatsapp_accounts WHERE deleted_at IS NULL AND label = :label ORDER BY created_at, id LIMIT 2;

--! send_console_command (dedupe_key?)
SELECT send_command(:kind, :account, :args, :dedupe_key, :source) AS id;

--! get_command : ShownCommand
SELECT id, account_id, kind, state, result, source, sent_by, created_at, started_at, done_at
FROM commands WHERE id = :command;

--! get_owner : AccountOwner(process?, host?, pid?)
SELECT p.id AS process, p.host, p.pid
FROM whatsapp_accounts a
LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp()
WHERE a.id = :account;

--! count_accounts_by_status
SELECT status, count(*) AS accounts FROM whatsapp_accounts WHERE deleted_at IS NULL GROUP BY status ORDER BY status;

--! list_daemons
-- The accounts that it owns, without those whose deletion is complete.
SELECT p.id, p.host, p.pid, p.version, p.started_at, p.renewed_at, p.expires_at, p.draining,
       coalesce(owned.accounts, 0) AS accounts
FROM processes p
LEFT JOIN (SELECT a.owner, count(*) AS accounts FROM whatsapp_accounts a
           WHERE a.deleted_at IS NULL OR a.status = 'deleting' GROUP BY a.owner) AS owned ON owned.owner = p.id
WHERE p.expires_at > clock_timestamp()
ORDER BY p.started_at, p.id;

--! measure_queues : (oldest_queued_command_age_ms?)
SELECT (SELECT count(*) FROM unlink_tickets) AS open_tickets,
       (SELECT count(*) FROM commands WHERE state = 'queued') AS queued_commands,
       (SELECT (extract(epoch FROM clock_timestamp() - min(created_at)) * 1000)::bigint
        FROM commands WHERE state = 'queued') AS oldest_queued_command_age_ms,
       (SELECT count(*) FROM events WHERE NOT notified) AS unsent_events;

--! get_feed_line
-- Below it everything is committed or rolled back.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS line;

--! list_feed_events : FeedEvent
SELECT id, account_id, seq, kind, payload, created_at, xact::text::bigint AS xact
FROM events
WHERE (xact, id) > (:xact::bigint::text::xid8, :id)
  AND xact < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xact, id
LIMIT :limit;
