-- A person is one chat however the number is spelt, and the end of a wait is written in one place.

-- Every spelling of a number, with that given and no other number's among them: those from which
-- phone_key makes the same.
CREATE FUNCTION phone_spellings(phone_number text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    key text;
BEGIN
    IF phone_number !~ '^(55|52|54|225|229)' THEN
        RETURN ARRAY[phone_number];
    END IF;
    key := phone_key(phone_number);
    RETURN ARRAY(
        SELECT DISTINCT spelt.number
        FROM (VALUES
            (phone_number), (key),
            (overlay(key PLACING '9' FROM 5 FOR 0)), (overlay(key PLACING '1' FROM 3 FOR 0)),
            (overlay(key PLACING '9' FROM 3 FOR 0)), (overlay(key PLACING '01' FROM 4 FOR 0)),
            (overlay(key PLACING '05' FROM 4 FOR 0)), (overlay(key PLACING '07' FROM 4 FOR 0))
        ) AS spelt (number)
        WHERE phone_key(spelt.number) = key ORDER BY spelt.number);
END $$;

-- The jids of a number, in every spelling.
CREATE FUNCTION number_jids(phone_number text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ARRAY(SELECT spelt || '@s.whatsapp.net' FROM unnest(phone_spellings(phone_number)) AS spelt)
$$;

-- Ends the wait for a message that will never be read, in an account whose row is locked. A lost one
-- goes without a trace, since no event has reported it. All others are told as recovered: they are
-- unsupported. Whether there is a new event.
CREATE FUNCTION end_wait(account uuid, message bigint, what text, at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    wait record;
BEGIN
    SELECT m.chat, m.sender, m.reason INTO wait FROM messages m WHERE m.id = message;
    IF wait.reason = 'lost' THEN
        DELETE FROM messages m WHERE m.id = message;
        RETURN false;
    END IF;
    UPDATE messages m SET kind = 'unsupported', state = 'received', reason = NULL, recovered_at = at
    WHERE m.id = message;
    INSERT INTO message_bodies (message_id, content, created_at)
    VALUES (message, jsonb_build_object('type', 'unsupported', 'unsupported', jsonb_build_object('what', what)), at)
    ON CONFLICT (message_id) DO NOTHING;
    PERFORM tell(account, 'message.recovered',
                 jsonb_build_object('messageId', message, 'chat', wait.chat, 'sender', wait.sender), at);
    RETURN true;
END $$;

-- Functions with new bodies, and with the rights that they have.
DO $do$
DECLARE
    change record;
    former text;
    head CONSTANT text := 'AS $function$';
BEGIN
    FOR change IN
        SELECT * FROM (VALUES
            -- Moves messages and contact of a person from one spelling of the number to the jid by which
            -- the person is called from now on: the LID, or another spelling.
            ('merge_chat(uuid, uuid, bigint, text, text, integer)', $body$
DECLARE
    former text := number || '@s.whatsapp.net';
    its_phone text;
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
    its_phone := coalesce(substring(lid FROM '^([0-9]+)@s\.whatsapp\.net$'),
                          (SELECT c.phone FROM contacts c
                           WHERE c.account_id = account AND c.jid = lid AND phone_key(c.phone) = phone_key(number)),
                          number);
    -- Those that are being cancelled by a transaction that stays open are left for the next
    -- merge. All others of the account are locked by nobody else.
    moving := ARRAY(
        SELECT m.id FROM messages m WHERE m.account_id = account AND m.chat = former
        ORDER BY m.id LIMIT batch FOR UPDATE SKIP LOCKED);
    moving := moving || ARRAY(
        SELECT m.id FROM messages m
        WHERE m.account_id = account AND m.sender = former AND m.sender LIKE '%@s.whatsapp.net'
          AND m.chat <> former
        ORDER BY m.id LIMIT batch - cardinality(moving) FOR UPDATE SKIP LOCKED);
    FOR twin IN
        SELECT o.id AS old, n.id AS new, o.state = 'received' AND n.state = 'waiting' AS old_is_better
        FROM messages o JOIN messages n
          ON n.account_id = account AND n.wa_id = o.wa_id AND n.direction <> 'out'
         AND n.chat IN (o.chat, CASE WHEN o.chat = former THEN lid ELSE o.chat END)
         AND n.sender IN (o.sender, CASE WHEN o.sender = former THEN lid ELSE o.sender END)
        WHERE o.id = ANY (moving) AND o.direction <> 'out' AND n.id <> o.id AND (n.id < o.id OR n.id <> ALL (moving))
    LOOP
        UPDATE messages m SET refers_to = CASE WHEN twin.old_is_better THEN twin.old ELSE twin.new END
        WHERE m.id = ANY (ARRAY(
            SELECT r.id FROM messages r
            WHERE r.account_id = account AND r.chat IN (former, lid)
              AND r.refers_to = CASE WHEN twin.old_is_better THEN twin.new ELSE twin.old END
            FOR UPDATE SKIP LOCKED));
        DELETE FROM messages m WHERE m.id = CASE WHEN twin.old_is_better THEN twin.new ELSE twin.old END;
    END LOOP;
    UPDATE messages m
    SET chat = CASE WHEN m.chat = former THEN lid ELSE m.chat END,
        chat_phone = CASE WHEN m.chat = former THEN its_phone ELSE m.chat_phone END,
        sender = CASE WHEN m.sender = former THEN lid ELSE m.sender END,
        sender_phone = CASE WHEN m.sender = former THEN its_phone ELSE m.sender_phone END
    WHERE m.id = ANY (moving);
    more := EXISTS (SELECT FROM messages m WHERE m.account_id = account AND m.chat = former
                    LIMIT 1 FOR UPDATE SKIP LOCKED)
            OR EXISTS (SELECT FROM messages m
                       WHERE m.account_id = account AND m.sender = former AND m.sender LIKE '%@s.whatsapp.net'
                       LIMIT 1 FOR UPDATE SKIP LOCKED);
    IF NOT more AND (moving <> '{}' OR EXISTS (
        SELECT FROM contacts o WHERE o.account_id = account AND o.jid = former)) THEN
        INSERT INTO contacts AS c (account_id, jid, phone, name, has_chat, updated_at)
        SELECT account, lid, its_phone, o.name, o.has_chat, o.updated_at FROM contacts o
        WHERE o.account_id = account AND o.jid = former
        ON CONFLICT (account_id, jid) DO UPDATE
        SET phone = excluded.phone, has_chat = c.has_chat OR excluded.has_chat,
            updated_at = greatest(c.updated_at, excluded.updated_at),
            name = CASE WHEN c.name IS NULL OR excluded.updated_at > c.updated_at
                        THEN coalesce(excluded.name, c.name) ELSE c.name END;
        DELETE FROM contacts o WHERE o.account_id = account AND o.jid = former;
        INSERT INTO events (account_id, seq, kind, payload, created_at)
        VALUES (account, last_seq + 1, 'chat.merged',
                jsonb_build_object('chat', lid, 'former', former, 'phone', its_phone), merged_at);
        UPDATE whatsapp_accounts a SET event_seq = last_seq + 1 WHERE a.id = account;
    END IF;
    RETURN NEXT;
END $body$),
            -- The chat with a recipient, in the form that the account knows it by, as record_messages does.
            ('find_chat(uuid, text)', $body$
DECLARE
    number CONSTANT text := substring(recipient FROM '^([0-9]+)@s\.whatsapp\.net$');
    known record;
BEGIN
    IF recipient LIKE '%@g.us' THEN
        chat := recipient;
        is_new := false;
        RETURN;
    END IF;
    IF number IS NULL THEN
        SELECT c.jid, c.phone, c.has_chat INTO known FROM contacts c
        WHERE c.account_id = account AND c.jid = recipient;
    ELSE
        -- In whichever of its spellings; by the LID if that is known.
        SELECT c.jid, c.phone, c.has_chat INTO known FROM contacts c
        WHERE c.account_id = account AND c.phone IS NOT NULL AND phone_key(c.phone) = phone_key(number)
        ORDER BY c.jid NOT LIKE '%@lid', c.phone <> number, c.updated_at DESC LIMIT 1;
    END IF;
    chat := coalesce(known.jid, recipient);
    chat_phone := coalesce(known.phone, number);
    is_new := NOT coalesce(known.has_chat, false);
    IF known.jid IS NULL AND number IS NOT NULL THEN
        -- Nothing was sent to it yet, but perhaps something waits under another spelling.
        SELECT m.chat, m.chat_phone INTO known FROM messages m
        WHERE m.account_id = account AND m.chat = ANY (number_jids(number)) LIMIT 1;
        chat := coalesce(known.chat, chat);
        chat_phone := coalesce(known.chat_phone, chat_phone);
    END IF;
END $body$),
            -- Some turned out to be for programs alone, others are not on the phone, which is believed after
            -- its third answer.
            ('end_waits(uuid, uuid, bigint, uuid, jsonb)', $body$
DECLARE
    ended_at timestamptz := clock_timestamp();
    wait record;
BEGIN
    told := 0;
    IF NOT lock_link(account, process, its_fence, its_keyring) THEN
        RETURN;
    END IF;
    FOR wait IN
        SELECT DISTINCT ON (m.id) m.id, e.what
        FROM jsonb_to_recordset(ended) AS e (
            chat text, chat_phone text, sender text, sender_phone text, wa_id text, what text, is_certain boolean)
        JOIN messages m
          ON m.account_id = account AND m.state = 'waiting' AND m.wa_id = e.wa_id
         AND (m.chat = e.chat OR m.chat = ANY (number_jids(e.chat_phone)))
         AND (m.sender = e.sender OR m.sender = ANY (number_jids(e.sender_phone)))
        WHERE e.is_certain OR m.asks >= 3
        ORDER BY m.id, NOT e.is_certain
    LOOP
        told := told + end_wait(account, wait.id, wait.what, ended_at)::integer;
    END LOOP;
    RETURN NEXT;
END $body$),
            -- Waits for messages that are not asked for any more, at most so many: WhatsApp's phones send a
            -- message again within 14 days, and whoever was asked last had another day to answer.
            ('end_old_waits(integer)', $body$
DECLARE
    at timestamptz;
    before CONSTANT timestamptz := clock_timestamp() - interval '15 days';
    due uuid;
    wait bigint;
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
            SELECT m.id FROM messages m
            WHERE m.account_id = due AND m.state = 'waiting' AND m.created_at < before
            ORDER BY m.id LIMIT batch - ended
        LOOP
            ended := ended + 1;
            PERFORM end_wait(due, wait, 'not_answered', at);
        END LOOP;
        EXIT WHEN ended >= batch;
    END LOOP;
    RETURN ended;
END $body$)
        ) AS changes (function, body)
    LOOP
        former := pg_get_functiondef(change.function::regprocedure);
        EXECUTE left(former, strpos(former, head) + length(head) - 1) || change.body || '$function$';
    END LOOP;
END $do$;
