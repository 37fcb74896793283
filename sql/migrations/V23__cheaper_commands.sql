-- Postgres reads the text of every CHECK of a table, and makes every part of a statement ready,
-- each time the statement runs. For commands and changes of accounts that was a quarter of the
-- time. So limits are checked when the columns are written, and what few changes need is behind a
-- function.

-- Each fails as the CHECK of this name did. The path is fixed: a login's own functions must not be
-- taken for those of Postgres.
CREATE FUNCTION account_is_within_limits() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    broken text := CASE
        WHEN char_length(NEW.label) > 200 OR NEW.label !~ '^[^\u0001-\u001f\u007f-\u009f]+$'
             OR NEW.label !~ '[^[:space:]]' THEN 'label_is_1_to_200_printable_characters'
        WHEN NEW.presence NOT IN ('silent', 'available') THEN 'presence_is_silent_or_available'
        WHEN char_length(NEW.proxy) > 2000 THEN 'proxy_has_at_most_2000_characters'
    END;
BEGIN
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'new row for relation "%" violates check constraint "%"', TG_TABLE_NAME, broken
            USING ERRCODE = 'check_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
ALTER TABLE whatsapp_accounts
    DROP CONSTRAINT label_is_1_to_200_printable_characters,
    DROP CONSTRAINT proxy_has_at_most_2000_characters,
    DROP CONSTRAINT presence_is_silent_or_available;
CREATE TRIGGER account_is_within_limits BEFORE INSERT OR UPDATE OF label, proxy, presence ON whatsapp_accounts
    FOR EACH ROW EXECUTE FUNCTION account_is_within_limits();

CREATE FUNCTION command_is_within_limits() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    broken text := CASE
        WHEN octet_length(NEW.args::text) > 65536 THEN 'args_has_at_most_65536_bytes'
        WHEN char_length(NEW.dedupe_key) > 200 THEN 'dedupe_key_has_at_most_200_characters'
        WHEN char_length(NEW.kind) > 100 THEN 'kind_has_at_most_100_characters'
        WHEN char_length(NEW.source) > 40 THEN 'source_has_at_most_40_characters'
    END;
BEGIN
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'new row for relation "%" violates check constraint "%"', TG_TABLE_NAME, broken
            USING ERRCODE = 'check_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
ALTER TABLE commands
    DROP CONSTRAINT kind_has_at_most_100_characters,
    DROP CONSTRAINT args_has_at_most_65536_bytes,
    DROP CONSTRAINT dedupe_key_has_at_most_200_characters,
    DROP CONSTRAINT source_has_at_most_40_characters;
-- Not of args, which only the daemon may write again: record_change does, and makes them shorter.
CREATE TRIGGER command_is_within_limits BEFORE INSERT OR UPDATE OF kind, dedupe_key, source ON commands
    FOR EACH ROW EXECUTE FUNCTION command_is_within_limits();

-- Few commands have a key, and each of a command's states would be indexed anew.
ALTER TABLE commands DROP CONSTRAINT commands_dedupe_key_key;
CREATE UNIQUE INDEX commands_dedupe_key_key ON commands (account_id, dedupe_key) WHERE dedupe_key IS NOT NULL;
DO $$
DECLARE
    changed regprocedure;
BEGIN
    FOR changed IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = current_schema())
          AND p.prosrc LIKE '%ON CONSTRAINT commands_dedupe_key_key%'
    LOOP
        -- With the rights that sql/roles.sql may have given it. The functions' arguments have the
        -- names of columns, but are always qualified.
        EXECUTE regexp_replace(
            replace(pg_get_functiondef(changed), 'ON CONSTRAINT commands_dedupe_key_key',
                    '(account_id, dedupe_key) WHERE dedupe_key IS NOT NULL'),
            '\nDECLARE\n', E'\n#variable_conflict use_column\nDECLARE\n');
    END LOOP;
END $$;

-- The statement that ends a command writes its line of the audit log.
DROP TRIGGER command_was_done ON commands;
DROP FUNCTION command_was_done();

-- The parts of record_change (sql/queries/changes.sql) that few changes need.

-- The label of another live account of the operator that has this number.
CREATE FUNCTION find_incumbent(account uuid, operator uuid, former_number text, number text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT a.label FROM whatsapp_accounts a
    WHERE a.operator_id = operator AND a.phone_key = nullif(phone_key(number), phone_key(former_number))
      AND a.id <> account AND a.deleted_at IS NULL
    ORDER BY a.created_at, a.id
    LIMIT 1
$$;

-- Locked, so that one that is closed at this moment is not seen as open.
CREATE FUNCTION has_open_tickets(account uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM unlink_tickets t WHERE t.account_id = account FOR KEY SHARE;
    RETURN FOUND;
END $$;

-- A link's data key and its records: durable with the row that names the keyring.
CREATE FUNCTION add_keyring(
    account uuid, keyring uuid, wrapped_key bytea, master_key text, phone text, jid text,
    kinds text[], names text[], records bytea[], stamps bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO keyrings (id, account_id, wrapped_key, master_key, phone_number, device_jid)
    VALUES (keyring, account, add_keyring.wrapped_key, add_keyring.master_key, phone, jid);
    INSERT INTO credentials (account_id, keyring_id, kind, name, sealed, stamp)
    SELECT account, keyring, r.kind, r.name, r.sealed, r.stamp
    FROM unnest(kinds, names, records, stamps) AS r (kind, name, sealed, stamp);
END $$;

-- Opens the tickets of keyrings, and erases others. Never the keys that a ticket needs.
CREATE FUNCTION part_with_keyrings(account uuid, ticketed uuid[], reasons text[], ticket_source text, erased uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unlink_tickets (account_id, keyring_id, reason, source)
    SELECT account, k.id, ticket.reason, ticket_source
    FROM unnest(ticketed, reasons) AS ticket (keyring_id, reason)
    JOIN keyrings k ON k.id = ticket.keyring_id
    WHERE k.account_id = account
    ON CONFLICT (keyring_id) DO NOTHING;
    DELETE FROM keyrings k
    WHERE k.id = ANY (erased) AND k.account_id = account AND k.id <> ALL (ticketed)
      AND NOT EXISTS (SELECT FROM unlink_tickets t WHERE t.keyring_id = k.id);
END $$;

CREATE FUNCTION replace_groups(account uuid, jids text[], subjects text[], participants integer[], admins boolean[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM whatsapp_groups g WHERE g.account_id = account AND g.jid <> ALL (jids);
    INSERT INTO whatsapp_groups (account_id, jid, subject, participants, is_admin, synced_at)
    SELECT account, g.jid, g.subject, g.participants, g.is_admin, clock_timestamp()
    FROM unnest(jids, subjects, replace_groups.participants, admins) AS g (jid, subject, participants, is_admin)
    ON CONFLICT (account_id, jid) DO UPDATE
    SET subject = excluded.subject, participants = excluded.participants, is_admin = excluded.is_admin,
        synced_at = excluded.synced_at;
END $$;

-- By the index of each account, where there is something to count. With the rights that
-- sql/roles.sql may have given it.
DO $$
BEGIN
    EXECUTE replace(
        pg_get_functiondef('erase_messages(integer, boolean)'::regprocedure),
        'SELECT count(*), false FROM message_erasures e JOIN messages m ON m.account_id = e.account_id;',
        'SELECT coalesce(sum((SELECT count(*) FROM messages m WHERE m.account_id = e.account_id)), 0)::bigint, false
        FROM message_erasures e;');
END $$;
