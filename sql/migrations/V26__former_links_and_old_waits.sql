-- What a former link began to send is not sent over another; a wait for a message ends in the end;
-- and a merge of chats waits for nobody.

ALTER TABLE messages
    -- The keys that it was taken to be sent with: its secret follows from them.
    ADD COLUMN taken_under uuid;

-- What is on its way now; of the rest the next taking says it.
UPDATE messages m SET taken_under = coalesce(a.keyring_id, a.linking_keyring_id)
FROM whatsapp_accounts a WHERE m.state = 'sending' AND a.id = m.account_id;

CREATE INDEX messages_waiting_since ON messages (created_at) WHERE state = 'waiting';

-- Ends messages of an account that were taken to be sent over a link that is not its link any more,
-- at most so many, and tells that. They may have arrived, but under another link each would have
-- another secret, so a phone might show it twice, and nobody will say any more what came of it.
CREATE FUNCTION end_those_of_former_links(account uuid, keyrings uuid[], at timestamptz, batch integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    ended record;
    told bigint := 0;
BEGIN
    FOR ended IN
        UPDATE messages m SET state = 'failed', reason = 'no_ack', code = NULL, told_at = at
        WHERE m.id = ANY (ARRAY(
            SELECT s.id FROM messages s
            WHERE s.account_id = account AND s.state = 'sending'
              -- Of none, whatever it was taken under.
              AND s.taken_under <> ALL (keyrings)
            LIMIT batch FOR UPDATE SKIP LOCKED))
        RETURNING m.id, m.key
    LOOP
        PERFORM tell_failed(account, ended.id, ended.key, 'no_ack', NULL, at);
        told := told + 1;
    END LOOP;
    RETURN told;
END $$;

-- Ends waits for messages that are not asked for any more, at most so many: WhatsApp's phones send a
-- message again within 14 days, and whoever was asked last had another day to answer. As end_waits.
CREATE FUNCTION end_old_waits(batch integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz;
    before CONSTANT timestamptz := clock_timestamp() - interval '15 days';
    due uuid;
    wait record;
    ended bigint := 0;
BEGIN
    FOR due IN
        SELECT a.id FROM whatsapp_accounts a
        WHERE a.id = ANY (ARRAY(SELECT DISTINCT old.account_id
                                FROM (SELECT m.account_id FROM messages m
                                      WHERE m.state = 'waiting' AND m.created_at < before
                                      ORDER BY m.created_at LIMIT batch) AS old))
          AND a.deleted_at IS NULL
        ORDER BY a.id
        FOR UPDATE OF a SKIP LOCKED
    LOOP
        at := clock_timestamp();
        FOR wait IN
            SELECT m.id, m.chat, m.sender, m.reason FROM messages m
            WHERE m.account_id = due AND m.state = 'waiting' AND m.created_at < before
            ORDER BY m.id LIMIT batch - ended
        LOOP
            ended := ended + 1;
            IF wait.reason = 'lost' THEN
                DELETE FROM messages m WHERE m.id = wait.id;
                CONTINUE;
            END IF;
            UPDATE messages m SET kind = 'unsupported', state = 'received', reason = NULL, recovered_at = at
            WHERE m.id = wait.id;
            INSERT INTO message_bodies (message_id, content, created_at)
            VALUES (wait.id, '{"type": "unsupported", "unsupported": {"what": "not_answered"}}', at)
            ON CONFLICT (message_id) DO NOTHING;
            PERFORM tell(due, 'message.recovered',
                         jsonb_build_object('messageId', wait.id, 'chat', wait.chat, 'sender', wait.sender), at);
        END LOOP;
        EXIT WHEN ended >= batch;
    END LOOP;
    RETURN ended;
END $$;

-- Functions that are as before but for a few lines, with the rights that they have.
DO $$
DECLARE
    change record;
    former text;
    changed text;
BEGIN
    FOR change IN
        SELECT * FROM (VALUES
            ('take_messages(uuid, uuid, bigint, uuid, uuid, bigint[], integer)',
             '    told := end_what_is_over(account, at, 1000) > 0;',
             '    told := end_what_is_over(account, at, 1000) + end_those_of_former_links(account, ARRAY[keyring], at, 1000) > 0;'),
            ('take_messages(uuid, uuid, bigint, uuid, uuid, bigint[], integer)',
             'SET state = ''sending'', taken_by = connection, taken_at = at,',
             'SET state = ''sending'', taken_by = connection, taken_under = keyring, taken_at = at,'),
            ('sweep_messages(integer)',
             '          AND a.keyring_id IS NULL AND a.linking_keyring_id IS NULL AND a.deleted_at IS NULL
        ORDER BY a.id LIMIT batch
        FOR UPDATE OF a SKIP LOCKED
    LOOP
        EXIT WHEN events_told >= batch;
        at := clock_timestamp();
        FOR ended IN
            UPDATE messages m SET state = ''failed'', reason = ''no_ack'', code = NULL, told_at = at
            WHERE m.id = ANY (ARRAY(
                SELECT s.id FROM messages s WHERE s.account_id = due AND s.state = ''sending''
                LIMIT batch - events_told FOR UPDATE SKIP LOCKED))
            RETURNING m.id, m.key
        LOOP
            PERFORM tell_failed(due, ended.id, ended.key, ''no_ack'', NULL, at);
            events_told := events_told + 1;
        END LOOP;
    END LOOP;
',
             '          AND EXISTS (SELECT FROM messages s
                      WHERE s.account_id = a.id AND s.state = ''sending''
                        AND s.taken_under <> ALL (array_remove(ARRAY[a.keyring_id, a.linking_keyring_id], NULL)))
          AND a.deleted_at IS NULL
        ORDER BY a.id LIMIT batch
        FOR UPDATE OF a SKIP LOCKED
    LOOP
        EXIT WHEN events_told >= batch;
        at := clock_timestamp();
        events_told := events_told + end_those_of_former_links(
            -- Read once the row is locked.
            due, (SELECT array_remove(ARRAY[a.keyring_id, a.linking_keyring_id], NULL) FROM whatsapp_accounts a WHERE a.id = due),
            at, (batch - events_told)::integer);
    END LOOP;
    IF events_told < batch THEN
        events_told := events_told + end_old_waits((batch - events_told)::integer);
    END IF;
'),
            ('sweep_messages(integer)',
             '    ended record;
', ''),
            -- Those that are being cancelled by a transaction that stays open are left for the next
            -- merge. All others of the account are locked by nobody else.
            ('merge_chat(uuid, uuid, bigint, text, text, integer)',
             '    moving := ARRAY(
        SELECT m.id FROM messages m WHERE m.account_id = account AND m.chat = former
        UNION SELECT m.id FROM messages m
              WHERE m.account_id = account AND m.sender = former AND m.sender LIKE ''%@s.whatsapp.net''
        ORDER BY 1 LIMIT batch);
',
             '    moving := ARRAY(
        SELECT m.id FROM messages m WHERE m.account_id = account AND m.chat = former
        ORDER BY m.id LIMIT batch FOR UPDATE SKIP LOCKED);
    moving := moving || ARRAY(
        SELECT m.id FROM messages m
        WHERE m.account_id = account AND m.sender = former AND m.sender LIKE ''%@s.whatsapp.net''
          AND m.chat <> former
        ORDER BY m.id LIMIT batch - cardinality(moving) FOR UPDATE SKIP LOCKED);
'),
            ('merge_chat(uuid, uuid, bigint, text, text, integer)',
             '        WHERE m.account_id = account AND m.chat IN (former, lid)
          AND m.refers_to = CASE WHEN twin.old_is_better THEN twin.new ELSE twin.old END;
',
             '        WHERE m.id = ANY (ARRAY(
            SELECT r.id FROM messages r
            WHERE r.account_id = account AND r.chat IN (former, lid)
              AND r.refers_to = CASE WHEN twin.old_is_better THEN twin.new ELSE twin.old END
            FOR UPDATE SKIP LOCKED));
'),
            ('merge_chat(uuid, uuid, bigint, text, text, integer)',
             '    more := EXISTS (SELECT FROM messages m WHERE m.account_id = account AND m.chat = former)
            OR EXISTS (SELECT FROM messages m
                       WHERE m.account_id = account AND m.sender = former AND m.sender LIKE ''%@s.whatsapp.net'');
',
             '    more := EXISTS (SELECT FROM messages m WHERE m.account_id = account AND m.chat = former
                    LIMIT 1 FOR UPDATE SKIP LOCKED)
            OR EXISTS (SELECT FROM messages m
                       WHERE m.account_id = account AND m.sender = former AND m.sender LIKE ''%@s.whatsapp.net''
                       LIMIT 1 FOR UPDATE SKIP LOCKED);
')
        ) AS changes (function, before, now)
    LOOP
        former := pg_get_functiondef(change.function::regprocedure);
        changed := replace(former, change.before, change.now);
        IF changed = former THEN
            RAISE EXCEPTION 'the function % is not the one that this migration changes', change.function;
        END IF;
        EXECUTE changed;
    END LOOP;
END $$;
