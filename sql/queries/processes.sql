--! renew_lease
INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, command_channel, expires_at)
VALUES (:process, :host, :pid, :version, :pid_space, :pid_birth, :command_channel,
        clock_timestamp() + make_interval(secs => :ttl_secs))
ON CONFLICT (id) DO UPDATE SET renewed_at = clock_timestamp(), expires_at = excluded.expires_at;

--! count_daemons
SELECT count(*) AS daemons FROM processes WHERE expires_at > clock_timestamp() AND NOT draining;

--! refresh_fences
-- After a lapse: whatever was under way before it writes nothing any more.
UPDATE whatsapp_accounts SET fence = fence + 1 WHERE owner = :process;

--! ring_daemons
SELECT 1 AS rung FROM (SELECT DISTINCT command_channel FROM processes) AS heard, pg_notify(heard.command_channel, :payload);

--! list_processes_of_pid_space
SELECT id, pid, pid_birth FROM processes WHERE pid_space = :pid_space AND id <> :process;

--! bury_processes
-- Their accounts are free from now on.
DELETE FROM processes WHERE id = ANY (:gone) OR expires_at < clock_timestamp() - interval '1 hour';

--! set_draining
UPDATE processes SET draining = :draining WHERE id = :process;

--! give_accounts_back
WITH requeued AS (
    UPDATE commands SET state = 'queued', started_at = NULL WHERE taken_by = :process AND state = 'running'
)
UPDATE whatsapp_accounts SET owner = NULL WHERE owner = :process;

--! release_lease
WITH released AS (
    UPDATE whatsapp_accounts SET owner = NULL WHERE owner = :process
), requeued AS (
    UPDATE commands SET state = 'queued', started_at = NULL WHERE taken_by = :process AND state = 'running'
)
DELETE FROM processes WHERE id = :process;

--! shorten_lease
-- For a daemon that ends with connections that may still be closing.
UPDATE processes
SET draining = true, expires_at = least(expires_at, clock_timestamp() + make_interval(secs => :left_secs))
WHERE id = :process;
