--! survey_fleet
SELECT (SELECT count(*) FROM whatsapp_accounts a WHERE needs_daemon(a)) AS needing,
       (SELECT count(*) FROM processes p WHERE p.expires_at > clock_timestamp() AND NOT p.draining) AS daemons;

--! claim_accounts
-- Takes accounts that need a daemon and that nobody live owns, those with waiting
-- commands first. The check stays inside an OR so that it runs again on a row that
-- changed meanwhile. Commands that the former owner was running go back into the queue.
WITH free AS (
    SELECT a.id
    FROM whatsapp_accounts a
    WHERE (a.owner IS NULL OR NOT EXISTS (
              SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp()))
      AND needs_daemon(a)
      AND EXISTS (SELECT FROM processes me
                  WHERE me.id = :process AND me.expires_at > clock_timestamp() AND NOT me.draining)
    ORDER BY NOT EXISTS (SELECT FROM commands c WHERE c.account_id = a.id AND c.state IN ('queued', 'running')), a.id
    LIMIT :limit
    FOR UPDATE OF a SKIP LOCKED
), claimed AS (
    UPDATE whatsapp_accounts a SET owner = :process, fence = a.fence + 1
    FROM free WHERE a.id = free.id
    RETURNING a.id
), requeued AS (
    UPDATE commands c SET state = 'queued', started_at = NULL
    FROM claimed WHERE c.account_id = claimed.id AND c.state = 'running'
)
SELECT id FROM claimed;

--! release_account
-- For another daemon to claim, with the commands that were being run.
WITH released AS (
    UPDATE whatsapp_accounts SET owner = NULL
    WHERE id = :account AND owner = :process AND fence = :fence
    RETURNING id
), requeued AS (
    UPDATE commands c SET state = 'queued', started_at = NULL
    FROM released WHERE c.account_id = released.id AND c.state = 'running'
)
SELECT id FROM released;

--! list_owned_accounts
-- All of them, at rest or not: who runs and is not in this list is another daemon's. A
-- daemon whose lease ran out owns nothing, whatever the rows say: anybody may take it.
SELECT a.id, a.fence, unfinished.active, a.status <> 'pending' AND a.linking_keyring_id IS NULL AS movable,
       pending.tickets
FROM whatsapp_accounts a,
     LATERAL (SELECT a.status IN ('pending', 'deleting') OR a.linking_keyring_id IS NOT NULL
                     OR (a.desired = 'paired' AND a.status <> 'unpaired') AS active) AS unfinished,
     LATERAL (SELECT coalesce(array_agg(t.id ORDER BY t.opened_at, t.id), '{}') AS tickets
              FROM unlink_tickets t WHERE t.account_id = a.id) AS pending
WHERE a.owner = :process
  AND EXISTS (SELECT FROM processes me WHERE me.id = :process AND me.expires_at > clock_timestamp())
ORDER BY a.created_at, a.id;

--! load_account : (next_retry_at?, phone_number?, last_phone_number?, device_jid?, pair_deadline?, pair_phone?, expect_phone?, keyring_id?, linking_keyring_id?, deleted_at?, groups_synced_at?)
SELECT id, operator_id, label, fence, status, status_reason, status_since, desired, next_retry_at,
       phone_number, last_phone_number, device_jid, pair_deadline, pair_method, pair_phone, expect_phone,
       keyring_id, linking_keyring_id, deleted_at, groups_synced_at
FROM whatsapp_accounts
WHERE id = :account AND owner = :process;

--! claim_number : (existing_label?)
-- The oldest other live account that has the number, or else the number is written;
-- two newcomers at the same moment meet at the unique index.
WITH me AS (
    SELECT id, operator_id FROM whatsapp_accounts WHERE id = :account AND owner = :process AND fence = :fence
), incumbent AS (
    SELECT a.label
    FROM whatsapp_accounts a JOIN me ON a.operator_id = me.operator_id AND a.id <> me.id
    WHERE a.phone_number = :phone AND a.deleted_at IS NULL
    ORDER BY a.created_at, a.id
    LIMIT 1
), granted AS (
    UPDATE whatsapp_accounts a SET phone_number = :phone
    WHERE a.id = :account AND a.owner = :process AND a.fence = :fence AND NOT EXISTS (SELECT FROM incumbent)
    RETURNING a.id
)
SELECT EXISTS (SELECT FROM granted) AS granted, (SELECT label FROM incumbent) AS existing_label;

