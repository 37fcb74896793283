-- What a login that may write a little may write at most, and whose a key of a command is.
-- What is there already and too long is mended, since an old row would break its constraint
-- with every later change; each mending is told as a warning, and that of an account in the
-- audit log.

DO $$
DECLARE
    row record;
    mended text;
    changed bigint;
BEGIN
    -- Shortened before it is looked through: it may be as large as Postgres lets a value be.
    FOR row IN
        SELECT a.id, a.operator_id, left(a.label, 1000) AS label FROM whatsapp_accounts a
        WHERE char_length(a.label) > 200 OR left(a.label, 1000) !~ '^[^\u0001-\u001f\u007f-\u009f]{1,200}$'
           OR left(a.label, 1000) !~ '[^[:space:]]'
    LOOP
        mended := btrim(left(btrim(regexp_replace(row.label, '[\u0001-\u001f\u007f-\u009f]+', ' ', 'g')), 200));
        IF mended !~ '[^[:space:]]' THEN
            mended := 'account ' || left(row.id::text, 8);
        END IF;
        UPDATE whatsapp_accounts SET label = mended WHERE id = row.id;
        INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload)
        VALUES (row.operator_id, 'paird', 'account.renamed', 'whatsapp_account', row.id,
                jsonb_build_object('label', mended, 'former', left(row.label, 200)));
        RAISE WARNING 'account %: its label was not 1 to 200 printable characters and is "%" now', row.id, mended;
    END LOOP;

    FOR row IN SELECT a.id FROM whatsapp_accounts a WHERE char_length(a.proxy) > 2000 LOOP
        -- Cut, never dropped: nothing may go around it. No address is that long, so it holds.
        UPDATE whatsapp_accounts SET proxy = left(proxy, 2000) WHERE id = row.id;
        RAISE WARNING 'account %: its proxy had more than 2000 characters, which is no address; set it anew', row.id;
    END LOOP;

    UPDATE commands SET kind = left(kind, 100) WHERE char_length(kind) > 100;
    GET DIAGNOSTICS changed = ROW_COUNT;
    UPDATE commands SET source = left(source, 40) WHERE char_length(source) > 40;
    IF changed > 0 OR FOUND THEN
        RAISE WARNING 'commands with a kind of more than 100 or a source of more than 40 characters were shortened';
    END IF;

    UPDATE commands
    SET args = '{}', done_at = coalesce(done_at, clock_timestamp()),
        result = CASE WHEN state IN ('queued', 'running') THEN 'its args had more than 65536 bytes' ELSE result END,
        state = CASE WHEN state IN ('queued', 'running') THEN 'failed' ELSE state END
    WHERE octet_length(args::text) > 65536;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed > 0 THEN
        RAISE WARNING 'the args of % commands had more than 65536 bytes and are gone; those that waited have failed', changed;
    END IF;

    -- Those of the HTTP API began with the account.
    UPDATE commands c SET dedupe_key = substr(c.dedupe_key, 38)
    WHERE starts_with(c.dedupe_key, c.account_id::text || ' ') AND char_length(c.dedupe_key) > 37
      AND NOT EXISTS (SELECT FROM commands other WHERE other.dedupe_key = substr(c.dedupe_key, 38));
    UPDATE commands SET dedupe_key = left(dedupe_key, 160) || ' ' || md5(dedupe_key) WHERE char_length(dedupe_key) > 200;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed > 0 THEN
        RAISE WARNING '% commands had a dedupe_key of more than 200 characters, which was shortened', changed;
    END IF;

    FOR row IN
        SELECT left(c.consumer, 60) AS consumer, count(*) AS rows FROM event_consumers c
        WHERE char_length(c.consumer) > 200 GROUP BY c.consumer
    LOOP
        RAISE WARNING 'the consumer that begins with "%" has a name of more than 200 characters: it can note nothing more', row.consumer;
    END LOOP;
END $$;

ALTER TABLE whatsapp_accounts
    ADD CONSTRAINT label_is_1_to_200_printable_characters
        CHECK (char_length(label) <= 200 AND label ~ '^[^\u0001-\u001f\u007f-\u009f]+$' AND label ~ '[^[:space:]]'),
    ADD CONSTRAINT proxy_has_at_most_2000_characters CHECK (char_length(proxy) <= 2000);
ALTER TABLE commands
    ADD CONSTRAINT kind_has_at_most_100_characters CHECK (char_length(kind) <= 100),
    ADD CONSTRAINT args_has_at_most_65536_bytes CHECK (octet_length(args::text) <= 65536),
    ADD CONSTRAINT dedupe_key_has_at_most_200_characters CHECK (char_length(dedupe_key) <= 200),
    ADD CONSTRAINT source_has_at_most_40_characters CHECK (char_length(source) <= 40);
-- Its rows are their consumers' own: what is there stays, and is told above.
ALTER TABLE event_consumers
    ADD CONSTRAINT consumer_has_1_to_200_characters CHECK (char_length(consumer) BETWEEN 1 AND 200) NOT VALID;

-- A key belongs to its account: who guesses another's takes nothing away.
ALTER TABLE commands DROP CONSTRAINT commands_dedupe_key_key;
ALTER TABLE commands ADD CONSTRAINT commands_dedupe_key_key UNIQUE (account_id, dedupe_key);

