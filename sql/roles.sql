-- Three roles for logins that do not own the tables: paird_web for a web app (or a person who
-- writes one), paird_daemon for the daemon, and paird_console for the daemon's console and
-- command line. None can log in; a login role is made a member:
-- CREATE ROLE shop LOGIN PASSWORD '…' IN ROLE paird_web.
--
-- Run by the owner after every migration (`paird migrate --roles`, or psql -f); any
-- number of times. The schema is the connection's. Everything that is not named here is
-- closed: only its owner can use a new table until this file says otherwise.

BEGIN;

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['paird_web', 'paird_daemon', 'paird_console'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Roles are the cluster's: another of its databases was faster.
            END;
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
    END LOOP;
END $$;

-- What an earlier version of this file gave goes first. Of columns, too.
REVOKE ALL ON processes, whatsapp_accounts, whatsapp_groups, audit_log, commands, events, event_consumers,
    keyrings, credentials, unlink_tickets, proxy_logins, wrapped_keys, client_version, refinery_schema_history,
    messages, message_bodies, message_media, message_receipts, contacts, contact_checks, message_erasures,
    pairing_links
FROM paird_web, paird_daemon, paird_console;

-- The web app. Reads what it shows; writes an account's name, the name on the phone, the
-- proxy (never its login), the presence, the pace of messages, the tags and the number that it is for,
-- and how far it has read.
-- QR and pair code are for it. Everything else it asks for with send_command and send_message.
GRANT SELECT ON whatsapp_accounts, whatsapp_groups, audit_log, events, messages, message_bodies, message_receipts, contacts,
    contact_checks
    TO paird_web;
GRANT INSERT (id, operator_id, label, device_name, proxy, presence, send_rate, send_burst, new_chats_per_day, tags,
              desired_phone),
      UPDATE (label, device_name, proxy, presence, send_rate, send_burst, new_chats_per_day, tags, desired_phone)
    ON whatsapp_accounts TO paird_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON event_consumers TO paird_web;
-- Not args: they may hold the answer to a passkey challenge.
GRANT SELECT (id, account_id, kind, dedupe_key, source, sent_by, state, result, created_at, started_at, done_at)
    ON commands TO paird_web;
-- Not what a link is opened with, which is not stored either.
GRANT SELECT (id, account_id, source, sent_by, created_at, expires_at, uses_left, expect_phone, attempt, first_opened_at,
              last_used_at, revoked_at)
    ON pairing_links TO paird_web, paird_console;
-- Whether any daemon is alive.
GRANT SELECT (expires_at, draining) ON processes TO paird_web;

-- The daemon. It cannot create tables, write an account's name or operator, or read or change
-- lines of the audit log. It deletes old rows through functions that spare everything younger
-- than a day.
GRANT SELECT ON whatsapp_accounts, wrapped_keys, refinery_schema_history TO paird_daemon;
GRANT SELECT, INSERT, UPDATE, DELETE ON whatsapp_groups, processes, keyrings, credentials, unlink_tickets, proxy_logins
    TO paird_daemon;
GRANT SELECT, INSERT, UPDATE ON commands, client_version TO paird_daemon;
GRANT SELECT, INSERT, UPDATE (notified) ON events TO paird_daemon;
GRANT INSERT ON audit_log TO paird_daemon;
-- It writes the contents of messages once, and cannot read them back. Those that it is to send, and
-- what they answer, it gets from take_messages, and those that are asked for again from
-- find_sent_message, one by one.
GRANT SELECT, INSERT, UPDATE (kind, refers_to, state, reason, recovered_at, asks, asked_at, read_at) ON messages
    TO paird_daemon;
GRANT SELECT, INSERT, UPDATE (phone, name, has_chat, updated_at) ON contacts TO paird_daemon;
GRANT SELECT, INSERT, UPDATE (asked_at, checked_at, is_on_whatsapp, chat) ON contact_checks TO paird_daemon;
GRANT SELECT (message_id), INSERT (message_id, content, created_at) ON message_bodies TO paird_daemon;
GRANT SELECT, INSERT ON message_media TO paird_daemon;
REVOKE ALL ON SEQUENCE messages_id_seq FROM paird_web, paird_daemon, paird_console;
GRANT USAGE ON SEQUENCE messages_id_seq TO paird_daemon;

-- The console, the HTTP API and the command line: the rights of a web app, without consumers'
-- offsets, and also the sealed login of a proxy and the state of all daemons.
GRANT SELECT ON whatsapp_accounts, whatsapp_groups, audit_log, events, messages, message_bodies, message_receipts, contacts,
    contact_checks
    TO paird_console;
GRANT INSERT (id, operator_id, label, device_name, proxy, presence, send_rate, send_burst, new_chats_per_day, tags,
              desired_phone),
      UPDATE (label, device_name, proxy, presence, send_rate, send_burst, new_chats_per_day, tags, desired_phone)
    ON whatsapp_accounts TO paird_console;
GRANT SELECT (id, account_id, kind, dedupe_key, source, sent_by, state, result, created_at, started_at, done_at)
    ON commands TO paird_console;
GRANT SELECT, INSERT, UPDATE, DELETE ON proxy_logins TO paird_console;
GRANT SELECT (id, host, pid, version, started_at, renewed_at, expires_at, draining) ON processes TO paird_console;
GRANT SELECT (account_id, opened_at) ON unlink_tickets TO paird_console;

DO $$
DECLARE
    columns text;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ') INTO columns
    FROM pg_attribute
    WHERE attrelid = 'whatsapp_accounts'::regclass AND attnum > 0 AND NOT attisdropped
      AND attname NOT IN ('id', 'operator_id', 'label', 'device_name', 'proxy', 'presence', 'send_rate',
                          'send_burst', 'new_chats_per_day', 'tags', 'desired_phone', 'created_at');
    EXECUTE format('GRANT UPDATE (%s) ON whatsapp_accounts TO paird_daemon', columns);

    -- Writes commands and reads processes with its owner's rights, and in this schema even if the
    -- caller has another search_path or temporary tables. Therefore not granted to PUBLIC.
    EXECUTE format('ALTER FUNCTION send_command(text, uuid, jsonb, text, text)
                    SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION send_message(uuid, jsonb, text, timestamptz, timestamptz)
                    SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION cancel_message(bigint)
                    SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION create_pairing_link(uuid, interval, integer, text, text)
                    SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION revoke_pairing_link(uuid, text)
                    SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    -- The page of a link asks as the console, which has to know the token for it.
    EXECUTE format('ALTER FUNCTION view_pairing_link(bytea)
                    SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION pair_by_link(bytea, text)
                    SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    -- A web app that changes a proxy may not see the login that goes with the former one.
    EXECUTE format('ALTER FUNCTION proxy_was_changed()
                    SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
END $$;

DO $$
DECLARE
    function regprocedure;
BEGIN
    FOREACH function IN ARRAY ARRAY[
        'list_consumers()', 'prune_events(interval, text[], bigint, integer, boolean)',
        'prune_commands(interval, bigint, integer, boolean)',
        'prune_accounts(interval, text[], timestamptz, integer, boolean)',
        'prune_audit(interval, bigint, integer, boolean)',
        'prune_bodies(interval, text[], bigint, integer, boolean)',
        'prune_messages(interval, text[], bigint, integer, boolean)', 'erase_messages(integer, boolean)',
        'prune_contact_checks(integer, boolean)', 'prune_pairing_links(integer, boolean)',
        'merge_chat(uuid, uuid, bigint, text, text, integer)',
        'end_waits(uuid, uuid, bigint, uuid, jsonb)',
        'take_messages(uuid, uuid, bigint, uuid, bigint, uuid, bigint[], integer)',
        'find_sent_message(uuid, uuid, bigint, uuid, text, text[])',
        'settle_messages(uuid, uuid, bigint, uuid, uuid, jsonb)', 'record_receipts(uuid, uuid, bigint, uuid, jsonb)',
        'sweep_messages(integer)', 'settle_restored_events()']::regprocedure[]
    LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', function, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO paird_daemon', function);
    END LOOP;
END $$;
-- Postgres has no rights on notifications: every login that can connect receives all of them,
-- and can send any. So only the roles may connect; the database's owner and superusers always
-- can.
DO $$
BEGIN
    IF pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') THEN
        EXECUTE format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
        EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO paird_web, paird_daemon, paird_console',
                       current_database());
        -- For the tables' owner, if that is not the database's.
        EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO CURRENT_USER', current_database());
    END IF;
    -- Before Postgres 15 every login could create overloads that might be called instead of ours.
    IF pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = current_schema()), 'USAGE') THEN
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
    END IF;
END $$;

REVOKE EXECUTE ON FUNCTION proxy_was_changed() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION send_command(text, uuid, jsonb, text, text),
    send_message(uuid, jsonb, text, timestamptz, timestamptz), cancel_message(bigint),
    create_pairing_link(uuid, interval, integer, text, text), revoke_pairing_link(uuid, text),
    view_pairing_link(bytea), pair_by_link(bytea, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION send_command(text, uuid, jsonb, text, text),
    send_message(uuid, jsonb, text, timestamptz, timestamptz), cancel_message(bigint),
    create_pairing_link(uuid, interval, integer, text, text), revoke_pairing_link(uuid, text) TO paird_web, paird_console;
GRANT EXECUTE ON FUNCTION view_pairing_link(bytea), pair_by_link(bytea, text) TO paird_console;

COMMIT;