--! get_unread_account : (phone_number?, last_phone_number?)
SELECT desired, phone_number, last_phone_number, deleted_at IS NOT NULL AS deleted,
       keyring_id IS NOT NULL AS linked
FROM whatsapp_accounts
WHERE id = :account AND owner = :process;

--! hold_account (phone_number?, last_phone_number?)
-- An attempt that ran gets its terminal event, too. Nothing happens twice. The row can
-- be read from now on, so that commands are done again: what the attempt wanted goes
-- with it, and the rest is given by the caller as far as it could be read.
WITH held AS (
    UPDATE whatsapp_accounts a
    SET status = 'held', status_reason = :reason, status_since = clock_timestamp(), next_retry_at = NULL,
        last_qr_png = NULL, last_qr_at = NULL, qr_expires_at = NULL, pair_code = NULL, pair_deadline = NULL,
        pair_method = 'qr', pair_phone = NULL, expect_phone = NULL,
        desired = :desired, phone_number = :phone_number, last_phone_number = :last_phone_number,
        event_seq = a.event_seq + CASE WHEN before.status = 'pending' THEN 2 ELSE 1 END
    FROM (SELECT * FROM whatsapp_accounts WHERE id = :account FOR UPDATE) AS before
    WHERE a.id = before.id AND a.owner = :process
      AND (before.status, before.status_reason, before.desired, before.phone_number, before.last_phone_number,
           before.pair_method, before.pair_phone, before.expect_phone)
          IS DISTINCT FROM ('held', :reason::text, :desired::text, :phone_number::text, :last_phone_number::text,
                            'qr', NULL::text, NULL::text)
    RETURNING a.id, a.event_seq, before.status AS former
), told AS (
    INSERT INTO events (account_id, seq, kind, payload)
    SELECT id, event_seq - 1, 'session.failed', jsonb_build_object('reason', :reason::text)
    FROM held WHERE former = 'pending'
    UNION ALL
    SELECT id, event_seq, 'session.held', jsonb_build_object('reason', :reason::text, 'until', NULL)
    FROM held
)
SELECT EXISTS (SELECT FROM whatsapp_accounts WHERE id = :account AND owner = :process) AS owned
FROM (SELECT count(*) FROM held) AS done;

--! list_stale_attempts
-- Ours, and those that nobody live owns.
SELECT id, label, pair_deadline IS NOT NULL AND pair_deadline <= :now AS past_deadline
FROM whatsapp_accounts
WHERE (owner = :process OR NOT EXISTS (
          SELECT FROM processes p WHERE p.id = owner AND p.expires_at > clock_timestamp()))
  AND status = 'pending' AND (pair_deadline <= :now OR status_since <= :oldest)
ORDER BY created_at, id;

--! park_stale_attempts
-- The fence grows, so that an actor that ran the attempt after all writes nothing more.
WITH stale AS (
    SELECT id, linking_keyring_id AS linking, pair_deadline IS NOT NULL AND pair_deadline <= :now AS past_deadline
    FROM whatsapp_accounts
    WHERE (owner = :process OR NOT EXISTS (
              SELECT FROM processes p WHERE p.id = owner AND p.expires_at > clock_timestamp()))
      AND status = 'pending' AND (pair_deadline <= :now OR status_since <= :oldest)
    ORDER BY id
    FOR UPDATE
), parked AS (
    UPDATE whatsapp_accounts a
    SET status = 'unpaired', status_reason = 'timeout', status_since = :now, next_retry_at = NULL,
        desired = 'unpaired', phone_number = NULL, last_qr_png = NULL, last_qr_at = NULL, qr_expires_at = NULL,
        pair_code = NULL, pair_deadline = NULL, pair_method = 'qr', pair_phone = NULL, expect_phone = NULL,
        linking_keyring_id = NULL, fence = a.fence + 1, event_seq = a.event_seq + 1
    FROM stale WHERE a.id = stale.id
    RETURNING a.id, a.label, a.event_seq, a.created_at, stale.linking, stale.past_deadline
), told AS (
    INSERT INTO events (account_id, seq, kind) SELECT id, event_seq, 'session.timeout' FROM parked
), ticketed AS (
    INSERT INTO unlink_tickets (account_id, keyring_id, reason, source)
    SELECT parked.id, k.id, 'timeout', 'paird' FROM parked JOIN keyrings k ON k.id = parked.linking
    ON CONFLICT (keyring_id) DO NOTHING
)
SELECT id, label, past_deadline FROM parked ORDER BY created_at, id;
