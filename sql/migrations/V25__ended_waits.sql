-- Ends the wait for messages that will never be read: some turned out to be for programs alone,
-- others are not on the phone, which is believed after its third answer. A lost one goes without a
-- trace, since no event has reported it. All others are told as recovered: they are unsupported.
-- `ended` has `chat`, `chat_phone`, `sender`, `sender_phone`, `wa_id`, `what` and `is_certain`. No row:
-- the account has another owner, a newer fence, or no longer this link.
CREATE FUNCTION end_waits(account uuid, process uuid, its_fence bigint, its_keyring uuid, ended jsonb)
RETURNS TABLE (told integer) LANGUAGE plpgsql AS $$
DECLARE
    last_seq bigint;
    ended_at timestamptz := clock_timestamp();
    wait record;
BEGIN
    told := 0;
    SELECT a.event_seq INTO last_seq FROM whatsapp_accounts a
    WHERE a.id = account AND a.owner = process AND a.fence = its_fence AND a.deleted_at IS NULL
      AND its_keyring IN (a.keyring_id, a.linking_keyring_id) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    FOR wait IN
        SELECT DISTINCT ON (m.id) m.id, m.chat, m.sender, m.reason, e.what
        FROM jsonb_to_recordset(ended) AS e (
            chat text, chat_phone text, sender text, sender_phone text, wa_id text, what text, is_certain boolean)
        JOIN messages m
          ON m.account_id = account AND m.state = 'waiting' AND m.wa_id = e.wa_id
         AND m.chat IN (e.chat, e.chat_phone || '@s.whatsapp.net')
         AND m.sender IN (e.sender, e.sender_phone || '@s.whatsapp.net')
        WHERE e.is_certain OR m.asks >= 3
        ORDER BY m.id, NOT e.is_certain
    LOOP
        IF wait.reason = 'lost' THEN
            DELETE FROM messages m WHERE m.id = wait.id;
            CONTINUE;
        END IF;
        UPDATE messages m SET kind = 'unsupported', state = 'received', reason = NULL, recovered_at = ended_at
        WHERE m.id = wait.id;
        INSERT INTO message_bodies (message_id, content, created_at)
        VALUES (wait.id, jsonb_build_object('type', 'unsupported', 'unsupported', jsonb_build_object('what', wait.what)),
                ended_at)
        ON CONFLICT (message_id) DO NOTHING;
        told := told + 1;
        INSERT INTO events (account_id, seq, kind, payload, created_at)
        VALUES (account, last_seq + told, 'message.recovered',
                jsonb_build_object('messageId', wait.id, 'chat', wait.chat, 'sender', wait.sender), ended_at);
    END LOOP;
    UPDATE whatsapp_accounts a SET event_seq = last_seq + told WHERE a.id = account AND told > 0;
    RETURN NEXT;
END $$;
