--! lock_migrations : (locked?)
-- Held by this session until it ends. One key for every paird of the database.
-- Any login can take such a lock, so one held by a login that may not migrate is ignored.
SELECT pg_try_advisory_lock(hashtextextended('paird.migrations', 0)) OR NOT EXISTS (
           SELECT FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid
           WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND s.datname = current_database()
             AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('paird.migrations', 0)
             AND has_schema_privilege(s.usesysid, current_schema(), 'CREATE')) AS locked;

--! listen_to_channel
SELECT listen_to(:channel) AS listening;

--! check_listening
-- False behind a proxy that gives each statement another connection.
SELECT EXISTS (SELECT FROM pg_listening_channels() AS heard (channel) WHERE heard.channel = :channel) AS listening;

--! ring_pulse : (rung?)
-- False while the queue of notifications is full.
SELECT ring(:channel, '') AS rung;

--! ping
SELECT true AS alive;

--! get_isolation
SELECT is_isolated() AS isolated;

--! settle_restored_events
SELECT settle_restored_events() AS moved;

--! configure_session
-- After connecting, not at its start: a pooler between refuses what it does not know then.
SELECT count(set_config(setting.name, setting.value, false)) AS configured,
       current_setting('transaction_read_only')::boolean AS read_only
FROM unnest(:names::text[], :values::text[]) AS setting (name, value);

--! check_session
-- Whether a connection that answers can do the daemon's work.
SELECT current_setting('transaction_read_only')::boolean AS read_only,
       coalesce(has_any_column_privilege(to_regclass('whatsapp_accounts'), 'SELECT'), false) AS has_tables;
