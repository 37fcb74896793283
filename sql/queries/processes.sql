--! renew_lease
INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, command_channel, expires_at)
VALUES (:process, :host, :pid, :version, :pid_space, :pid_birth, :command_channel,
        clock_timestamp() + make_interval(secs => :ttl_secs))
ON CONFLICT (id) DO UPDATE SET renewed_at = clock_timestamp(), expires_at = excluded.expires_at;

--! list_processes_of_pid_space
SELECT id, pid, pid_birth FROM processes WHERE pid_space = :pid_space AND id <> :process;

--! bury_processes
-- Their accounts are free from now on.
DELETE FROM processes WHERE id = ANY (:gone) OR expires_at < clock_timestamp() - interval '1 hour';

--! set_draining
UPDATE processes SET draining = :draining WHERE id = :process;

--! release_lease
WITH released AS (
    UPDATE whatsapp_accounts SET owner = NULL WHERE owner = :process
)
DELETE FROM processes WHERE id = :process;
