--! survey_fleet
-- The accounts for which needs_daemon is true, from the index of active accounts and the tickets.
WITH needy AS (
    SELECT a.id, a.owner FROM whatsapp_accounts a
    WHERE account_is_active(a.status, a.linking_keyring_id, a.desired)
    UNION
    SELECT a.id, a.owner FROM whatsapp_accounts a
    WHERE a.id = ANY (ARRAY(SELECT t.account_id FROM unlink_tickets t))
), share AS (
    SELECT p.id, count(needy.id) AS accounts
    FROM processes p LEFT JOIN needy ON needy.owner = p.id
    WHERE p.expires_at > clock_timestamp() AND NOT p.draining
    GROUP BY p.id
)
SELECT (SELECT count(*) FROM needy) AS needing, (SELECT count(*) FROM share) AS daemons,
       (SELECT coalesce(min(share.accounts), 0) FROM share) AS least;

--! claim_accounts
-- Takes accounts that need a daemon and have no live owner, those with waiting commands
-- first. The check stays inside an OR so that it runs again on a row that changed
-- meanwhile. Commands that the former owner was running go back into the queue.
-- An array, here and below, makes Postgres look the rows up by id instead of joining the
-- whole table.
WITH candidate AS (
    SELECT a.id
    FROM whatsapp_accounts a
    WHERE account_is_active(a.status, a.linking_keyring_id, a.desired)
      AND (a.owner IS NULL OR NOT EXISTS (
              SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp()))
    UNION
    SELECT t.account_id FROM unlink_tickets t
), free AS (
    SELECT a.id
    FROM whatsapp_accounts a
    WHERE a.id = ANY (ARRAY(SELECT candidate.id FROM candidate))
      AND (a.owner IS NULL OR NOT EXISTS (
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

--! retake_account
-- Unless another daemon has it, or this one is to take none. A release under the former
-- fence that lands later finds nothing of it.
UPDATE whatsapp_accounts a SET owner = :process, fence = a.fence + 1
WHERE a.id = :account AND a.fence = :fence
  AND (a.owner = :process OR (a.owner IS NULL AND EXISTS (
          SELECT FROM processes me WHERE me.id = :process AND me.expires_at > clock_timestamp() AND NOT me.draining)))
RETURNING a.id;

--! list_owned_accounts
-- Accounts that are active, have tickets, or run at the caller, at rest or not: a running
-- account that is not in this list belongs to another daemon. A daemon whose lease has
-- expired owns nothing, since any daemon may take its accounts.
-- A deletion without open tickets is finished by its account's actor. An account that was
-- linked within the last ten minutes is not moved.
SELECT a.id, a.fence,
       account_is_active(a.status, a.linking_keyring_id, a.desired)
           AND (a.status <> 'deleting' OR a.linking_keyring_id IS NOT NULL OR a.keyring_id IS NOT NULL
                OR a.pair_deadline IS NOT NULL OR pending.tickets = '{}') AS active,
       a.status <> 'pending' AND a.linking_keyring_id IS NULL
           AND coalesce(a.keyring_id <> ALL (ARRAY(
                   SELECT k.id FROM keyrings k WHERE k.created_at > statement_timestamp() - interval '10 minutes')),
               true) AS movable,
       pending.tickets
FROM whatsapp_accounts a,
     LATERAL (SELECT coalesce(array_agg(t.id ORDER BY t.opened_at, t.id), '{}') AS tickets
              FROM unlink_tickets t WHERE t.account_id = a.id) AS pending
WHERE a.id = ANY (ARRAY(
          SELECT active.id FROM whatsapp_accounts active
          WHERE account_is_active(active.status, active.linking_keyring_id, active.desired) AND active.owner = :process
          UNION
          SELECT t.account_id FROM unlink_tickets t
          UNION
          SELECT unnest(:running::uuid[])))
  AND a.owner = :process
  AND EXISTS (SELECT FROM processes me WHERE me.id = :process AND me.expires_at > clock_timestamp())
ORDER BY a.created_at, a.id;

--! load_account : (next_retry_at?, phone_number?, last_phone_number?, device_jid?, pair_deadline?, pair_phone?, expect_phone?, keyring_id?, linking_keyring_id?, deleted_at?, groups_synced_at?, released_at?, last_change?)
SELECT id, operator_id, label, fence, status, status_reason, status_since, desired, next_retry_at,
       phone_number, last_phone_number, device_jid, pair_deadline, pair_method, pair_phone, expect_phone,
       keyring_id, linking_keyring_id, deleted_at, groups_synced_at, released_at, last_change
FROM whatsapp_accounts
WHERE id = :account AND owner = :process;

--! list_pending_accounts : (pair_deadline?)
-- Ours, and those without a live owner.
SELECT id, label, status_since, pair_deadline
FROM whatsapp_accounts
WHERE (owner = :process OR NOT EXISTS (
          SELECT FROM processes p WHERE p.id = owner AND p.expires_at > clock_timestamp()))
  AND status = 'pending' AND deleted_at IS NULL
ORDER BY created_at, id;
