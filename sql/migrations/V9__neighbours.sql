-- What daemons must know of each other, and when a bare NOTIFY was heard.

-- The master keys that a daemon opens keyrings with. While nothing is sealed yet, each
-- machine would make one of its own, and could open nothing of another's.
ALTER TABLE processes ADD COLUMN master_keys text[] NOT NULL DEFAULT '{}';

-- By this database's clock; missing on rows of before, and of commands that were not heard.
ALTER TABLE commands ADD COLUMN heard_at timestamptz;

-- Stores a command that came as a bare NOTIFY, once, however many daemons heard it.
-- All of them hear the same notifications in the same order. `heard_key` stands for
-- sender and payload, `nth` says how often the caller heard that key within `counted` up
-- to this one: the row is missing only if fewer than `nth` of those heard since are
-- stored. They are told apart by when they were heard, since any may be stored late. A
-- function, since the count must see what was committed while it waited for the lock.
-- Daemons of the version before call store_notified_command, which stays for them.
CREATE FUNCTION store_heard_command(
    heard_key text, nth integer, heard_at timestamptz, counted interval,
    kind text, account_id uuid, args jsonb, dedupe_key text, failure text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    command_id bigint;
    stored integer;
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
    RETURN command_id;
END $$;

-- A deletion that could not be written was held, where nobody sees it and nobody goes on with it.
UPDATE whatsapp_accounts SET status = 'deleting', status_reason = 'unlinking'
WHERE deleted_at IS NOT NULL AND status = 'held' AND (keyring_id IS NOT NULL OR linking_keyring_id IS NOT NULL);
