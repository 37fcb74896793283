-- Commands about chats and contacts. What is wrong about their arguments is an error of send_command that
-- names the field; what comes by NOTIFY is a failed command, as before.

CREATE FUNCTION check_online_command(kind text, args jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    known text[] := CASE kind WHEN 'chat.read' THEN ARRAY['chat', 'upTo'] WHEN 'chat.typing' THEN ARRAY['chat', 'state']
                              WHEN 'contact.check' THEN ARRAY['phones'] END;
    field text;
BEGIN
    IF known IS NULL THEN
        RETURN;
    END IF;
    IF jsonb_typeof(args) IS DISTINCT FROM 'object' THEN
        PERFORM refuse_content('args', 'must be an object');
    END IF;
    SELECT key INTO field FROM jsonb_object_keys(args) AS key WHERE key <> ALL (known) LIMIT 1;
    IF field IS NOT NULL THEN
        PERFORM refuse_content('args.' || field, 'there is no such argument of ' || kind);
    END IF;
    IF kind = 'contact.check' THEN
        IF jsonb_typeof(args -> 'phones') IS DISTINCT FROM 'array' OR jsonb_array_length(args -> 'phones') NOT BETWEEN 1 AND 50
           OR EXISTS (SELECT FROM jsonb_array_elements(args -> 'phones') AS listed (phone)
                      WHERE jsonb_typeof(phone) <> 'string'
                         OR recipient_jid(phone #>> '{}') IS NULL OR recipient_jid(phone #>> '{}') NOT LIKE '%@s.whatsapp.net'
                         OR phone #>> '{}' LIKE '%@%') THEN
            PERFORM refuse_content('args.phones', 'must be a list of 1 to 50 phone numbers with their country codes');
        END IF;
        RETURN;
    END IF;
    IF jsonb_typeof(args -> 'chat') IS DISTINCT FROM 'string' OR recipient_jid(args ->> 'chat') IS NULL THEN
        PERFORM refuse_content('args.chat',
                               'must be a phone number with its country code, or the jid of a person or a group');
    END IF;
    IF kind = 'chat.read' THEN
        PERFORM content_number(args, 'args', 'upTo', 1, 9223372036854775807, true);
    ELSIF jsonb_typeof(args -> 'state') IS DISTINCT FROM 'string'
          OR args ->> 'state' NOT IN ('composing', 'recording', 'paused') THEN
        PERFORM refuse_content('args.state', 'must be composing, recording or paused');
    END IF;
END $$;

-- As before but for the check, with the rights that it has.
DO $$
DECLARE
    former CONSTANT text := pg_get_functiondef('send_command(text, uuid, jsonb, text, text)'::regprocedure);
    changed CONSTANT text := replace(former, E'BEGIN\n    LOOP',
        E'BEGIN\n    PERFORM check_online_command(send_command.kind, coalesce(send_command.args, ''{}''));\n    LOOP');
BEGIN
    IF changed = former THEN
        RAISE EXCEPTION 'the function send_command is not the one that this migration changes';
    END IF;
    EXECUTE changed;
END $$;

-- Whether numbers are on WhatsApp, as an account has asked: so that it asks for none twice, and for not
-- too many. A row is made before WhatsApp is asked; it has no answer until there is one.
CREATE TABLE contact_checks (
    account_id uuid NOT NULL REFERENCES whatsapp_accounts (id) ON DELETE CASCADE,
    phone      text NOT NULL CONSTRAINT checked_phone_is_digits CHECK (phone ~ '^[1-9][0-9]{6,14}$'),
    asked_at   timestamptz NOT NULL,
    checked_at timestamptz,
    -- Null while there is no answer.
    is_on_whatsapp boolean,
    -- The jid to write to: a LID where that is known.
    chat       text CHECK (char_length(chat) BETWEEN 1 AND 200),
    PRIMARY KEY (account_id, phone),
    CONSTRAINT an_answer_has_a_time CHECK ((checked_at IS NULL) = (is_on_whatsapp IS NULL)),
    CONSTRAINT only_who_is_there_has_a_chat CHECK (chat IS NULL OR is_on_whatsapp)
);
CREATE INDEX contact_checks_asked ON contact_checks (account_id, asked_at);
CREATE INDEX contact_checks_by_age ON contact_checks (asked_at);

-- Prunes answers that no longer count. Those that do are kept however long other rows are.
CREATE FUNCTION prune_contact_checks(batch integer, dry_run boolean) RETURNS TABLE (gone bigint, more boolean)
LANGUAGE plpgsql AS $$
DECLARE
    before CONSTANT timestamptz := clock_timestamp() - interval '7 days';
BEGIN
    LOCK TABLE unlink_tickets IN SHARE UPDATE EXCLUSIVE MODE;
    IF dry_run THEN
        RETURN QUERY SELECT count(*), false FROM contact_checks c WHERE greatest(c.asked_at, c.checked_at) < before;
        RETURN;
    END IF;
    DELETE FROM contact_checks c WHERE (c.account_id, c.phone) IN (
        SELECT o.account_id, o.phone FROM contact_checks o
        WHERE o.asked_at < before AND greatest(o.asked_at, o.checked_at) < before
        ORDER BY o.asked_at LIMIT batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS gone = ROW_COUNT;
    more := gone >= batch;
    RETURN NEXT;
END $$;

-- As before, and what it asked.
DO $$
DECLARE
    former CONSTANT text := pg_get_functiondef('account_was_deleted()'::regprocedure);
    changed CONSTANT text := replace(former, 'DELETE FROM contacts c WHERE c.account_id = NEW.id;',
        E'DELETE FROM contacts c WHERE c.account_id = NEW.id;\n    DELETE FROM contact_checks c WHERE c.account_id = NEW.id;');
BEGIN
    IF changed = former THEN
        RAISE EXCEPTION 'the function account_was_deleted is not the one that this migration changes';
    END IF;
    EXECUTE changed;
END $$;
