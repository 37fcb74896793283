-- A connection that another has followed takes no message any more, and is told so; nothing is left of a
-- deleted account, also of what was cancelled.

CREATE INDEX messages_cancelled ON messages (account_id) WHERE state = 'cancelled';

-- As list_accounts_with_queue.
CREATE FUNCTION list_accounts_with_cancelled() RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    WITH RECURSIVE done (account_id) AS (
        (SELECT m.account_id FROM messages m WHERE m.state = 'cancelled' ORDER BY m.account_id LIMIT 1)
        UNION ALL
        SELECT (SELECT m.account_id FROM messages m
                WHERE m.state = 'cancelled' AND m.account_id > done.account_id ORDER BY m.account_id LIMIT 1)
        FROM done WHERE done.account_id IS NOT NULL
    )
    SELECT done.account_id FROM done WHERE done.account_id IS NOT NULL
$$;

-- Functions that are as before but for a few lines, with the rights that they have: those of other
-- arguments or columns are made anew.
DO $$
DECLARE
    change record;
    former regprocedure;
    definition text;
    changed text;
    rights aclitem[];
    grantee name;
    made regprocedure;
BEGIN
    FOR change IN
        SELECT * FROM (VALUES
            -- Each opening of a keyring raises its epoch, and each connection opens it anew. The account's
            -- row is locked by then, so whoever opens it meanwhile takes messages later.
            ('take_messages(uuid, uuid, bigint, uuid, uuid, bigint[], integer)',
             'take_messages(uuid, uuid, bigint, uuid, bigint, uuid, bigint[], integer)', ARRAY[
                 'keyring uuid, connection uuid,', 'keyring uuid, its_epoch bigint, connection uuid,',
                 'told boolean)', 'told boolean, overtaken boolean)',
                 '    -- Once the row is locked.
    at := clock_timestamp();
',
                 '    overtaken := NOT EXISTS (SELECT FROM keyrings k WHERE k.id = keyring AND k.epoch = its_epoch);
    IF overtaken THEN
        taken := ''[]'';
        rate := 1;
        burst := 1;
        recent := 0;
        has_more := false;
        told := false;
        RETURN NEXT;
        RETURN;
    END IF;
    -- Once the row is locked.
    at := clock_timestamp();
']),
            -- What came of a message follows its taking, which the connection names.
            ('settle_messages(uuid, uuid, bigint, uuid, uuid, jsonb)',
             'settle_messages(uuid, uuid, bigint, uuid, uuid, jsonb)', ARRAY[
                 'told boolean)', 'told boolean, overtaken boolean)',
                 '    END LOOP;
    RETURN NEXT;
',
                 '    END LOOP;
    overtaken := EXISTS (
        SELECT FROM jsonb_to_recordset(outcomes) AS o (id bigint)
        JOIN messages m ON m.id = o.id
        WHERE m.account_id = account AND m.state = ''sending'' AND m.taken_by IS DISTINCT FROM connection);
    RETURN NEXT;
']),
            ('sweep_messages(integer)', 'sweep_messages(integer)', ARRAY[
                 '            SELECT queue.account FROM list_accounts_with_queue() AS queue (account)
',
                 '            SELECT queue.account
            FROM (SELECT list_accounts_with_queue() UNION SELECT list_accounts_with_cancelled()) AS queue (account)
',
                 '        CROSS JOIN LATERAL (SELECT q.id FROM messages q WHERE q.account_id = gone.account AND q.state = ''queued''
                            LIMIT batch FOR UPDATE SKIP LOCKED) AS stray
',
                 '        CROSS JOIN LATERAL (
            SELECT queued.id FROM (SELECT q.id FROM messages q WHERE q.account_id = gone.account AND q.state = ''queued''
                                   LIMIT batch FOR UPDATE SKIP LOCKED) AS queued
            UNION ALL
            SELECT done.id FROM (SELECT c.id FROM messages c WHERE c.account_id = gone.account AND c.state = ''cancelled''
                                 LIMIT batch FOR UPDATE SKIP LOCKED) AS done) AS stray
'])
        ) AS changes (function, name, lines)
    LOOP
        former := change.function::regprocedure;
        definition := pg_get_functiondef(former);
        changed := definition;
        FOR nth IN 1 .. cardinality(change.lines) / 2 LOOP
            definition := changed;
            changed := replace(definition, change.lines[2 * nth - 1], change.lines[2 * nth]);
            IF changed = definition THEN
                RAISE EXCEPTION 'the function % is not the one that this migration changes: %', change.function, nth;
            END IF;
        END LOOP;
        rights := (SELECT p.proacl FROM pg_proc p WHERE p.oid = former);
        EXECUTE format('DROP FUNCTION %s', former);
        EXECUTE changed;
        made := change.name::regprocedure;
        IF rights IS NULL THEN
            CONTINUE;
        END IF;
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', made);
        FOR grantee IN
            SELECT r.rolname FROM aclexplode(rights) AS a JOIN pg_roles r ON r.oid = a.grantee
            WHERE a.privilege_type = 'EXECUTE'
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', made, grantee);
        END LOOP;
    END LOOP;
END $$;
