-- Messages on their way out. A web app adds them with send_message; the connection of their account
-- takes them, sends them, and writes what came of it. All statements of the daemon are functions
-- (sql/queries/outgoing.sql), so that it needs no right to read what messages say.

ALTER TABLE messages
    -- A message may be added by a transaction that stays open, and the lock that a foreign key
    -- takes would hold up every change of the account until it ends.
    DROP CONSTRAINT messages_account_id_fkey,
    DROP CONSTRAINT messages_state_check,
    -- Not looked through: what is there obeyed a stricter one.
    ADD CONSTRAINT messages_state_check CHECK (state IN (
        'received', 'waiting', 'queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'cancelled', 'expired'))
        NOT VALID,
    ALTER COLUMN sent_at DROP NOT NULL,
    ADD CONSTRAINT sent_at_is_known_of_what_came_in CHECK (sent_at IS NOT NULL OR direction = 'out') NOT VALID,
    -- The sender's own name for it; who sent it by its own word (the setting paird.source), and by
    -- Postgres's.
    ADD COLUMN key text,
    ADD COLUMN source text,
    ADD COLUMN sent_by text,
    ADD COLUMN not_before timestamptz,
    ADD COLUMN expires_at timestamptz,
    -- WhatsApp's code of a refusal.
    ADD COLUMN code integer,
    -- In a group, the first member's.
    ADD COLUMN delivered_at timestamptz,
    ADD COLUMN read_at timestamptz,
    -- How often it was taken to be sent, when last, and by which connection.
    ADD COLUMN attempt smallint NOT NULL DEFAULT 0,
    ADD COLUMN taken_at timestamptz,
    ADD COLUMN taken_by uuid,
    -- When it may be taken: its not_before, or its next try.
    ADD COLUMN due_at timestamptz,
    -- Nothing was heard from its chat yet, and nothing sent to it.
    ADD COLUMN is_new_chat boolean NOT NULL DEFAULT false,
    -- When its state last changed for good: the created_at of the event that says so.
    ADD COLUMN told_at timestamptz;

CREATE UNIQUE INDEX messages_by_key ON messages (account_id, key) WHERE key IS NOT NULL;
CREATE UNIQUE INDEX messages_sent_once ON messages (account_id, wa_id) WHERE direction = 'out';
CREATE INDEX messages_due ON messages (account_id, is_new_chat, due_at, id) WHERE state = 'queued';
CREATE INDEX messages_queued_of_chat ON messages (account_id, chat, id) WHERE state = 'queued';
CREATE INDEX messages_sending ON messages (account_id, chat) WHERE state = 'sending';
CREATE INDEX messages_expiring ON messages (expires_at) WHERE state = 'queued' AND expires_at IS NOT NULL;
CREATE INDEX messages_to_new_chats ON messages (account_id, taken_at) WHERE is_new_chat AND taken_at IS NOT NULL;
CREATE INDEX messages_held_up ON messages (account_id, due_at) WHERE state = 'queued' AND is_new_chat AND reason IS NULL;

-- What send_message was given for a key, as long as the contents are kept.
ALTER TABLE message_bodies ADD COLUMN request_hash bytea;

-- How far a message got with each member of a group.
CREATE TABLE message_receipts (
    message_id   bigint NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    participant  text NOT NULL CHECK (char_length(participant) BETWEEN 1 AND 200),
    delivered_at timestamptz,
    read_at      timestamptz,
    PRIMARY KEY (message_id, participant)
);

-- Whether there was a message between the two: others are known from groups alone.
ALTER TABLE contacts ADD COLUMN has_chat boolean NOT NULL DEFAULT false;
UPDATE contacts c SET has_chat = true
WHERE EXISTS (SELECT FROM messages m WHERE m.account_id = c.account_id AND m.chat = c.jid);
CREATE INDEX contacts_by_phone_key ON contacts (account_id, phone_key(phone)) WHERE phone IS NOT NULL;

-- The pace of an account, for its operator to set. Its limits are those of account_is_within_limits.
ALTER TABLE whatsapp_accounts
    -- Messages a second, and how many may go at once after a rest.
    ADD COLUMN send_rate real NOT NULL DEFAULT 1,
    ADD COLUMN send_burst integer NOT NULL DEFAULT 5,
    -- First messages to new chats within 24 hours; null: as many as there are.
    ADD COLUMN new_chats_per_day integer DEFAULT 20,
    -- Until then nothing is sent to new chats.
    ADD COLUMN sending_paused_until timestamptz,
    ADD COLUMN sending_paused_reason text,
    -- Messages taken lately, of which `send_rate` a second are forgotten, as of a moment: a new
    -- connection does not begin with a new burst.
    ADD COLUMN send_level real NOT NULL DEFAULT 0,
    ADD COLUMN send_level_at timestamptz NOT NULL DEFAULT '-infinity',
    -- First messages that WhatsApp refused as such, one after the other.
    ADD COLUMN new_chats_refused smallint NOT NULL DEFAULT 0;
CREATE INDEX whatsapp_accounts_paused ON whatsapp_accounts (sending_paused_until)
    WHERE sending_paused_until IS NOT NULL;

-- As before, and the pace.
CREATE OR REPLACE FUNCTION account_is_within_limits() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    broken text := CASE
        WHEN char_length(NEW.label) > 200 OR NEW.label !~ '^[^\u0001-\u001f\u007f-\u009f]+$'
             OR NEW.label !~ '[^[:space:]]' THEN 'label_is_1_to_200_printable_characters'
        WHEN NEW.presence NOT IN ('silent', 'available') THEN 'presence_is_silent_or_available'
        WHEN char_length(NEW.proxy) > 2000 THEN 'proxy_has_at_most_2000_characters'
        -- By exclusion, as NaN is beyond every number.
        WHEN NOT (NEW.send_rate BETWEEN 0.001 AND 1000) THEN 'send_rate_is_0_001_to_1000'
        WHEN NEW.send_burst NOT BETWEEN 1 AND 1000 THEN 'send_burst_is_1_to_1000'
        WHEN NEW.new_chats_per_day NOT BETWEEN 0 AND 1000000 THEN 'new_chats_per_day_is_0_to_1000000'
    END;
BEGIN
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'new row for relation "%" violates check constraint "%"', TG_TABLE_NAME, broken
            USING ERRCODE = 'check_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER account_is_within_limits ON whatsapp_accounts;
CREATE TRIGGER account_is_within_limits
    BEFORE INSERT OR UPDATE OF label, proxy, presence, send_rate, send_burst, new_chats_per_day ON whatsapp_accounts
    FOR EACH ROW EXECUTE FUNCTION account_is_within_limits();

-- Wakes the daemons for messages of an account. As with commands, the rows are the truth.
CREATE FUNCTION ring_for_messages(account uuid) RETURNS boolean LANGUAGE sql AS $$
    SELECT ring('paird_outgoing', account::text)
$$;

-- Another pace goes into effect at once.
CREATE FUNCTION pace_was_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ring_for_messages(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER pace_was_changed AFTER UPDATE OF send_rate, send_burst, new_chats_per_day ON whatsapp_accounts
    FOR EACH ROW
    WHEN ((NEW.send_rate, NEW.send_burst, NEW.new_chats_per_day)
          IS DISTINCT FROM (OLD.send_rate, OLD.send_burst, OLD.new_chats_per_day))
    EXECUTE FUNCTION pace_was_changed();

-- What waits for a new chat need not wait when it is not new any more.
CREATE FUNCTION chat_became_known() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE messages m SET is_new_chat = false, reason = NULL
    -- Not one that is being cancelled: that transaction may stay open.
    WHERE m.id = ANY (ARRAY(
        SELECT q.id FROM messages q
        WHERE q.account_id = NEW.account_id AND q.chat = NEW.jid AND q.state = 'queued' AND q.is_new_chat
        FOR UPDATE SKIP LOCKED));
    IF FOUND THEN
        PERFORM ring_for_messages(NEW.account_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER chat_became_known AFTER INSERT OR UPDATE OF has_chat ON contacts
    FOR EACH ROW WHEN (NEW.has_chat) EXECUTE FUNCTION chat_became_known();

-- As the foreign key did.
CREATE FUNCTION account_is_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM messages m WHERE m.account_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER account_is_gone AFTER DELETE ON whatsapp_accounts
    FOR EACH ROW EXECUTE FUNCTION account_is_gone();

-- Functions that are as before but for a few lines, with the rights that they have.
DO $$
DECLARE
    change record;
    former text;
    changed text;
BEGIN
    FOR change IN
        SELECT * FROM (VALUES
            ('account_was_written()',
             '            jsonb_build_object(''presence'', NEW.presence))',
             '            jsonb_build_object(''presence'', NEW.presence)),
        (6, ''account.pace_set'',
            CASE TG_OP WHEN ''INSERT'' THEN (NEW.send_rate, NEW.send_burst, NEW.new_chats_per_day)
                                            IS DISTINCT FROM (1::real, 5, 20)
                       ELSE (NEW.send_rate, NEW.send_burst, NEW.new_chats_per_day)
                            IS DISTINCT FROM (OLD.send_rate, OLD.send_burst, OLD.new_chats_per_day) END,
            jsonb_build_object(''sendRate'', NEW.send_rate, ''sendBurst'', NEW.send_burst,
                               ''newChatsPerDay'', NEW.new_chats_per_day))'),
            -- What is on its way stays; what was on its way has changed later than it was made.
            ('prune_messages(interval, text[], bigint, integer, boolean)',
             'm.created_at < before AND is_read_by_all(m.account_id, coalesce(m.recovered_at, m.created_at), readers)',
             'm.state NOT IN (''queued'', ''sending'') AND coalesce(m.told_at, m.created_at) < before
               AND is_read_by_all(m.account_id, coalesce(m.told_at, m.recovered_at, m.created_at), readers)'),
            ('prune_bodies(interval, text[], bigint, integer, boolean)',
             'b.created_at < at_last
               OR (b.created_at < before AND is_read_by_all(m.account_id, b.created_at, readers)) AS may_go',
             'm.state NOT IN (''queued'', ''sending'')
               AND (coalesce(m.told_at, b.created_at) < at_last
                    OR (coalesce(m.told_at, b.created_at) < before
                        AND is_read_by_all(m.account_id, coalesce(m.told_at, b.created_at), readers))) AS may_go'),
            ('merge_chat(uuid, uuid, bigint, text, text, integer)',
             'INSERT INTO contacts AS c (account_id, jid, phone, name, updated_at)
        SELECT account, lid, number, o.name, o.updated_at',
             'INSERT INTO contacts AS c (account_id, jid, phone, name, has_chat, updated_at)
        SELECT account, lid, number, o.name, o.has_chat, o.updated_at'),
            ('merge_chat(uuid, uuid, bigint, text, text, integer)',
             'SET phone = excluded.phone, ',
             'SET phone = excluded.phone, has_chat = c.has_chat OR excluded.has_chat, '),
            -- A message that is being cancelled by a transaction that stays open is left for later.
            ('account_was_deleted()',
             'newest.account_id = NEW.id ORDER BY newest.id DESC LIMIT 10000));',
             'newest.account_id = NEW.id
          -- Nor more than so many receipts, which go with them: a group has up to a thousand of each.
          AND newest.id > coalesce((
              SELECT p.message_id FROM messages n JOIN message_receipts p ON p.message_id = n.id
              WHERE n.account_id = NEW.id ORDER BY n.id DESC OFFSET 50000 LIMIT 1), 0)
        ORDER BY newest.id DESC LIMIT 10000
        FOR UPDATE SKIP LOCKED));'),
            ('erase_messages(integer, boolean)',
             '    erased := (SELECT e.account_id FROM message_erasures e ORDER BY e.account_id LIMIT 1);
    IF dry_run OR erased IS NULL THEN',
             '    IF dry_run THEN'),
            ('erase_messages(integer, boolean)',
             '    DELETE FROM messages m WHERE m.id = ANY (ARRAY(
        SELECT o.id FROM messages o WHERE o.account_id = erased ORDER BY o.id LIMIT batch));
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone < batch THEN
        DELETE FROM message_erasures e WHERE e.account_id = erased;
    END IF;
    more := EXISTS (SELECT FROM message_erasures);',
             '    gone := 0;
    -- Past accounts of which only such messages are left.
    FOR erased IN SELECT e.account_id FROM message_erasures e ORDER BY e.account_id LOOP
        DELETE FROM messages m WHERE m.id = ANY (ARRAY(
            SELECT o.id FROM messages o WHERE o.account_id = erased ORDER BY o.id LIMIT batch FOR UPDATE SKIP LOCKED));
        GET DIAGNOSTICS gone = ROW_COUNT;
        DELETE FROM message_erasures e
        WHERE e.account_id = erased AND NOT EXISTS (SELECT FROM messages m WHERE m.account_id = erased);
        EXIT WHEN gone > 0;
    END LOOP;
    more := gone > 0 AND EXISTS (SELECT FROM message_erasures);')
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
DROP TRIGGER account_was_written ON whatsapp_accounts;
CREATE TRIGGER account_was_written
    AFTER UPDATE OF label, proxy, device_name, presence, send_rate, send_burst, new_chats_per_day ON whatsapp_accounts
    FOR EACH ROW
    WHEN ((NEW.label, NEW.proxy, NEW.device_name, NEW.presence, NEW.send_rate, NEW.send_burst, NEW.new_chats_per_day)
          IS DISTINCT FROM
          (OLD.label, OLD.proxy, OLD.device_name, OLD.presence, OLD.send_rate, OLD.send_burst, OLD.new_chats_per_day))
    EXECUTE FUNCTION account_was_written();

-- What send_message takes. Each of these raises an error that names the field.

CREATE FUNCTION refuse_content(field text, trouble text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: %', left(field, 200), trouble USING ERRCODE = 'invalid_parameter_value';
END $$;

-- A jid, or the jid of a number as people write it; null if it is neither.
CREATE FUNCTION recipient_jid(said text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN said ~ '^([0-9]{1,30}@lid|[0-9]{1,30}(-[0-9]{1,30})?@g\.us|[1-9][0-9]{6,14}@s\.whatsapp\.net)$' THEN said
        WHEN number ~ '^[1-9][0-9]{6,14}$' THEN number || '@s.whatsapp.net'
    END
    FROM (SELECT CASE WHEN dialled LIKE '+%' THEN substr(dialled, 2)
                      WHEN dialled LIKE '00%' THEN substr(dialled, 3)
                      ELSE dialled END AS number
          -- With the international prefix, a zero in brackets is dialled only within the country.
          FROM (SELECT regexp_replace(
                           CASE WHEN said ~ '^\s*(\+|00)' THEN replace(said, '(0)', '') ELSE said END,
                           '[-() ./\u00a0\u202f\u2010-\u2015]+', '', 'g') AS dialled
                WHERE char_length(said) <= 100) AS d) AS n
$$;

CREATE FUNCTION content_text(said jsonb, path text, field text, shortest integer, longest integer) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    value text := said ->> field;
BEGIN
    IF value IS NULL AND shortest < 0 THEN
        RETURN NULL;
    END IF;
    IF jsonb_typeof(said -> field) IS DISTINCT FROM 'string' OR char_length(value) NOT BETWEEN shortest AND longest THEN
        PERFORM refuse_content(path || '.' || field,
                               format('must be a text of %s to %s characters', greatest(shortest, 0), longest));
    END IF;
    RETURN value;
END $$;

CREATE FUNCTION content_number(said jsonb, path text, field text, lowest numeric, highest numeric, is_whole boolean)
RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    value numeric;
BEGIN
    IF jsonb_typeof(said -> field) IS NOT DISTINCT FROM 'number' THEN
        value := (said ->> field)::numeric;
    END IF;
    IF value BETWEEN lowest AND highest AND (NOT is_whole OR value = trunc(value)) THEN
        RETURN value;
    END IF;
    PERFORM refuse_content(path || '.' || field, CASE WHEN is_whole THEN 'must be the id of a message'
                                                      ELSE format('must be a number from %s to %s', lowest, highest) END);
END $$;

CREATE FUNCTION content_mentions(said jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    jids text[];
BEGIN
    IF said -> 'mentions' IS NULL OR said -> 'mentions' = 'null' THEN
        RETURN NULL;
    END IF;
    IF jsonb_typeof(said -> 'mentions') = 'array' AND jsonb_array_length(said -> 'mentions') <= 1000 THEN
        jids := ARRAY(SELECT recipient_jid(mention #>> '{}') FROM jsonb_array_elements(said -> 'mentions') AS m (mention));
        IF array_position(jids, NULL) IS NULL AND NOT EXISTS (SELECT FROM unnest(jids) AS jid WHERE jid LIKE '%@g.us') THEN
            -- As those of what comes in: a person by the number, if that is known.
            RETURN (SELECT nullif(coalesce(jsonb_agg(regexp_replace(jid, '@s\.whatsapp\.net$', '') ORDER BY nth), '[]'), '[]')
                    FROM unnest(jids) WITH ORDINALITY AS u (jid, nth));
        END IF;
    END IF;
    PERFORM refuse_content('content.text.mentions', 'must be a list of at most 1000 phone numbers');
END $$;

-- The content as it is stored, which is the form of what comes in.
CREATE FUNCTION outgoing_content(content jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    kind text;
    said jsonb;
    path text;
    known text[];
    field text;
    reply jsonb := '{}';
    stored jsonb;
BEGIN
    IF jsonb_typeof(content) IS DISTINCT FROM 'object' THEN
        PERFORM refuse_content('content', 'must be an object');
    END IF;
    kind := content ->> 'type';
    known := CASE kind WHEN 'text' THEN ARRAY['body', 'mentions'] WHEN 'reaction' THEN ARRAY['messageId', 'emoji']
                       WHEN 'edit' THEN ARRAY['messageId', 'body'] WHEN 'revoke' THEN ARRAY['messageId']
                       WHEN 'location' THEN ARRAY['latitude', 'longitude', 'name', 'address'] END;
    IF known IS NULL THEN
        PERFORM refuse_content('content.type', 'must be text, reaction, edit, revoke or location');
    END IF;
    path := 'content.' || kind;
    said := content -> kind;
    SELECT key INTO field FROM jsonb_object_keys(content) AS key
    WHERE key NOT IN ('to', 'type', kind) AND NOT (key = 'replyTo' AND kind IN ('text', 'location')) LIMIT 1;
    IF field IS NOT NULL THEN
        PERFORM refuse_content('content.' || field, 'there is no such field in a message of type ' || kind);
    END IF;
    IF jsonb_typeof(said) IS DISTINCT FROM 'object' THEN
        PERFORM refuse_content(path, 'must be an object');
    END IF;
    SELECT key INTO field FROM jsonb_object_keys(said) AS key WHERE key <> ALL (known) LIMIT 1;
    IF field IS NOT NULL THEN
        PERFORM refuse_content(path || '.' || field, 'there is no such field');
    END IF;
    IF coalesce(content -> 'replyTo', 'null') <> 'null' THEN
        reply := jsonb_build_object(
            'replyTo', content_number(content, 'content', 'replyTo', 1, 9223372036854775807, true)::bigint);
    END IF;
    stored := CASE WHEN kind IN ('reaction', 'edit', 'revoke') THEN jsonb_build_object(
        'messageId', content_number(said, path, 'messageId', 1, 9223372036854775807, true)::bigint) ELSE '{}' END;
    stored := stored || CASE kind
        WHEN 'text' THEN jsonb_strip_nulls(jsonb_build_object(
            'body', content_text(said, path, 'body', 1, 65536), 'mentions', content_mentions(said)))
        WHEN 'reaction' THEN jsonb_build_object('emoji', content_text(said, path, 'emoji', 0, 64))
        WHEN 'edit' THEN jsonb_build_object('body', content_text(said, path, 'body', 1, 65536))
        WHEN 'revoke' THEN '{}'
        WHEN 'location' THEN jsonb_strip_nulls(jsonb_build_object(
            'latitude', content_number(said, path, 'latitude', -90, 90, false),
            'longitude', content_number(said, path, 'longitude', -180, 180, false),
            'name', content_text(said, path, 'name', -1, 200), 'address', content_text(said, path, 'address', -1, 200)))
    END;
    RETURN jsonb_build_object('type', kind, kind, stored) || reply;
END $$;

-- Whether a session may touch an account: with isolated operators only those of its own.
CREATE FUNCTION is_ones_own_account(account uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN is_isolated() THEN
        NOT is_bound_to_operator((SELECT r.oid FROM pg_roles r WHERE r.rolname = session_user))
        OR EXISTS (SELECT FROM whatsapp_accounts a WHERE a.id = account AND a.operator_id = current_operator())
    ELSE true END
$$;

-- The message that another one answers or changes: of the same chat, and not one that will never
-- be there.
CREATE FUNCTION find_target(account uuid, chat text, chat_phone text, target bigint, kind text, field text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    found messages;
BEGIN
    SELECT m.* INTO found FROM messages m
    WHERE m.id = target AND m.account_id = account AND (m.chat = find_target.chat OR m.chat_phone = find_target.chat_phone);
    IF found.id IS NULL THEN
        PERFORM refuse_content(field, 'there is no such message in this chat');
    END IF;
    IF found.state IN ('failed', 'cancelled', 'expired') THEN
        PERFORM refuse_content(field, 'that message was never sent');
    END IF;
    IF kind IN ('edit', 'revoke') AND found.direction = 'in' THEN
        PERFORM refuse_content(field, 'that message is somebody else''s');
    END IF;
    IF kind = 'edit' AND found.kind IS DISTINCT FROM 'text' THEN
        PERFORM refuse_content(field, 'only a text can be edited');
    END IF;
    RETURN found.wa_id;
END $$;

-- The chat with a recipient, in the form that the account knows it by, as record_messages does.
CREATE FUNCTION find_chat(account uuid, recipient text, OUT chat text, OUT chat_phone text, OUT is_new boolean)
LANGUAGE plpgsql AS $$
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
END $$;

-- Queues a message and returns its id. If another of the account has the key, returns that one's.
CREATE FUNCTION send_message(
    account_id uuid, content jsonb, key text DEFAULT NULL, not_before timestamptz DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
-- The arguments, which have names of columns, are always qualified.
#variable_conflict use_column
DECLARE
    queue_limit CONSTANT integer := 10000;
    added_at CONSTANT timestamptz := clock_timestamp();
    stored jsonb := outgoing_content(send_message.content);
    its_kind CONSTANT text := stored ->> 'type';
    recipient text;
    recipients record;
    field text;
    target bigint;
    target_wa_id text;
    target_due_at timestamptz;
    hash bytea;
    former record;
    added bigint;
BEGIN
    IF NOT is_ones_own_account(send_message.account_id) THEN
        RAISE EXCEPTION 'there is no such account of this operator'
            USING ERRCODE = 'insufficient_privilege', HINT = 'SET paird.operator to the operator that the account is of.';
    END IF;
    IF NOT EXISTS (SELECT FROM whatsapp_accounts a WHERE a.id = send_message.account_id AND a.deleted_at IS NULL) THEN
        PERFORM refuse_content('account_id', 'there is no such account');
    END IF;
    IF char_length(send_message.key) NOT BETWEEN 1 AND 200 THEN
        PERFORM refuse_content('key', 'must have 1 to 200 characters');
    END IF;
    recipient := CASE WHEN jsonb_typeof(send_message.content -> 'to') = 'string'
                      THEN recipient_jid(send_message.content ->> 'to') END;
    IF recipient IS NULL THEN
        PERFORM refuse_content('content.to', 'must be a phone number with its country code, or the jid of a person or a group');
    END IF;
    hash := CASE WHEN send_message.key IS NOT NULL THEN sha256(convert_to(send_message.content::text, 'UTF8')) END;
    LOOP
        IF send_message.key IS NOT NULL THEN
            SELECT m.id, b.request_hash INTO former
            FROM messages m LEFT JOIN message_bodies b ON b.message_id = m.id
            WHERE m.account_id = send_message.account_id AND m.key = send_message.key;
            IF FOUND AND former.request_hash <> hash THEN
                RAISE EXCEPTION 'this key is that of another message of the account already: message %', former.id
                    USING ERRCODE = 'unique_violation', HINT = 'A new message needs a new key.';
            END IF;
            IF FOUND THEN
                RETURN former.id;
            END IF;
        END IF;
        IF NOT isfinite(send_message.not_before) THEN
            PERFORM refuse_content('not_before', 'must be a point in time');
        END IF;
        IF NOT isfinite(send_message.expires_at)
           OR send_message.expires_at <= greatest(added_at, send_message.not_before) THEN
            PERFORM refuse_content('expires_at', 'must be later than now and later than not_before');
        END IF;
        recipients := find_chat(send_message.account_id, recipient);
        field := CASE WHEN its_kind IN ('reaction', 'edit', 'revoke') THEN its_kind || '.messageId'
                      WHEN stored ? 'replyTo' THEN 'replyTo' END;
        IF field IS NOT NULL THEN
            target := (stored #>> string_to_array(field, '.'))::bigint;
            target_wa_id := find_target(send_message.account_id, recipients.chat, recipients.chat_phone, target, its_kind,
                                        'content.' || field);
            -- Nobody can be told about a message that was not sent yet.
            target_due_at := (SELECT m.due_at FROM messages m WHERE m.id = target AND m.state = 'queued');
            IF field <> 'replyTo' THEN
                stored := jsonb_set(stored, ARRAY[its_kind, 'waId'], to_jsonb(target_wa_id));
            END IF;
        END IF;
        IF (SELECT count(*) FROM (SELECT FROM messages m WHERE m.account_id = send_message.account_id
                                  AND m.state = 'queued' LIMIT queue_limit) AS queue) >= queue_limit THEN
            RAISE EXCEPTION 'the account has % messages queued already', queue_limit
                USING ERRCODE = 'configuration_limit_exceeded', HINT = 'Send more when some of them are on their way.';
        END IF;
        INSERT INTO messages AS m (account_id, direction, chat, chat_phone, sender, wa_id, kind, refers_to, state,
                                   created_at, key, source, sent_by, not_before, expires_at, due_at, is_new_chat)
        VALUES (send_message.account_id, 'out', recipients.chat, recipients.chat_phone, 'me',
                '3EB0' || upper(left(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex'), 20)),
                its_kind, target, 'queued', added_at, send_message.key,
                left(coalesce(nullif(current_setting('paird.source', true), ''), 'web'), 40), session_user,
                send_message.not_before, send_message.expires_at,
                greatest(send_message.not_before, added_at, target_due_at), recipients.is_new)
        ON CONFLICT (account_id, key) WHERE key IS NOT NULL DO NOTHING
        RETURNING m.id INTO added;
        -- Else somebody else's call with the same key has just come first.
        EXIT WHEN added IS NOT NULL;
    END LOOP;
    INSERT INTO message_bodies (message_id, content, created_at, request_hash) VALUES (added, stored, added_at, hash);
    PERFORM ring_for_messages(send_message.account_id);
    RETURN added;
END $$;

-- Whether the message was still queued: it is never sent then.
CREATE FUNCTION cancel_message(id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE messages m SET state = 'cancelled', reason = NULL, told_at = clock_timestamp()
    WHERE m.id = cancel_message.id AND m.direction = 'out' AND m.state = 'queued' AND is_ones_own_account(m.account_id);
    RETURN FOUND;
END $$;

-- What follows is the daemon's. Whatever writes events holds the lock of the account's row, which
-- orders them.

CREATE FUNCTION event_time(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- Locks an account for the daemon and link that it is of.
CREATE FUNCTION lock_link(account uuid, process uuid, its_fence bigint, keyring uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM whatsapp_accounts a
    WHERE a.id = account AND a.owner = process AND a.fence = its_fence AND a.deleted_at IS NULL
      AND keyring IN (a.keyring_id, a.linking_keyring_id)
    FOR UPDATE;
    RETURN FOUND;
END $$;

-- The next event of an account whose row is locked.
CREATE FUNCTION tell(account uuid, event_kind text, event_payload jsonb, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH next AS (
        UPDATE whatsapp_accounts a SET event_seq = a.event_seq + 1 WHERE a.id = account RETURNING a.event_seq
    )
    INSERT INTO events (account_id, seq, kind, payload, created_at)
    SELECT account, next.event_seq, event_kind, event_payload, at FROM next;
END $$;

-- An account's queued messages whose time is over, and the end of its pause.
CREATE FUNCTION end_what_is_over(account uuid, at timestamptz, batch integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    ended record;
    told bigint := 0;
BEGIN
    FOR ended IN
        UPDATE messages m SET state = 'expired', reason = 'expired', told_at = at
        WHERE m.id = ANY (ARRAY(
            SELECT o.id FROM messages o
            WHERE o.account_id = account AND o.state = 'queued' AND o.expires_at IS NOT NULL AND o.expires_at <= at
            LIMIT batch FOR UPDATE SKIP LOCKED))
        RETURNING m.id, m.key
    LOOP
        PERFORM tell_failed(account, ended.id, ended.key, 'expired', NULL, at);
        told := told + 1;
    END LOOP;
    FOR ended IN
        WITH paused AS (
            SELECT a.id, a.sending_paused_reason AS reason FROM whatsapp_accounts a
            WHERE a.id = account AND a.sending_paused_until <= at
        )
        UPDATE whatsapp_accounts a SET sending_paused_until = NULL, sending_paused_reason = NULL, new_chats_refused = 0
        FROM paused WHERE a.id = paused.id
        RETURNING paused.reason
    LOOP
        PERFORM tell(account, 'sending.resumed', jsonb_build_object('reason', ended.reason, 'until', NULL), at);
        told := told + 1;
    END LOOP;
    RETURN told;
END $$;

-- Locks queued messages that are due, at most so many: the oldest of each chat, and none of a chat
-- that has a message on its way.
CREATE FUNCTION lock_queued(account uuid, new_chats boolean, at timestamptz, but bigint[], most integer) RETURNS bigint[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(
        SELECT m.id FROM messages m
        WHERE m.account_id = account AND m.state = 'queued' AND m.is_new_chat = new_chats AND m.due_at <= at
          AND m.id <> ALL (but)
          -- One that is over may still be here: who cancels it has it locked, perhaps for long.
          AND (m.expires_at IS NULL OR m.expires_at > at)
          AND NOT EXISTS (SELECT FROM messages s
                          WHERE s.account_id = account AND s.chat = m.chat AND s.state = 'sending')
          -- A message for later does not hold up its chat, but one that is to be tried again does.
          AND NOT EXISTS (SELECT FROM messages e
                          WHERE e.account_id = account AND e.chat = m.chat AND e.state = 'queued' AND e.id < m.id
                            AND (e.due_at <= at OR e.attempt > 0))
        ORDER BY m.due_at, m.id
        LIMIT most
        FOR UPDATE OF m SKIP LOCKED);
END $$;

-- The same of new chats that were begun since then.
CREATE FUNCTION lock_begun(account uuid, since timestamptz, at timestamptz, most integer) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    begun bigint[] := ARRAY(SELECT m.id FROM messages m
                            WHERE m.account_id = account AND m.is_new_chat AND m.taken_at > since);
BEGIN
    RETURN ARRAY(
        SELECT m.id FROM messages m
        WHERE m.id = ANY (begun) AND m.state = 'queued' AND m.due_at <= at
          AND (m.expires_at IS NULL OR m.expires_at > at)
          AND NOT EXISTS (SELECT FROM messages s
                          WHERE s.account_id = account AND s.chat = m.chat AND s.state = 'sending')
          AND NOT EXISTS (SELECT FROM messages e
                          WHERE e.account_id = account AND e.chat = m.chat AND e.state = 'queued' AND e.id < m.id
                            AND (e.due_at <= at OR e.attempt > 0))
        ORDER BY m.due_at, m.id
        LIMIT most
        FOR UPDATE OF m SKIP LOCKED);
END $$;

-- Takes messages for a connection, at most `room`: first those `sending` that it does not hold, which
-- a former connection took, or whose taking was never heard of; then queued ones. No row: the
-- account has another owner, a newer fence, or no longer this link.
--  * `recent`: how many were taken lately, these included, see send_level;
--  * `has_more`: more are due;
--  * `next_due_secs`: until the next one is that is not due yet;
--  * `told`: there are new events.
CREATE FUNCTION take_messages(
    account uuid, process uuid, its_fence bigint, keyring uuid, connection uuid, held bigint[], room integer
) RETURNS TABLE (taken jsonb, rate real, burst integer, recent integer, has_more boolean, next_due_secs float8, told boolean)
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz;
    day_ago timestamptz;
    own record;
    left_behind bigint[];
    maybe_sent bigint[];
    ids bigint[];
    begun bigint[];
    hopeless record;
    -- New chats of the last day, and those of them that are to be tried again.
    new_chats integer := 0;
    retries integer := 0;
    -- How many new chats may begin now; null: as many as there are.
    allowance integer := 0;
    next_due timestamptz;
BEGIN
    IF NOT lock_link(account, process, its_fence, keyring) THEN
        RETURN;
    END IF;
    -- Once the row is locked.
    at := clock_timestamp();
    day_ago := at - interval '24 hours';
    told := end_what_is_over(account, at, 1000) > 0;
    SELECT a.phone_number, a.send_rate, a.send_burst, a.new_chats_per_day, a.sending_paused_until AS paused_until,
           greatest(0, a.send_level
                       - a.send_rate * extract(epoch FROM at - greatest(a.send_level_at, day_ago))) AS level
    INTO own FROM whatsapp_accounts a WHERE a.id = account;

    left_behind := ARRAY(
        SELECT m.id FROM messages m
        WHERE m.account_id = account AND m.state = 'sending'
          AND (m.taken_by IS DISTINCT FROM connection OR m.id <> ALL (held))
          -- A chat has two of them if it was two chats before.
          AND NOT EXISTS (SELECT FROM messages s
                          WHERE s.account_id = account AND s.chat = m.chat AND s.state = 'sending' AND s.id <> m.id
                            AND (s.id < m.id OR (s.taken_by = connection AND s.id = ANY (held))))
        ORDER BY m.id LIMIT room);
    -- What this connection took and does not hold, it never heard of, so it did not send it.
    maybe_sent := ARRAY(SELECT m.id FROM messages m
                        WHERE m.id = ANY (left_behind) AND (m.taken_by IS DISTINCT FROM connection OR m.attempt > 1));
    ids := left_behind || lock_queued(account, false, at, '{}', room - cardinality(left_behind));

    IF own.paused_until IS NULL THEN
        SELECT count(*), count(*) FILTER (WHERE m.state = 'queued' AND m.due_at <= at) INTO new_chats, retries
        FROM messages m WHERE m.account_id = account AND m.is_new_chat AND m.taken_at > day_ago;
        IF retries > 0 THEN
            -- They have their place among those of the day.
            begun := lock_begun(account, day_ago, at, room - cardinality(ids));
            ids := ids || begun;
            retries := retries - cardinality(begun);
        END IF;
        allowance := CASE WHEN own.new_chats_per_day IS NOT NULL THEN greatest(own.new_chats_per_day - new_chats, 0) END;
        begun := lock_queued(account, true, at, ids, least(room - cardinality(ids), allowance));
        ids := ids || begun;
        allowance := allowance - cardinality(begun);
    END IF;

    FOR hopeless IN
        UPDATE messages m SET state = 'failed', reason = 'target_missing', told_at = at
        WHERE m.id = ANY (ids)
          AND (NOT EXISTS (SELECT FROM message_bodies b WHERE b.message_id = m.id)
               OR (m.kind IN ('reaction', 'edit', 'revoke')
                   AND NOT EXISTS (SELECT FROM messages t
                                   WHERE t.id = m.refers_to AND t.state NOT IN ('failed', 'cancelled', 'expired'))))
        RETURNING m.id, m.key
    LOOP
        PERFORM tell_failed(account, hopeless.id, hopeless.key, 'target_missing', NULL, at);
        ids := array_remove(ids, hopeless.id);
        told := true;
    END LOOP;

    IF ids <> '{}' THEN
        UPDATE messages m
        SET state = 'sending', taken_by = connection, taken_at = at, attempt = least(m.attempt + 1, 10000),
            reason = NULL,
            sender_phone = own.phone_number
        WHERE m.id = ANY (ids);
        own.level := own.level + cardinality(ids);
        UPDATE whatsapp_accounts a SET send_level = own.level, send_level_at = at WHERE a.id = account;
    END IF;
    IF allowance <= 0 THEN
        -- One that was added while its chat became known was not seen by chat_became_known.
        UPDATE messages m SET is_new_chat = false
        WHERE m.id = ANY (ARRAY(
            SELECT w.id FROM messages w
            JOIN contacts c ON c.account_id = w.account_id AND c.jid = w.chat AND c.has_chat
            WHERE w.account_id = account AND w.state = 'queued' AND w.is_new_chat AND w.reason IS NULL AND w.due_at <= at
            LIMIT 1000 FOR UPDATE OF w SKIP LOCKED));
        UPDATE messages m SET reason = CASE WHEN own.paused_until IS NULL THEN 'new_chat_limit' ELSE 'sending_paused' END
        WHERE m.id = ANY (ARRAY(
            SELECT w.id FROM messages w
            WHERE w.account_id = account AND w.state = 'queued' AND w.is_new_chat AND w.reason IS NULL AND w.due_at <= at
              AND w.attempt = 0
            LIMIT 1000 FOR UPDATE SKIP LOCKED));
    END IF;

    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'id', m.id, 'chat', m.chat, 'phone', m.chat_phone, 'waId', m.wa_id,
               'content', jsonb_build_object(m.kind, b.content -> m.kind),
               'attempt', m.attempt, 'isNewChat', m.is_new_chat, 'maybeSent', m.id = ANY (maybe_sent),
               'expiresMs', floor(extract(epoch FROM m.expires_at) * 1000)::bigint,
               'target', CASE WHEN t.id IS NOT NULL THEN jsonb_build_object(
                   'waId', t.wa_id, 'sender', CASE t.direction WHEN 'in' THEN t.sender END,
                   'phone', CASE t.direction WHEN 'in' THEN t.sender_phone END,
                   'body', coalesce(tb.content #>> '{text,body}', tb.content #>> '{edit,body}')) END)
               ORDER BY listed.nth), '[]')
    INTO taken
    FROM unnest(ids) WITH ORDINALITY AS listed (id, nth)
    JOIN messages m ON m.id = listed.id
    JOIN message_bodies b ON b.message_id = m.id
    LEFT JOIN messages t ON t.id = m.refers_to AND t.state NOT IN ('failed', 'cancelled', 'expired')
    LEFT JOIN message_bodies tb ON tb.message_id = t.id;
    rate := own.send_rate;
    burst := own.send_burst;
    recent := ceil(own.level);
    has_more := EXISTS (SELECT FROM messages m
                        WHERE m.account_id = account AND m.state = 'queued' AND NOT m.is_new_chat AND m.due_at <= at)
             OR EXISTS (SELECT FROM messages m
                        WHERE m.account_id = account AND m.state = 'sending' AND m.id <> ALL (held) AND m.id <> ALL (ids))
             OR retries > 0
             OR (coalesce(allowance, 1) > 0
                 AND EXISTS (SELECT FROM messages m
                             WHERE m.account_id = account AND m.state = 'queued' AND m.is_new_chat AND m.due_at <= at));
    next_due := least(
        (SELECT min(m.due_at) FROM messages m
         WHERE m.account_id = account AND m.state = 'queued' AND NOT m.is_new_chat AND m.due_at > at),
        (SELECT min(m.due_at) FROM messages m
         WHERE m.account_id = account AND m.state = 'queued' AND m.is_new_chat AND m.due_at > at));
    IF allowance <= 0 AND EXISTS (SELECT FROM messages m
                                  WHERE m.account_id = account AND m.state = 'queued' AND m.is_new_chat AND m.due_at <= at)
    THEN
        next_due := least(next_due, coalesce(own.paused_until, (
            SELECT m.taken_at + interval '24 hours' FROM messages m
            WHERE m.account_id = account AND m.is_new_chat AND m.taken_at > day_ago
            ORDER BY m.taken_at OFFSET greatest(new_chats - own.new_chats_per_day, 0) LIMIT 1)));
    END IF;
    next_due_secs := extract(epoch FROM next_due - at);
    RETURN NEXT;
END $$;

CREATE FUNCTION tell_failed(account uuid, message bigint, its_key text, why text, its_code integer, at timestamptz)
RETURNS void LANGUAGE sql AS $$
    SELECT tell(account, 'message.failed',
                jsonb_build_object('messageId', message, 'key', its_key, 'reason', why, 'code', its_code), at)
$$;

-- WhatsApp has a message: the event, and the chat is not new any more. This ends a series of refused
-- first messages.
CREATE FUNCTION tell_sent(sent messages, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell(sent.account_id, 'message.sent', jsonb_build_object(
        'messageId', sent.id, 'key', sent.key, 'waId', sent.wa_id, 'chat', sent.chat,
        'sentAt', event_time(sent.sent_at)), at);
    IF sent.is_new_chat THEN
        INSERT INTO contacts AS c (account_id, jid, phone, has_chat, updated_at)
        VALUES (sent.account_id, sent.chat, sent.chat_phone, true, at)
        ON CONFLICT (account_id, jid) DO UPDATE SET has_chat = true;
        UPDATE whatsapp_accounts a SET new_chats_refused = 0 WHERE a.id = sent.account_id AND a.new_chats_refused <> 0;
    END IF;
END $$;

-- Writes what came of messages that a connection took, and that no other has taken since. In
-- `outcomes`: `id`, `state` (`sent`, `queued` or `failed`), and by state `at_ms`, `after_ms`, or
-- `reason` and `code`. No row: as with take_messages.
CREATE FUNCTION settle_messages(account uuid, process uuid, its_fence bigint, keyring uuid, connection uuid, outcomes jsonb)
RETURNS TABLE (told boolean) LANGUAGE plpgsql AS $$
DECLARE
    refusals_until_pause CONSTANT integer := 3;
    pause CONSTANT interval := '24 hours';
    at timestamptz;
    outcome record;
    settled messages;
    refused integer;
BEGIN
    IF NOT lock_link(account, process, its_fence, keyring) THEN
        RETURN;
    END IF;
    at := clock_timestamp();
    told := false;
    FOR outcome IN
        SELECT o.* FROM ROWS FROM (jsonb_to_recordset(outcomes) AS (
            id bigint, state text, at_ms bigint, after_ms bigint, reason text, code integer)) WITH ORDINALITY
            AS o (id, state, at_ms, after_ms, reason, code, nth)
        ORDER BY o.nth
    LOOP
        UPDATE messages m
        SET state = CASE WHEN outcome.state = 'failed' AND outcome.reason = 'expired' THEN 'expired' ELSE outcome.state END,
            reason = outcome.reason, code = outcome.code,
            sent_at = to_timestamp(outcome.at_ms / 1000.0),
            due_at = CASE outcome.state WHEN 'queued' THEN at + outcome.after_ms * interval '1 millisecond' ELSE m.due_at END,
            told_at = CASE outcome.state WHEN 'queued' THEN m.told_at ELSE at END
        WHERE m.id = outcome.id AND m.account_id = account AND m.state = 'sending' AND m.taken_by = connection
          AND outcome.state IN ('sent', 'queued', 'failed')
        RETURNING m.* INTO settled;
        CONTINUE WHEN settled.id IS NULL OR settled.state = 'queued';
        told := true;
        IF settled.state = 'sent' THEN
            PERFORM tell_sent(settled, at);
        ELSE
            PERFORM tell_failed(account, settled.id, settled.key, settled.reason, settled.code, at);
        END IF;
        CONTINUE WHEN NOT settled.is_new_chat OR settled.state = 'sent'
                   OR settled.reason IS DISTINCT FROM 'reachout_timelocked';
        UPDATE whatsapp_accounts a SET new_chats_refused = a.new_chats_refused + 1
        WHERE a.id = account AND a.sending_paused_until IS NULL
        RETURNING a.new_chats_refused INTO refused;
        IF refused >= refusals_until_pause THEN
            UPDATE whatsapp_accounts a SET sending_paused_until = at + pause, sending_paused_reason = settled.reason
            WHERE a.id = account;
            PERFORM tell(account, 'sending.paused',
                         jsonb_build_object('reason', settled.reason, 'until', event_time(at + pause)), at);
        END IF;
    END LOOP;
    RETURN NEXT;
END $$;

-- Writes receipts: forward only, those of other messages never. In `receipts`: `chat` and
-- `chat_phone`, who has the message in `participant`, `wa_ids`, `kind` (`delivered` or `read`), `at_ms`. What
-- is received was sent, whatever else is known of it, unless it has ended. No row: as with take_messages.
CREATE FUNCTION record_receipts(account uuid, process uuid, its_fence bigint, keyring uuid, receipts jsonb)
RETURNS TABLE (told boolean) LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz;
    receipt record;
    former record;
    changed messages;
BEGIN
    IF NOT lock_link(account, process, its_fence, keyring) THEN
        RETURN;
    END IF;
    at := clock_timestamp();
    told := false;
    FOR receipt IN
        SELECT m.id, r.participant, r.kind, to_timestamp(r.at_ms / 1000.0) AS received_at
        FROM ROWS FROM (jsonb_to_recordset(receipts) AS (
                 chat text, chat_phone text, participant text, wa_ids jsonb, kind text, at_ms bigint)) WITH ORDINALITY
                 AS r (chat, chat_phone, participant, wa_ids, kind, at_ms, nth)
        CROSS JOIN LATERAL jsonb_array_elements_text(r.wa_ids) WITH ORDINALITY AS named (wa_id, nth)
        CROSS JOIN LATERAL (
            SELECT m.* FROM messages m
            WHERE m.account_id = account AND m.wa_id = named.wa_id AND m.direction = 'out'
              AND (m.chat = r.chat OR phone_key(m.chat_phone) = phone_key(r.chat_phone)
                   -- A person under the other name, if no number says that it is somebody else.
                   OR (m.chat NOT LIKE '%@g.us' AND r.chat NOT LIKE '%@g.us' AND (m.chat LIKE '%@lid') <> (r.chat LIKE '%@lid')
                       AND (m.chat_phone IS NULL OR r.chat_phone IS NULL)))
        ) AS m
        ORDER BY r.nth, named.nth
    LOOP
        -- What is on its way or sent is locked by nobody else: all who do hold the account's lock. One
        -- that is queued may be being cancelled, by a transaction that stays open.
        SELECT m.state, m.chat, m.attempt INTO former FROM messages m WHERE m.id = receipt.id FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        CONTINUE WHEN former.state NOT IN ('sending', 'sent', 'delivered', 'read')
                      AND NOT (former.state = 'queued' AND former.attempt > 0);
        IF former.state IN ('sending', 'queued') THEN
            UPDATE messages m SET state = 'sent', sent_at = receipt.received_at, reason = NULL, told_at = at
            WHERE m.id = receipt.id RETURNING m.* INTO changed;
            PERFORM tell_sent(changed, at);
        END IF;
        UPDATE messages m
        SET state = receipt.kind, told_at = at,
            delivered_at = coalesce(m.delivered_at, receipt.received_at),
            read_at = CASE receipt.kind WHEN 'read' THEN receipt.received_at END
        WHERE m.id = receipt.id AND (m.state = 'sent' OR (m.state = 'delivered' AND receipt.kind = 'read'));
        IF FOUND THEN
            told := true;
            PERFORM tell(account, CASE receipt.kind WHEN 'read' THEN 'message.read' ELSE 'message.delivered' END, jsonb_build_object(
                'messageId', receipt.id, 'at', event_time(receipt.received_at), 'by', receipt.participant), at);
        END IF;
        IF former.chat LIKE '%@g.us' THEN
            INSERT INTO message_receipts AS p (message_id, participant, delivered_at, read_at)
            VALUES (receipt.id, receipt.participant, receipt.received_at,
                    CASE receipt.kind WHEN 'read' THEN receipt.received_at END)
            ON CONFLICT (message_id, participant) DO UPDATE SET read_at = excluded.read_at
            WHERE p.read_at IS NULL AND excluded.read_at IS NOT NULL;
        END IF;
    END LOOP;
    RETURN NEXT;
END $$;

-- Ends what is over, whoever owns its account, at most so many messages; and deletes what was queued
-- for an account by a transaction that ended after the account was deleted. What was `sending` when
-- the account lost its link is never sent under another: nobody will say any more what came of it.
CREATE FUNCTION sweep_messages(batch integer) RETURNS TABLE (told boolean, more boolean) LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz;
    due uuid;
    ended record;
    events_told bigint := 0;
    strays bigint;
BEGIN
    FOR due IN
        SELECT a.id FROM whatsapp_accounts a
        WHERE a.id = ANY (ARRAY(
                  SELECT DISTINCT over.account_id
                  FROM (SELECT m.account_id FROM messages m
                        WHERE m.state = 'queued' AND m.expires_at IS NOT NULL AND m.expires_at <= clock_timestamp()
                        ORDER BY m.expires_at LIMIT batch) AS over
                  UNION ALL
                  (SELECT p.id FROM whatsapp_accounts p
                   WHERE p.sending_paused_until IS NOT NULL AND p.sending_paused_until <= clock_timestamp() LIMIT batch)))
          AND a.deleted_at IS NULL
        ORDER BY a.id
        FOR UPDATE OF a SKIP LOCKED
    LOOP
        EXIT WHEN events_told >= batch;
        at := clock_timestamp();
        events_told := events_told + end_what_is_over(due, at, (batch - events_told)::integer);
    END LOOP;
    FOR due IN
        SELECT a.id FROM whatsapp_accounts a
        WHERE a.id = ANY (ARRAY(
                  -- As list_accounts_with_queue.
                  WITH RECURSIVE busy (account_id) AS (
                      (SELECT m.account_id FROM messages m WHERE m.state = 'sending' ORDER BY m.account_id LIMIT 1)
                      UNION ALL
                      SELECT (SELECT m.account_id FROM messages m
                              WHERE m.state = 'sending' AND m.account_id > busy.account_id ORDER BY m.account_id LIMIT 1)
                      FROM busy WHERE busy.account_id IS NOT NULL
                  )
                  SELECT busy.account_id FROM busy WHERE busy.account_id IS NOT NULL))
          AND a.keyring_id IS NULL AND a.linking_keyring_id IS NULL AND a.deleted_at IS NULL
        ORDER BY a.id LIMIT batch
        FOR UPDATE OF a SKIP LOCKED
    LOOP
        EXIT WHEN events_told >= batch;
        at := clock_timestamp();
        FOR ended IN
            UPDATE messages m SET state = 'failed', reason = 'no_ack', code = NULL, told_at = at
            WHERE m.id = ANY (ARRAY(
                SELECT s.id FROM messages s WHERE s.account_id = due AND s.state = 'sending'
                LIMIT batch - events_told FOR UPDATE SKIP LOCKED))
            RETURNING m.id, m.key
        LOOP
            PERFORM tell_failed(due, ended.id, ended.key, 'no_ack', NULL, at);
            events_told := events_told + 1;
        END LOOP;
    END LOOP;
    DELETE FROM messages m WHERE m.id = ANY (ARRAY(
        -- First the accounts, so that nothing of others is locked.
        WITH gone AS MATERIALIZED (
            SELECT queue.account FROM list_accounts_with_queue() AS queue (account)
            WHERE NOT EXISTS (SELECT FROM whatsapp_accounts a WHERE a.id = queue.account AND a.deleted_at IS NULL)
        )
        SELECT stray.id FROM gone
        CROSS JOIN LATERAL (SELECT q.id FROM messages q WHERE q.account_id = gone.account AND q.state = 'queued'
                            LIMIT batch FOR UPDATE SKIP LOCKED) AS stray
        LIMIT batch));
    GET DIAGNOSTICS strays = ROW_COUNT;
    told := events_told > 0;
    more := events_told >= batch OR strays >= batch;
    RETURN NEXT;
END $$;

-- From account to account along the index, so that a long queue costs no more than a short one.
CREATE FUNCTION list_accounts_with_queue() RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    WITH RECURSIVE queue (account_id) AS (
        (SELECT m.account_id FROM messages m WHERE m.state = 'queued' ORDER BY m.account_id LIMIT 1)
        UNION ALL
        SELECT (SELECT m.account_id FROM messages m
                WHERE m.state = 'queued' AND m.account_id > queue.account_id ORDER BY m.account_id LIMIT 1)
        FROM queue WHERE queue.account_id IS NOT NULL
    )
    SELECT queue.account_id FROM queue WHERE queue.account_id IS NOT NULL
$$;

-- Who changes a contact or deletes an account need not have the right to write messages, and may have
-- another search_path.
DO $$
DECLARE
    fired regprocedure;
BEGIN
    FOREACH fired IN ARRAY ARRAY['chat_became_known()', 'account_is_gone()', 'pace_was_changed()']::regprocedure[] LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', fired, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', fired);
    END LOOP;
END $$;
