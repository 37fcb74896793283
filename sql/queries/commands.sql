--! take_commands
-- The oldest queued command of each account that this daemon owns and that has none
-- running; fetching groups is slow and waits for nobody, so nobody waits for it. What
-- another daemon took and left running, at the very moment it lost the account, counts as queued.
-- Goes from account to account along the index of open commands, so that a long queue
-- of one costs no more than a short one.
-- Also gives what is running here and was never handed out: an earlier asking took it,
-- whose answer was lost, or that the database did after its asker had given it up.
-- `handed` is what was handed out and has not ended, each with the asking that took it.
WITH RECURSIVE waiting (account_id) AS (
    (SELECT c.account_id FROM commands c
     WHERE c.state IN ('queued', 'running') AND c.account_id IS NOT NULL ORDER BY c.account_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.account_id FROM commands c
            WHERE c.state IN ('queued', 'running') AND c.account_id > waiting.account_id
            ORDER BY c.account_id LIMIT 1)
    FROM waiting WHERE waiting.account_id IS NOT NULL
), next AS (
    SELECT oldest.id
    FROM waiting
    JOIN whatsapp_accounts a ON a.id = waiting.account_id AND a.owner = :process
    CROSS JOIN LATERAL (
        SELECT c.id FROM commands c
        WHERE c.account_id = a.id AND c.state IN ('queued', 'running')
          AND (c.state = 'queued' OR c.taken_by IS DISTINCT FROM :process)
        ORDER BY c.account_id, c.id LIMIT 1) AS oldest
    WHERE NOT EXISTS (SELECT FROM commands r
                      WHERE r.account_id = a.id AND r.state = 'running' AND r.taken_by = :process
                        AND r.kind <> 'groups.sync')
      AND EXISTS (SELECT FROM processes me
                  WHERE me.id = :process AND me.expires_at > clock_timestamp() AND NOT me.draining)
), taken AS (
    UPDATE commands c SET state = 'running', started_at = clock_timestamp(), taken_by = :process, taken = :taken
    FROM next
    WHERE c.id = next.id AND (c.state = 'queued' OR (c.state = 'running' AND c.taken_by IS DISTINCT FROM :process))
    RETURNING c.id, c.account_id, c.kind, c.args, c.source, c.taken
)
SELECT id, account_id, kind, args, source, taken FROM taken
UNION ALL
SELECT c.id, c.account_id, c.kind, c.args, c.source, c.taken
FROM commands c JOIN whatsapp_accounts a ON a.id = c.account_id
WHERE c.state = 'running' AND c.taken_by = :process AND a.owner = :process
  AND NOT EXISTS (SELECT FROM unnest(:handed_commands::bigint[], :handed_askings::uuid[]) AS handed (command, asking)
                  WHERE handed.command = c.id AND handed.asking = c.taken)
ORDER BY id;

--! fail_orphaned_commands
-- From account to account, as in take_commands.
WITH RECURSIVE waiting (account_id) AS (
    (SELECT c.account_id FROM commands c
     WHERE c.state IN ('queued', 'running') AND c.account_id IS NOT NULL ORDER BY c.account_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.account_id FROM commands c
            WHERE c.state IN ('queued', 'running') AND c.account_id > waiting.account_id
            ORDER BY c.account_id LIMIT 1)
    FROM waiting WHERE waiting.account_id IS NOT NULL
), stray AS (
    SELECT c.id FROM commands c JOIN waiting ON waiting.account_id = c.account_id
    WHERE c.state = 'queued' AND NOT EXISTS (SELECT FROM whatsapp_accounts a WHERE a.id = waiting.account_id)
    LIMIT 500
    FOR UPDATE OF c SKIP LOCKED
), headless AS (
    SELECT c.id FROM commands c
    WHERE c.state = 'queued' AND c.account_id IS NULL
    LIMIT 500
    FOR UPDATE OF c SKIP LOCKED
)
UPDATE commands c
SET state = 'failed', done_at = clock_timestamp(),
    result = coalesce('no account with id ' || c.account_id::text, 'no account id given')
FROM (SELECT id FROM stray UNION ALL SELECT id FROM headless) AS orphaned
WHERE c.id = orphaned.id
RETURNING c.id;

--! requeue_command
UPDATE commands c SET state = 'queued', started_at = NULL
FROM whatsapp_accounts a
WHERE c.id = :command AND c.state = 'running' AND a.id = c.account_id AND a.owner = :process
RETURNING c.id;

--! requeue_commands_of
UPDATE commands c SET state = 'queued', started_at = NULL
FROM whatsapp_accounts a
WHERE c.account_id = :account AND c.state = 'running' AND a.id = c.account_id AND a.owner = :process
RETURNING c.id;

--! store_notified_command (account?, dedupe_key?, failure?) : (id?)
-- Sender and payload are known by their hash alone: a payload may hold secrets.
SELECT store_notified_command(encode(sha256(convert_to(:sender::int || ' ' || :payload::text, 'UTF8')), 'hex'),
                              :nth, make_interval(secs => :heard_within_secs),
                              :kind, :account, :args, :dedupe_key, :failure) AS id;
