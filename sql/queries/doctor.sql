-- What `paird doctor` looks at. It only reads.

--! get_server
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS version_number,
       current_user::text AS role, pg_is_in_recovery() AS in_recovery, clock_timestamp() AS database_now,
       has_schema_privilege(current_schema(), 'CREATE') AS may_create,
       to_regclass('whatsapp_accounts') IS NOT NULL AS has_tables;

--! list_missing_rights
-- The rights that the current login lacks, in words; one that is missing on all of the named
-- columns counts for the whole table. Objects that an older schema lacks are missing, too.
SELECT coalesce(CASE WHEN bool_and(wanted.missing) THEN wanted.privilege || ' on ' || wanted.table_name
            ELSE wanted.privilege || ' of ' || string_agg(wanted.column_name, ', ' ORDER BY wanted.column_name)
                     FILTER (WHERE wanted.missing) || ' on ' || wanted.table_name END, '') AS what
FROM (SELECT asked.table_name, asked.column_name, asked.privilege,
             NOT coalesce(CASE asked.privilege
                 WHEN 'DELETE' THEN has_table_privilege(a.attrelid, asked.privilege)
                 ELSE has_column_privilege(a.attrelid, a.attnum, asked.privilege) END, false) AS missing
      FROM unnest(:tables::text[], :columns::text[], :privileges::text[]) AS asked (table_name, column_name, privilege)
      LEFT JOIN pg_attribute a
             ON a.attrelid = to_regclass(asked.table_name) AND a.attname = asked.column_name AND NOT a.attisdropped
     ) AS wanted
GROUP BY wanted.table_name, wanted.privilege
HAVING bool_or(wanted.missing)
UNION ALL
SELECT 'EXECUTE on ' || split_part(called.signature, '(', 1)
FROM unnest(:functions::text[]) AS called (signature)
WHERE NOT coalesce(has_function_privilege(to_regprocedure(called.signature)::oid, 'EXECUTE'), false)
UNION ALL
SELECT 'USAGE on ' || used.name
FROM unnest(:sequences::text[]) AS used (name)
WHERE NOT coalesce(has_sequence_privilege(to_regclass(used.name)::oid, 'USAGE'), false)
ORDER BY what;

--! list_own_roles
-- Which of the roles of roles.sql the login is a member of. A superuser is one of all; it is not meant.
SELECT r.rolname::text AS role
FROM pg_roles r JOIN pg_roles me ON me.rolname = current_user AND NOT me.rolsuper
WHERE r.rolname = ANY (:roles::text[]) AND pg_has_role(me.oid, r.oid, 'USAGE')
ORDER BY r.rolname;

--! get_connect_rights
-- Whether every login may connect, and which logins may that are in none of the roles.
SELECT EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS granted
               WHERE granted.grantee = 0 AND granted.privilege_type = 'CONNECT') AS everybody,
       ARRAY(SELECT r.rolname::text FROM pg_roles r
             WHERE r.rolcanlogin AND NOT r.rolsuper AND r.oid <> d.datdba
               AND has_database_privilege(r.oid, d.oid, 'CONNECT') AND r.rolname <> current_user
               AND NOT pg_has_role(r.oid, d.datdba, 'MEMBER')
               AND NOT EXISTS (SELECT FROM pg_roles g
                               WHERE g.rolname IN ('paird_web', 'paird_daemon', 'paird_console') AND pg_has_role(r.oid, g.oid, 'MEMBER'))
             ORDER BY r.rolname LIMIT 20) AS logins
FROM pg_database d WHERE d.datname = current_database();

--! list_daemons
SELECT p.id, p.host, p.pid, p.version, p.draining, p.expires_at > clock_timestamp() AS alive,
       extract(epoch FROM clock_timestamp() - p.renewed_at)::float8 AS silent_secs,
       coalesce(owned.accounts, 0) AS accounts
FROM processes p
LEFT JOIN (SELECT a.owner, count(*) AS accounts FROM whatsapp_accounts a
           WHERE a.deleted_at IS NULL OR a.status = 'deleting' GROUP BY a.owner) AS owned ON owned.owner = p.id
ORDER BY p.started_at, p.id;

--! count_accounts_without_daemon
SELECT count(*) AS accounts
FROM whatsapp_accounts a
WHERE a.id = ANY (ARRAY(
          SELECT active.id FROM whatsapp_accounts active
          WHERE account_is_active(active.status, active.linking_keyring_id, active.desired)
          UNION
          SELECT t.account_id FROM unlink_tickets t))
  AND NOT EXISTS (SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp());

--! count_orphans
-- Keys that no account or ticket refers to; records stored under another account than their
-- keyring; accounts whose keys are missing; tickets that no daemon works on.
SELECT (SELECT count(*) FROM keyrings k
        WHERE NOT EXISTS (SELECT FROM whatsapp_accounts a WHERE k.id IN (a.keyring_id, a.linking_keyring_id))
          AND NOT EXISTS (SELECT FROM unlink_tickets t WHERE t.keyring_id = k.id)) AS keyrings,
       (SELECT count(*) FROM credentials c JOIN keyrings k ON k.id = c.keyring_id
        WHERE c.account_id <> k.account_id) AS credentials,
       (SELECT count(*) FROM whatsapp_accounts a
        WHERE a.keyring_id IS NOT NULL AND NOT EXISTS (SELECT FROM keyrings k WHERE k.id = a.keyring_id)) AS accounts,
       (SELECT count(*) FROM unlink_tickets t
        WHERE t.next_retry_at < clock_timestamp() - make_interval(secs => :late_secs)) AS tickets;

--! list_tickets : (last_error?)
SELECT a.label, t.attempts, t.last_error, t.next_retry_at, t.abandon_at
FROM unlink_tickets t JOIN whatsapp_accounts a ON a.id = t.account_id
ORDER BY t.opened_at, t.id;

--! list_held_accounts
SELECT id, label, status_reason FROM whatsapp_accounts
WHERE deleted_at IS NULL AND status = 'held'
ORDER BY created_at, id;

--! list_overdue_attempts
SELECT id, label FROM whatsapp_accounts
WHERE status = 'pending' AND pair_deadline < clock_timestamp() - make_interval(secs => :late_secs)
ORDER BY created_at, id;

--! count_waiting : (commands_secs?, events_secs?, messages_secs?)
SELECT (SELECT count(*) FROM commands WHERE state IN ('queued', 'running')) AS commands,
       (SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8
        FROM commands WHERE state IN ('queued', 'running')) AS commands_secs,
       (SELECT count(*) FROM events WHERE NOT notified) AS events,
       (SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8
        FROM events WHERE NOT notified) AS events_secs,
       (SELECT count(*) FROM messages WHERE state = 'waiting' AND reason <> 'lost') AS messages,
       (SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8
        FROM messages WHERE state = 'waiting' AND reason <> 'lost') AS messages_secs;

--! list_silent_consumers
SELECT consumer, heard_at FROM list_consumers() WHERE silent;
