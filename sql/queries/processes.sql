--! take_lease
-- Makes the row, at start or when it is gone. Statements under way for accounts that this
-- daemon still owns then write nothing. No row: a later renewal, or the end, came first.
WITH taken AS (
    INSERT INTO processes AS p (id, host, pid, version, pid_space, pid_birth, command_channel, expires_at,
                                renewal, epoch, draining, drain_no, master_keys)
    VALUES (:process, :host, :pid, :version, :pid_space, :pid_birth, :command_channel,
            clock_timestamp() + make_interval(secs => :ttl_secs), :renewal, :renewal, :draining, :drain_no,
            :master_keys)
    ON CONFLICT (id) DO UPDATE
    SET renewed_at = clock_timestamp(), expires_at = excluded.expires_at,
        renewal = excluded.renewal, epoch = excluded.epoch,
        draining = CASE WHEN excluded.drain_no > p.drain_no THEN excluded.draining ELSE p.draining END,
        drain_no = greatest(p.drain_no, excluded.drain_no)
    WHERE p.renewal < excluded.renewal
    RETURNING epoch
), stirring AS (
    -- Skipping a locked one is safe: a statement under way for it names the change, the taking
    -- or the epoch that it follows, and comes too late for the account's next actor.
    SELECT a.id FROM taken JOIN whatsapp_accounts a ON a.owner = :process
    WHERE a.id = ANY (ARRAY(SELECT list_stirring_accounts(:process)))
    FOR UPDATE OF a SKIP LOCKED
), refreshed AS (
    UPDATE whatsapp_accounts a SET fence = a.fence + 1 FROM stirring WHERE a.id = stirring.id
)
SELECT epoch, clock_timestamp() AS database_now FROM taken;

--! renew_lease : (epoch?)
-- Fences are raised if that is asked, or if the lease had expired: others may have had the
-- accounts since. No epoch: the row is gone, or a later renewal came first.
WITH me AS (
    SELECT id, expires_at FROM processes WHERE id = :process FOR UPDATE
), moment AS MATERIALIZED (
    -- Once the row is locked: while this waited for it, the lease may have ended.
    SELECT id, expires_at <= clock_timestamp() AS expired FROM me
), renewed AS (
    UPDATE processes p
    SET renewed_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => :ttl_secs),
        renewal = :renewal, epoch = CASE WHEN :refresh OR moment.expired THEN :renewal ELSE p.epoch END,
        draining = CASE WHEN :drain_no > p.drain_no THEN :draining ELSE p.draining END,
        drain_no = greatest(p.drain_no, :drain_no)
    FROM moment WHERE p.id = moment.id AND p.renewal < :renewal
    RETURNING p.id, p.epoch, moment.expired
), stirring AS (
    SELECT a.id FROM renewed JOIN whatsapp_accounts a ON renewed.epoch = :renewal AND a.owner = :process
    WHERE a.id = ANY (ARRAY(SELECT list_stirring_accounts(:process)))
    FOR UPDATE OF a SKIP LOCKED
), refreshed AS (
    UPDATE whatsapp_accounts a SET fence = a.fence + 1 FROM stirring WHERE a.id = stirring.id
)
SELECT EXISTS (SELECT FROM me) AS found, renewed.epoch, coalesce(renewed.expired, false) AS expired,
       clock_timestamp() AS database_now
FROM (SELECT) AS always LEFT JOIN renewed ON true;

--! survey_daemons : (next_end_secs?)
-- And when the next lease of another daemon expires, unless it is renewed.
SELECT count(*) FILTER (WHERE NOT draining) AS daemons,
       extract(epoch FROM min(expires_at) FILTER (WHERE id <> :process) - clock_timestamp())::float8 AS next_end_secs
FROM processes WHERE expires_at > clock_timestamp();

--! get_time
SELECT clock_timestamp() AS database_now;

--! ring_daemons
SELECT ring(heard.command_channel, :payload) AS rung FROM (SELECT DISTINCT command_channel FROM processes) AS heard;

--! list_processes_of_pid_space
SELECT id, pid, pid_birth FROM processes WHERE pid_space = :pid_space AND id <> :process;

--! bury_processes
-- Their accounts are free from now on.
DELETE FROM processes WHERE id = ANY (:gone) OR expires_at < clock_timestamp() - interval '1 hour';

--! set_draining
-- A late one, from before an undoing or another drain, changes nothing.
UPDATE processes SET draining = :draining, drain_no = :drain_no WHERE id = :process AND drain_no < :drain_no;

