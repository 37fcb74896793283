--! take_lease
-- Makes the row, at start or when it is gone. Whatever was under way for accounts that this
-- daemon still owns writes nothing any more. No row: a later renewal came first.
WITH taken AS (
    INSERT INTO processes AS p (id, host, pid, version, pid_space, pid_birth, command_channel, expires_at,
                                renewal, epoch, draining, drain_no)
    VALUES (:process, :host, :pid, :version, :pid_space, :pid_birth, :command_channel,
            clock_timestamp() + make_interval(secs => :ttl_secs), :renewal, :renewal, :draining, :drain_no)
    ON CONFLICT (id) DO UPDATE
    SET renewed_at = clock_timestamp(), expires_at = excluded.expires_at,
        renewal = excluded.renewal, epoch = excluded.epoch,
        draining = CASE WHEN excluded.drain_no > p.drain_no THEN excluded.draining ELSE p.draining END,
        drain_no = greatest(p.drain_no, excluded.drain_no)
    WHERE p.renewal < excluded.renewal
    RETURNING epoch
), refreshed AS (
    UPDATE whatsapp_accounts a SET fence = a.fence + 1 FROM taken WHERE a.owner = :process
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
), refreshed AS (
    UPDATE whatsapp_accounts SET fence = fence + 1 WHERE owner = (SELECT id FROM renewed WHERE epoch = :renewal)
)
SELECT EXISTS (SELECT FROM me) AS found, renewed.epoch, coalesce(renewed.expired, false) AS expired,
       clock_timestamp() AS database_now
FROM (SELECT) AS always LEFT JOIN renewed ON true;

--! survey_daemons : (next_end_secs?)
-- And when the next lease of another daemon ends, should nobody renew it.
SELECT count(*) FILTER (WHERE NOT draining) AS daemons,
       extract(epoch FROM min(expires_at) FILTER (WHERE id <> :process) - clock_timestamp())::float8 AS next_end_secs
FROM processes WHERE expires_at > clock_timestamp();

--! get_time
SELECT clock_timestamp() AS database_now;

--! ring_daemons
SELECT 1 AS rung FROM (SELECT DISTINCT command_channel FROM processes) AS heard, pg_notify(heard.command_channel, :payload);

--! list_processes_of_pid_space
SELECT id, pid, pid_birth FROM processes WHERE pid_space = :pid_space AND id <> :process;

--! bury_processes
-- Their accounts are free from now on.
DELETE FROM processes WHERE id = ANY (:gone) OR expires_at < clock_timestamp() - interval '1 hour';

--! set_draining
-- One of before an undoing, or of before another drain, changes nothing.
UPDATE processes SET draining = :draining, drain_no = :drain_no WHERE id = :process AND drain_no < :drain_no;

--! give_accounts_back
-- Of this drain, if it still lasts; its undoing waits for the end of this.
WITH drained AS (
    SELECT id FROM processes WHERE id = :process AND draining AND drain_no = :drain_no FOR SHARE
), requeued AS (
    UPDATE commands c SET state = 'queued', started_at = NULL
    FROM drained WHERE c.taken_by = drained.id AND c.state = 'running'
)
UPDATE whatsapp_accounts a SET owner = NULL FROM drained WHERE a.owner = drained.id;

--! release_lease
WITH released AS (
    UPDATE whatsapp_accounts SET owner = NULL WHERE owner = :process
), requeued AS (
    UPDATE commands SET state = 'queued', started_at = NULL WHERE taken_by = :process AND state = 'running'
)
DELETE FROM processes WHERE id = :process;

--! shorten_lease
-- For a daemon that ends with connections that may still be closing. No renewal comes after it.
UPDATE processes
SET draining = true, renewal = 9223372036854775807,
    expires_at = least(expires_at, clock_timestamp() + make_interval(secs => :left_secs))
WHERE id = :process;
