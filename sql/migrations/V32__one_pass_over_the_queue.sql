-- A long queue costs the same whatever Postgres knows of it. A queue that filled since statistics were
-- gathered counts as empty, and so do all indexes of queued messages. None looks worse than another
-- then, so a join of the queue with itself may read all of it for each message, and so may a statement
-- that wants a single message.

DROP FUNCTION lock_begun(uuid, timestamptz, timestamptz, integer);
DROP FUNCTION lock_queued(uuid, boolean, timestamptz, bigint[], integer);

-- Locks queued messages that are due, at most so many: the oldest of each chat, and none of a chat
-- that has a message on its way. With `begun_since` only those that were last taken after it.
CREATE FUNCTION lock_queued(
    account uuid, new_chats boolean, at timestamptz, but bigint[], most integer, begun_since timestamptz DEFAULT NULL
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    next bigint;
    locked bigint[] := '{}';
BEGIN
    IF most <= 0 THEN
        RETURN locked;
    END IF;
    FOR next IN
        SELECT first.id
        -- Read once, in the order of an index or sorted: there is no join that could be a bad one.
        FROM (SELECT DISTINCT ON (q.chat) q.id, q.chat, q.is_new_chat, q.due_at, q.expires_at, q.taken_at
              FROM messages q
              WHERE q.account_id = account AND q.state = 'queued'
                -- A message for later does not hold up its chat, but one that is to be tried again does.
                AND (q.due_at <= at OR q.attempt > 0)
              ORDER BY q.chat, q.id) AS first
        WHERE first.is_new_chat = new_chats AND first.due_at <= at AND first.id <> ALL (but)
          AND (begun_since IS NULL OR first.taken_at > begun_since)
          -- One that is over may still be here: who cancels it has it locked, perhaps for long.
          AND (first.expires_at IS NULL OR first.expires_at > at)
          AND first.chat <> ALL (ARRAY(SELECT s.chat FROM messages s
                                       WHERE s.account_id = account AND s.state = 'sending'))
        ORDER BY first.due_at, first.id
    LOOP
        -- Unless it was cancelled, or its chat became known, since it was read. The planner does not see
        -- through `state || ''`: of `state` it would take an index of queued messages, none of which
        -- finds one by its id.
        PERFORM FROM messages m WHERE m.id = next AND m.state || '' = 'queued' AND m.is_new_chat = new_chats
        FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        locked := locked || next;
        EXIT WHEN cardinality(locked) >= most;
    END LOOP;
    RETURN locked;
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
            ('take_messages(uuid, uuid, bigint, uuid, bigint, uuid, bigint[], integer)',
             'lock_begun(account, day_ago, at, room - cardinality(ids))',
             'lock_queued(account, true, at, ids, room - cardinality(ids), day_ago)'),
            -- By the id, as above.
            ('cancel_message(bigint)',
             'm.direction = ''out'' AND m.state = ''queued'' AND',
             'm.direction || '''' = ''out'' AND m.state || '''' = ''queued''
      AND'),
            ('send_message(uuid, jsonb, text, timestamptz, timestamptz)',
             'WHERE m.id = target AND m.state = ''queued'')',
             'WHERE m.id = target AND m.state || '''' = ''queued'')'),
            -- Found by its chat: the planner does not take this for the condition of the index of what is new
            -- to its account, which it would think as good.
            ('chat_became_known()',
             'AND q.state = ''queued'' AND q.is_new_chat
        FOR UPDATE SKIP LOCKED))',
             'AND q.state = ''queued'' AND q.is_new_chat IS NOT FALSE
        FOR UPDATE SKIP LOCKED))')
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