-- Of a passkey's answer nothing is kept once its command has ended.
CREATE FUNCTION is_same_command(stored commands, kind text, args jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT stored.kind = is_same_command.kind
       AND (stored.args = is_same_command.args
            OR (stored.kind = 'account.passkey' AND stored.state IN ('done', 'failed')
                AND CASE WHEN jsonb_typeof(is_same_command.args) = 'object'
                         THEN stored.args = is_same_command.args - 'response' END))
$$;

CREATE OR REPLACE FUNCTION send_command(
    kind text, account_id uuid, args jsonb DEFAULT '{}', dedupe_key text DEFAULT NULL, source text DEFAULT 'web'
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    command_id bigint;
    same boolean;
BEGIN
    LOOP
        INSERT INTO commands AS c (kind, account_id, args, dedupe_key, source)
        VALUES (send_command.kind, send_command.account_id, coalesce(send_command.args, '{}'),
                send_command.dedupe_key, coalesce(send_command.source, 'web'))
        ON CONFLICT ON CONSTRAINT commands_dedupe_key_key DO NOTHING
        RETURNING c.id INTO command_id;
        EXIT WHEN command_id IS NOT NULL;
        SELECT c.id, is_same_command(c, send_command.kind, coalesce(send_command.args, '{}')) INTO command_id, same
        FROM commands c
        WHERE c.account_id = send_command.account_id AND c.dedupe_key = send_command.dedupe_key;
        IF command_id IS NOT NULL AND same IS NOT TRUE THEN
            RAISE EXCEPTION 'this dedupe_key is that of another command of the account already: command %', command_id
                USING ERRCODE = 'unique_violation', HINT = 'A new command needs a new key.';
        END IF;
        EXIT WHEN command_id IS NOT NULL;
    END LOOP;
    PERFORM ring(channel, '')
    FROM (SELECT 'paird_command' AS channel UNION SELECT p.command_channel FROM processes p) AS rung;
    RETURN command_id;
END $$;

-- As before; a key that is another command's leaves a failed row, since nobody waits for an
-- answer to a notification.
CREATE OR REPLACE FUNCTION store_heard_command(
    heard_key text, nth integer, heard_at timestamptz, counted interval,
    kind text, account_id uuid, args jsonb, dedupe_key text, failure text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    command_id bigint;
    stored integer;
    other bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('paird.heard.' || store_heard_command.heard_key, 0));
    SELECT count(*) INTO stored FROM commands c
    WHERE c.heard_key = store_heard_command.heard_key
      AND coalesce(c.heard_at, c.created_at) >= store_heard_command.heard_at - counted;
    IF stored >= nth THEN
        RETURN NULL;
    END IF;
    INSERT INTO commands AS c (kind, account_id, args, dedupe_key, source, heard_key, heard_at, state, result, done_at)
    VALUES (store_heard_command.kind, store_heard_command.account_id, store_heard_command.args,
            store_heard_command.dedupe_key, 'notify', store_heard_command.heard_key, store_heard_command.heard_at,
            CASE WHEN failure IS NULL THEN 'queued' ELSE 'failed' END, failure,
            CASE WHEN failure IS NULL THEN NULL ELSE clock_timestamp() END)
    ON CONFLICT ON CONSTRAINT commands_dedupe_key_key DO NOTHING
    RETURNING c.id INTO command_id;
    IF command_id IS NOT NULL THEN
        RETURN command_id;
    END IF;
    SELECT c.id INTO other FROM commands c
    WHERE c.account_id = store_heard_command.account_id AND c.dedupe_key = store_heard_command.dedupe_key
      AND is_same_command(c, store_heard_command.kind, store_heard_command.args) IS NOT TRUE;
    IF other IS NOT NULL THEN
        INSERT INTO commands AS c (kind, account_id, args, source, heard_key, heard_at, state, result, done_at)
        VALUES (store_heard_command.kind, store_heard_command.account_id, '{}', 'notify',
                store_heard_command.heard_key, store_heard_command.heard_at, 'failed',
                'this dedupeKey is that of another command of the account already: command ' || other,
                clock_timestamp())
        RETURNING c.id INTO command_id;
    END IF;
    RETURN command_id;
END $$;

-- Who sent it by Postgres's own word, beside the source that the sender claims. Null on rows of
-- before; of a bare NOTIFY it is the daemon that heard it.
ALTER TABLE commands ADD COLUMN sent_by text;
ALTER TABLE commands ALTER COLUMN sent_by SET DEFAULT session_user;

-- A trigger for each row is not asked about all of them at once.
CREATE TRIGGER audit_log_is_not_truncated BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Whether a login may ask for what it wants: it may execute send_command, and what that
-- writes it may write, too, where the function does not bring its owner's rights.
CREATE FUNCTION may_send_commands(login oid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT has_function_privilege(may_send_commands.login, p.oid, 'EXECUTE')
       AND (p.prosecdef OR has_table_privilege(may_send_commands.login, 'commands', 'INSERT'))
    FROM pg_proc p WHERE p.oid = 'send_command(text, uuid, jsonb, text, text)'::regprocedure
$$;

-- The same without what happened: who hears it must be allowed to read the row.
CREATE FUNCTION event_wake(event events) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('type', event.kind, 'accountId', event.account_id, 'id', event.id, 'seq', event.seq)::text
$$;

-- CREATE OR REPLACE takes from a function what sql/roles.sql gave it. Where that was run, it
-- is for paird_web and not for everybody.
DO $$
DECLARE
    granted aclitem[] := (SELECT p.proacl FROM pg_proc p
                          WHERE p.oid = 'send_command(text, uuid, jsonb, text, text)'::regprocedure);
BEGIN
    IF NOT EXISTS (SELECT FROM aclexplode(granted) AS a WHERE a.grantee = 0)
       AND EXISTS (SELECT FROM aclexplode(granted) AS a JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = 'paird_web')
    THEN
        EXECUTE format('ALTER FUNCTION send_command(text, uuid, jsonb, text, text)
                        SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    END IF;
END $$;
