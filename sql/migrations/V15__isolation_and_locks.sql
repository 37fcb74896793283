-- Operators as tenants, for who wants that (sql/isolate.sql); and locks that need a right.

-- Whether rows are an operator's own: `paird migrate --roles --isolate` turned it on.
CREATE FUNCTION is_isolated() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT c.relrowsecurity FROM pg_class c WHERE c.oid = 'whatsapp_accounts'::regclass
$$;

-- Whether a login sees and touches the rows of one operator alone: every one that is not the
-- owner's, the daemon's or the console's.
CREATE FUNCTION is_bound_to_operator(login oid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT is_isolated()
       AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = login AND (r.rolsuper OR r.rolbypassrls))
       AND NOT EXISTS (
           SELECT FROM pg_roles r
           WHERE (r.rolname IN ('paird_daemon', 'paird_console')
                  OR r.oid = (SELECT c.relowner FROM pg_class c WHERE c.oid = 'whatsapp_accounts'::regclass))
             AND pg_has_role(login, r.oid, 'USAGE'))
$$;

-- The operator that a session works for: what a superuser fixed for the login with ALTER ROLE …
-- SET paird.operator, which no session gets around, else what the session says. The path is
-- fixed: a caller's own tables, operators and functions must not be taken for those of Postgres.
CREATE FUNCTION current_operator() RETURNS uuid LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(
        (SELECT substr(setting.value, length('paird.operator=') + 1)
         FROM pg_db_role_setting s
         JOIN pg_roles me ON me.oid = s.setrole AND me.rolname = session_user
         CROSS JOIN LATERAL unnest(s.setconfig) AS setting (value)
         WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
           AND starts_with(setting.value, 'paird.operator=')
         ORDER BY s.setdatabase DESC LIMIT 1),
        nullif(current_setting('paird.operator', true), ''))::uuid
$$;

-- send_command writes with its owner's rights, which no policy binds. That an account is
-- another's looks as if there was none.
CREATE FUNCTION command_is_of_ones_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The cheap question first: it is asked for each command.
    IF is_isolated() AND is_bound_to_operator((SELECT r.oid FROM pg_roles r WHERE r.rolname = session_user))
       AND NOT EXISTS (SELECT FROM whatsapp_accounts a
                       WHERE a.id = NEW.account_id AND a.operator_id = current_operator())
    THEN
        RAISE EXCEPTION 'there is no such account of this operator'
            USING ERRCODE = 'insufficient_privilege', HINT = 'SET paird.operator to the operator that the account is of.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER command_is_of_ones_own BEFORE INSERT ON commands
    FOR EACH ROW EXECUTE FUNCTION command_is_of_ones_own();

-- As before; but a notification says nothing of its sender's operator.
CREATE OR REPLACE FUNCTION may_send_commands(login oid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT has_function_privilege(may_send_commands.login, p.oid, 'EXECUTE')
       AND (p.prosecdef OR has_table_privilege(may_send_commands.login, 'commands', 'INSERT'))
       AND NOT is_bound_to_operator(may_send_commands.login)
    FROM pg_proc p WHERE p.oid = 'send_command(text, uuid, jsonb, text, text)'::regprocedure
$$;

-- An advisory lock is a number, which whoever can connect may hold for ever. A table's lock of this
-- mode conflicts with itself, needs the right to write the table, and keeps no statement waiting.
DO $$
DECLARE
    locks CONSTANT text := 'PERFORM pg_advisory_xact_lock\([^;]*\);';
    changed record;
BEGIN
    FOR changed IN
        SELECT p.oid, CASE WHEN p.proname LIKE 'prune%' THEN 'unlink_tickets' ELSE 'processes' END AS locked
        FROM pg_proc p
        WHERE p.pronamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = current_schema())
          AND p.prosrc ~ locks
    LOOP
        -- With the rights that sql/roles.sql may have given it.
        EXECUTE regexp_replace(pg_get_functiondef(changed.oid), locks,
                               format('LOCK TABLE %I IN SHARE UPDATE EXCLUSIVE MODE;', changed.locked));
    END LOOP;
END $$;