--! give_accounts_back
-- For this drain, if it still lasts; its undoing waits for the end of this. One short batch:
-- accounts that another daemon must run come first, and one that another session has locked is
-- left for the next time.
WITH drained AS (
    SELECT id FROM processes WHERE id = :process AND draining AND drain_no = :drain_no FOR SHARE
), requeued AS (
    UPDATE commands c SET state = 'queued', started_at = NULL
    FROM drained WHERE c.taken_by = drained.id AND c.state = 'running'
), stirring AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = ANY (ARRAY(
              SELECT active.id FROM whatsapp_accounts active
              WHERE account_is_active(active.status, active.linking_keyring_id, active.desired)
                AND active.owner = :process AND EXISTS (SELECT FROM drained)
              LIMIT :batch))
      AND a.owner = :process
    FOR UPDATE OF a SKIP LOCKED
), resting AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.owner = :process AND NOT account_is_active(a.status, a.linking_keyring_id, a.desired)
      AND EXISTS (SELECT FROM drained)
    ORDER BY a.id
    LIMIT :batch - (SELECT count(*) FROM stirring)
    FOR UPDATE OF a SKIP LOCKED
), given AS (
    UPDATE whatsapp_accounts a SET owner = NULL
    WHERE a.id = ANY (ARRAY(SELECT stirring.id FROM stirring UNION ALL SELECT resting.id FROM resting))
    RETURNING a.id
), before AS (
    -- As many as there were at the start, but no more than it takes to know.
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.owner = :process AND EXISTS (SELECT FROM drained)
    ORDER BY a.id
    LIMIT :batch + 1
)
SELECT (SELECT count(*) FROM given) AS given,
       (SELECT count(*) FROM before) > (SELECT count(*) FROM given) AS more;

--! find_stranger
-- The daemon that was here first, if this one has none of its master keys, while nothing is
-- sealed that would tell which of them is the right one.
SELECT oldest.host, oldest.pid
FROM processes me,
     LATERAL (SELECT p.id, p.host, p.pid, p.master_keys FROM processes p
              WHERE p.expires_at > clock_timestamp() AND p.master_keys <> '{}'
              ORDER BY p.started_at, p.id LIMIT 1) AS oldest
WHERE me.id = :process AND oldest.id <> me.id AND NOT oldest.master_keys && me.master_keys
  AND NOT EXISTS (SELECT FROM (SELECT id FROM keyrings ORDER BY id LIMIT 1) AS sealed)
  AND NOT EXISTS (SELECT FROM proxy_logins);

--! add_master_key
-- To the daemons that have the former one: a rotation has written the new one beside it.
UPDATE processes SET master_keys = master_keys || :added::text
WHERE :former = ANY (master_keys) AND :added <> ALL (master_keys);

--! release_lease
-- The end of a daemon: its accounts are free from now on, since their owner no longer exists.
-- Without a row, take_lease may still be under way: it then finds the row made here, and comes
-- too late.
WITH ended AS (
    DELETE FROM processes WHERE id = :process RETURNING id
), requeued AS (
    UPDATE commands SET state = 'queued', started_at = NULL WHERE taken_by = :process AND state = 'running'
)
INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, expires_at, draining, renewal)
SELECT :process, '', 0, '', '', 0, clock_timestamp(), true, 9223372036854775807
WHERE NOT EXISTS (SELECT FROM ended)
ON CONFLICT (id) DO NOTHING;

--! disown_accounts
-- Removes a daemon that has ended as the owner of a batch of accounts, so that none of its own
-- writes matches them any more. Skips those that have another owner or are locked.
WITH mine AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.owner = :process
      AND NOT EXISTS (SELECT FROM processes p WHERE p.id = :process AND p.expires_at > clock_timestamp())
    ORDER BY a.id
    LIMIT :batch
    FOR UPDATE OF a SKIP LOCKED
), disowned AS (
    UPDATE whatsapp_accounts a SET owner = NULL WHERE a.id = ANY (ARRAY(SELECT mine.id FROM mine)) RETURNING a.id
)
SELECT count(*) AS disowned FROM disowned;

--! shorten_lease
-- For a daemon that ends with connections that may still be closing. No renewal comes after it.
UPDATE processes
SET draining = true, renewal = 9223372036854775807,
    expires_at = least(expires_at, clock_timestamp() + make_interval(secs => :left_secs))
WHERE id = :process;
