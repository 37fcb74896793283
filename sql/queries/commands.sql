--! take_commands : (id?, account_id?, kind?, args?, source?, taken?, created_at?)
-- The oldest queued command of each account that this daemon owns and that has none running.
-- Some kinds are slow and run beside other commands, so they block none. A command that
-- another daemon left running when it lost the account counts as queued.
-- Accounts at rest without a live owner are claimed for their command: a new account need not
-- wait for the next claim, and a deleted one gets its answer. Accounts that need a daemon are
-- left to the fair shares: a daemon that has just given one up must not take it back for its
-- command.
-- Goes from account to account along the index of open commands, so that a long queue
-- of one account costs no more than a short one.
-- Also returns commands that run here and were never delivered: an earlier statement took
-- them, but its answer was lost, or its caller had given it up.
-- `handed` lists the commands in flight here, each with the statement that took it.
-- The operators take turns, so that one with a thousand commands does not delay one with a
-- single command.
-- There is always a row: `orphans` says whether fail_orphaned_commands has something to do.
-- An attempt whose arguments name no number is for the one that the account is for.
WITH RECURSIVE waiting (account_id) AS (
    (SELECT c.account_id FROM commands c
     WHERE c.state IN ('queued', 'running') AND c.account_id IS NOT NULL ORDER BY c.account_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.account_id FROM commands c
            WHERE c.state IN ('queued', 'running') AND c.account_id > waiting.account_id
            ORDER BY c.account_id LIMIT 1)
    FROM waiting WHERE waiting.account_id IS NOT NULL
), me AS (
    SELECT p.id FROM processes p WHERE p.id = :process AND p.expires_at > clock_timestamp() AND NOT p.draining
), free AS (
    SELECT a.id
    FROM whatsapp_accounts a
    WHERE a.id = ANY (ARRAY(SELECT waiting.account_id FROM waiting))
      AND (a.owner IS NULL OR NOT EXISTS (
              SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp()))
      AND NOT needs_daemon(a)
      AND EXISTS (SELECT FROM me)
    ORDER BY a.id
    FOR UPDATE OF a SKIP LOCKED
), claimed AS (
    UPDATE whatsapp_accounts a SET owner = :process, fence = a.fence + 1
    FROM free WHERE a.id = free.id
    RETURNING a.id
), mine AS (
    SELECT a.id, false AS is_new
    FROM whatsapp_accounts a
    WHERE a.id = ANY (ARRAY(SELECT waiting.account_id FROM waiting)) AND a.owner = :process AND EXISTS (SELECT FROM me)
    UNION ALL
    SELECT claimed.id, true FROM claimed
), next AS (
    SELECT oldest.id, mine.is_new
    FROM mine
    CROSS JOIN LATERAL (
        SELECT c.id FROM commands c
        WHERE c.account_id = mine.id AND c.state IN ('queued', 'running')
          AND (c.state = 'queued' OR mine.is_new OR c.taken_by IS DISTINCT FROM :process)
        ORDER BY c.account_id, c.id LIMIT 1) AS oldest
    WHERE mine.is_new
       OR NOT EXISTS (SELECT FROM commands r
                      WHERE r.account_id = mine.id AND r.state = 'running' AND r.taken_by = :process
                        AND r.kind NOT IN ('groups.sync', 'chat.read', 'contact.check'))
), taken AS (
    UPDATE commands c SET state = 'running', started_at = clock_timestamp(), taken_by = :process, taken = :taken
    FROM next
    WHERE c.id = next.id
      AND (c.state = 'queued' OR (c.state = 'running' AND (next.is_new OR c.taken_by IS DISTINCT FROM :process)))
    RETURNING c.id, c.account_id, c.kind, c.args, c.source, c.taken, c.created_at
), requeued AS (
    UPDATE commands c SET state = 'queued', started_at = NULL
    FROM claimed
    WHERE c.account_id = claimed.id AND c.state = 'running' AND NOT EXISTS (SELECT FROM next WHERE next.id = c.id)
), due AS (
    SELECT taken.* FROM taken
    UNION ALL
    SELECT c.id, c.account_id, c.kind, c.args, c.source, c.taken, c.created_at
    FROM commands c JOIN whatsapp_accounts a ON a.id = c.account_id
    WHERE c.state = 'running' AND c.taken_by = :process AND a.owner = :process
      AND NOT EXISTS (
          SELECT FROM unnest(:handed_commands::bigint[], :handed_askings::uuid[]) AS handed (command, asking)
          WHERE handed.command = c.id AND handed.asking = c.taken)
)
SELECT due.id, due.account_id, due.kind,
       CASE WHEN due.kind = 'account.pair' AND a.desired_phone IS NOT NULL AND jsonb_typeof(due.args) = 'object'
                 AND coalesce(due.args ->> 'expectPhone', due.args ->> 'phone') IS NULL
            THEN due.args || jsonb_build_object('expectPhone', a.desired_phone) ELSE due.args END AS args,
       due.source, due.taken, due.created_at, rest.orphans
FROM (SELECT EXISTS (SELECT FROM commands c WHERE c.state = 'queued' AND c.account_id IS NULL)
             OR EXISTS (SELECT FROM waiting
                        WHERE NOT EXISTS (SELECT FROM whatsapp_accounts a WHERE a.id = waiting.account_id)
                          AND EXISTS (SELECT FROM commands c
                                      WHERE c.account_id = waiting.account_id AND c.state = 'queued')) AS orphans
     ) AS rest
LEFT JOIN due ON true
LEFT JOIN whatsapp_accounts a ON a.id = due.account_id
ORDER BY row_number() OVER (PARTITION BY a.operator_id ORDER BY due.id), due.id;

--! fail_orphaned_commands
-- From account to account, as in take_commands. Of a passkey's answer nothing is kept, as
-- of one that was delivered.
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
    args = CASE WHEN c.kind = 'account.passkey' AND jsonb_typeof(c.args) = 'object'
                THEN c.args - 'response' ELSE c.args END,
    result = coalesce('no account with id ' || c.account_id::text, 'no account id given')
FROM (SELECT id FROM stray UNION ALL SELECT id FROM headless) AS orphaned
WHERE c.id = orphaned.id
RETURNING c.id;

--! requeue_commands
-- Names the taking of each command, so that one that was taken again since is left alone.
UPDATE commands c SET state = 'queued', started_at = NULL
FROM unnest(:commands::bigint[], :takings::uuid[]) AS left_undone (command, taking), whatsapp_accounts a
WHERE c.id = left_undone.command AND c.taken = left_undone.taking AND c.state = 'running'
  AND a.id = c.account_id AND a.owner = :process
RETURNING c.id;

--! store_notified_command (account?, dedupe_key?, failure?, sent_by?) : (id?)
-- Sender and payload are known by their hash alone: a payload may hold secrets.
SELECT store_heard_command(encode(sha256(convert_to(:sender::int || ' ' || :payload::text, 'UTF8')), 'hex'),
                           :nth, :heard_at, make_interval(secs => :counted_secs),
                           :kind, :account, :args, :dedupe_key, :failure, :sent_by) AS id;

--! find_senders : (may_send?, login?)
-- Those of these processes that are connected to this database now. Others' rows have no
-- more than that for a role without pg_read_all_stats, and no more is needed.
SELECT s.pid, may_send_commands(s.usesysid) AS may_send, s.usename::text AS login
FROM pg_stat_activity s
WHERE s.pid = ANY (:pids::int[]) AND s.datname = current_database() AND s.usesysid IS NOT NULL;
