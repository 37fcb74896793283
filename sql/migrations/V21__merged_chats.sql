-- A person has a number and a LID, and what comes in names either or both. A chat that was known
-- by the number alone becomes that of the LID once both are known.

-- The messages of people who are known by number alone: with LIDs, few or none.
CREATE INDEX messages_by_number ON messages (account_id, sender) WHERE sender LIKE '%@s.whatsapp.net';

-- Moves messages and contact of a person from the number to the LID, `batch` messages at a time,
-- and reports that when all have been moved. No row: the account has another owner, or a newer
-- fence. A message that came in under both is one message.
CREATE FUNCTION merge_chat(account uuid, process uuid, its_fence bigint, lid text, number text, batch integer)
RETURNS TABLE (more boolean) LANGUAGE plpgsql AS $$
DECLARE
    former text := number || '@s.whatsapp.net';
    last_seq bigint;
    merged_at timestamptz := clock_timestamp();
    moving bigint[];
    twin record;
BEGIN
    SELECT a.event_seq INTO last_seq FROM whatsapp_accounts a
    WHERE a.id = account AND a.owner = process AND a.fence = its_fence AND a.deleted_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    moving := ARRAY(
        SELECT m.id FROM messages m WHERE m.account_id = account AND m.chat = former
        UNION SELECT m.id FROM messages m
              WHERE m.account_id = account AND m.sender = former AND m.sender LIKE '%@s.whatsapp.net'
        ORDER BY 1 LIMIT batch);
    FOR twin IN
        SELECT o.id AS old, n.id AS new, o.state = 'received' AND n.state = 'waiting' AS old_is_better
        FROM messages o JOIN messages n
          ON n.account_id = account AND n.wa_id = o.wa_id AND n.direction <> 'out'
         AND n.chat IN (o.chat, CASE WHEN o.chat = former THEN lid ELSE o.chat END)
         AND n.sender IN (o.sender, CASE WHEN o.sender = former THEN lid ELSE o.sender END)
        WHERE o.id = ANY (moving) AND o.direction <> 'out' AND n.id <> o.id AND (n.id < o.id OR n.id <> ALL (moving))
    LOOP
        UPDATE messages m SET refers_to = CASE WHEN twin.old_is_better THEN twin.old ELSE twin.new END
        WHERE m.account_id = account AND m.chat IN (former, lid)
          AND m.refers_to = CASE WHEN twin.old_is_better THEN twin.new ELSE twin.old END;
        DELETE FROM messages m WHERE m.id = CASE WHEN twin.old_is_better THEN twin.new ELSE twin.old END;
    END LOOP;
    UPDATE messages m
    SET chat = CASE WHEN m.chat = former THEN lid ELSE m.chat END,
        chat_phone = CASE WHEN m.chat = former THEN number ELSE m.chat_phone END,
        sender = CASE WHEN m.sender = former THEN lid ELSE m.sender END,
        sender_phone = CASE WHEN m.sender = former THEN number ELSE m.sender_phone END
    WHERE m.id = ANY (moving);
    more := EXISTS (SELECT FROM messages m WHERE m.account_id = account AND m.chat = former)
            OR EXISTS (SELECT FROM messages m
                       WHERE m.account_id = account AND m.sender = former AND m.sender LIKE '%@s.whatsapp.net');
    IF NOT more AND (moving <> '{}' OR EXISTS (
        SELECT FROM contacts o WHERE o.account_id = account AND o.jid = former)) THEN
        INSERT INTO contacts AS c (account_id, jid, phone, name, updated_at)
        SELECT account, lid, number, o.name, o.updated_at FROM contacts o
        WHERE o.account_id = account AND o.jid = former
        ON CONFLICT (account_id, jid) DO UPDATE
        SET phone = excluded.phone, updated_at = greatest(c.updated_at, excluded.updated_at),
            name = CASE WHEN c.name IS NULL OR excluded.updated_at > c.updated_at
                        THEN coalesce(excluded.name, c.name) ELSE c.name END;
        DELETE FROM contacts o WHERE o.account_id = account AND o.jid = former;
        INSERT INTO events (account_id, seq, kind, payload, created_at)
        VALUES (account, last_seq + 1, 'chat.merged',
                jsonb_build_object('chat', lid, 'former', former, 'phone', number), merged_at);
        UPDATE whatsapp_accounts a SET event_seq = last_seq + 1 WHERE a.id = account;
    END IF;
    RETURN NEXT;
END $$;
