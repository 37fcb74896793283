--! record_messages : (split?)
-- Writes messages that arrived over one link, in their order: rows, bodies, contacts and events,
-- or nothing at all:
--  * no row: the account has another owner, a newer fence, or no longer this link;
--  * `written` has the positions in the batch of those that are new, or waited and can be read
--    now. All other messages are in the table already, by WhatsApp's own key;
--  * `split` has people whose number, in any of its spellings, is a chat or a sender of its own in
--    the table, although they are called otherwise now: by the LID if that is known, else as
--    WhatsApp spells the number. They must be merged first: `jid` and the former `number`.
-- A lost message is written without an event: it may have been keys alone.
WITH mine AS (
    SELECT a.id, a.event_seq, clock_timestamp() AS at
    FROM whatsapp_accounts a
    WHERE a.id = :account AND a.owner = :process AND a.fence = :fence AND a.deleted_at IS NULL
      AND :keyring IN (a.keyring_id, a.linking_keyring_id)
    FOR UPDATE
), arrived AS MATERIALIZED (
    SELECT m.*
    FROM mine CROSS JOIN ROWS FROM (jsonb_to_recordset(:messages::jsonb) AS (
        direction text, chat text, chat_phone text, sender text, sender_phone text, name text, wa_id text, kind text,
        refers_to_wa_id text, state text, reason text, sent_ms bigint, content jsonb, media text)) WITH ORDINALITY
        AS m (direction, chat, chat_phone, sender, sender_phone, name, wa_id, kind,
              refers_to_wa_id, state, reason, sent_ms, content, media, nth)
), people AS MATERIALIZED (
    SELECT p.jid, p.phone, phone_key(p.phone) AS key, max(a.nth) AS nth
    FROM arrived a CROSS JOIN LATERAL (VALUES (a.chat, a.chat_phone), (a.sender, a.sender_phone)) AS p (jid, phone)
    WHERE p.phone IS NOT NULL AND (p.jid LIKE '%@lid' OR p.jid = p.phone || '@s.whatsapp.net')
    GROUP BY p.jid, p.phone
), named AS MATERIALIZED (
    -- What each person with a number is called from now on.
    SELECT n.key, coalesce(n.lid, former.jid, n.number || '@s.whatsapp.net') AS jid, coalesce(n.phone_of_lid, n.number) AS phone
    FROM (SELECT p.key,
                 (array_agg(p.jid ORDER BY p.nth DESC) FILTER (WHERE p.jid LIKE '%@lid'))[1] AS lid,
                 (array_agg(p.phone ORDER BY p.nth DESC) FILTER (WHERE p.jid LIKE '%@lid'))[1] AS phone_of_lid,
                 (array_agg(p.phone ORDER BY p.nth DESC) FILTER (WHERE p.jid NOT LIKE '%@lid'))[1] AS number
          FROM people p GROUP BY p.key) AS n
    LEFT JOIN LATERAL (
        SELECT c.jid FROM contacts c
        WHERE n.lid IS NULL AND c.account_id = :account AND c.phone IS NOT NULL AND phone_key(c.phone) = n.key
          AND c.jid LIKE '%@lid'
        ORDER BY c.updated_at DESC LIMIT 1
    ) AS former ON true
), by_number AS MATERIALIZED (
    -- Those whom a message names by number alone.
    SELECT p.jid AS number_jid, n.jid, CASE WHEN n.jid LIKE '%@lid' THEN p.phone ELSE n.phone END AS phone
    FROM people p JOIN named n ON n.key = p.key
    WHERE p.jid NOT LIKE '%@lid'
), split AS MATERIALIZED (
    -- But for messages that are being cancelled by a transaction that stays open: merge_chat leaves
    -- them, too. Everybody else who locks messages of the account holds the lock of its row.
    SELECT p.jid, n.number
    FROM named p CROSS JOIN LATERAL (
        SELECT spelt AS number, spelt || '@s.whatsapp.net' AS jid FROM unnest(phone_spellings(p.phone)) AS spelt) AS n
    WHERE n.jid <> p.jid AND (
        EXISTS (SELECT FROM messages m WHERE m.account_id = :account AND m.chat = n.jid LIMIT 1 FOR UPDATE SKIP LOCKED)
        OR EXISTS (SELECT FROM messages m
                   WHERE m.account_id = :account AND m.sender = n.jid AND m.sender LIKE '%@s.whatsapp.net'
                   LIMIT 1 FOR UPDATE SKIP LOCKED)
        -- Not EXISTS, for which all contacts of the account might be read.
        OR (SELECT c.jid FROM contacts c WHERE c.account_id = :account AND c.jid = n.jid) IS NOT NULL)
), heard AS (
    -- Each message once, a readable copy before a waiting one: a statement must not touch a row
    -- twice.
    SELECT DISTINCT ON (chat, sender, a.wa_id)
           a.direction, coalesce(c.jid, a.chat) AS chat, coalesce(c.phone, a.chat_phone) AS chat_phone,
           coalesce(s.jid, a.sender) AS sender, coalesce(s.phone, a.sender_phone) AS sender_phone,
           a.name, a.wa_id, a.kind, a.refers_to_wa_id, a.state, a.reason, a.sent_ms, a.content, a.media, a.nth
    FROM arrived a
    LEFT JOIN by_number c ON c.number_jid = a.chat LEFT JOIN by_number s ON s.number_jid = a.sender
    WHERE NOT EXISTS (SELECT FROM split)
      -- An echo of what was sent from here is that message.
      AND NOT EXISTS (SELECT FROM messages o
                      WHERE o.account_id = :account AND o.wa_id = a.wa_id AND o.direction = 'out' AND a.direction = 'echo')
    ORDER BY chat, sender, a.wa_id, a.state = 'waiting', a.nth
), numbered AS MATERIALIZED (
    -- Numbered before they are written, so that one may refer to another of the same batch.
    SELECT nextval('messages_id_seq') AS id, ordered.*
    FROM (SELECT heard.* FROM heard ORDER BY heard.nth) AS ordered
), resolved AS MATERIALIZED (
    SELECT n.*, coalesce(own.id, former.id, beside.id) AS refers_to
    FROM numbered n
    LEFT JOIN LATERAL (
        -- `+ 0`, as for a bare min(id) the planner searches from the beginning of the chat.
        SELECT min(m.id + 0) AS id FROM messages m
        WHERE m.account_id = :account AND m.chat = n.chat AND m.wa_id = n.refers_to_wa_id AND m.direction <> 'out'
    ) AS former ON n.refers_to_wa_id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT o.id FROM messages o
        WHERE o.account_id = :account AND o.wa_id = n.refers_to_wa_id AND o.direction = 'out' AND o.chat = n.chat
    ) AS own ON n.refers_to_wa_id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT o.id FROM numbered o
        WHERE o.chat = n.chat AND o.wa_id = n.refers_to_wa_id AND o.nth < n.nth
        ORDER BY o.nth LIMIT 1
    ) AS beside ON n.refers_to_wa_id IS NOT NULL
), written AS (
    INSERT INTO messages AS m (id, account_id, direction, chat, chat_phone, sender, sender_phone, wa_id, kind,
                               refers_to, state, reason, sent_at, created_at, asks, asked_at)
    SELECT r.id, mine.id, r.direction, r.chat, r.chat_phone, r.sender, r.sender_phone, r.wa_id, r.kind,
           r.refers_to, r.state, r.reason, to_timestamp(r.sent_ms / 1000.0), mine.at,
           asked.is_asked::integer, CASE WHEN asked.is_asked THEN mine.at END
    FROM mine CROSS JOIN resolved r CROSS JOIN LATERAL (
        -- The library has asked the phone for all others that wait.
        SELECT r.state = 'waiting' AND r.reason <> 'lost' AND r.direction = 'in' AS is_asked) AS asked
    ORDER BY r.nth
    ON CONFLICT (account_id, chat, wa_id, sender) WHERE direction <> 'out'
    DO UPDATE SET kind = excluded.kind, refers_to = excluded.refers_to, state = excluded.state,
                  reason = CASE WHEN m.reason = 'lost' THEN m.reason END, recovered_at = excluded.created_at
    WHERE m.state = 'waiting' AND excluded.state = 'received'
    RETURNING m.id, m.direction, m.chat, m.chat_phone, m.sender, m.sender_phone, m.wa_id, m.kind, m.refers_to,
              m.state, m.reason IS NOT DISTINCT FROM 'lost' AS was_lost, m.sent_at, m.recovered_at
), bodies AS (
    INSERT INTO message_bodies (message_id, content, created_at)
    SELECT w.id,
           CASE WHEN r.kind IN ('reaction', 'edit', 'revoke')
                THEN jsonb_set(r.content, ARRAY[r.kind, 'messageId'], coalesce(to_jsonb(w.refers_to), 'null'))
                WHEN r.refers_to_wa_id IS NOT NULL
                THEN r.content || jsonb_build_object('replyTo', w.refers_to)
                ELSE r.content END,
           mine.at
    FROM mine CROSS JOIN written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id)
    WHERE r.content IS NOT NULL
    ON CONFLICT (message_id) DO NOTHING
), media AS (
    INSERT INTO message_media (message_id, keyring_id, sealed, created_at)
    SELECT w.id, :keyring, decode(r.media, 'base64'), mine.at
    FROM mine CROSS JOIN written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id)
    WHERE r.media IS NOT NULL
    ON CONFLICT (message_id) DO NOTHING
), told AS (
    INSERT INTO events (account_id, seq, kind, payload, created_at)
    SELECT mine.id, mine.event_seq + row_number() OVER (ORDER BY r.nth),
           CASE WHEN w.recovered_at IS NOT NULL AND NOT w.was_lost THEN 'message.recovered'
                WHEN w.state = 'waiting' THEN 'message.waiting'
                WHEN w.direction = 'echo' THEN 'message.echo'
                ELSE 'message.received' END,
           CASE WHEN (w.recovered_at IS NOT NULL AND NOT w.was_lost) OR w.state = 'waiting'
                THEN jsonb_build_object('messageId', w.id, 'chat', w.chat, 'sender', w.sender)
                ELSE jsonb_build_object(
                    'messageId', w.id, 'chat', w.chat,
                    -- In a group, the sender's.
                    'phone', coalesce(w.chat_phone, CASE WHEN w.direction = 'in' THEN w.sender_phone END),
                    'sender', w.sender, 'kind', w.kind, 'refersTo', w.refers_to,
                    'sentAt', to_char(w.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) END,
           mine.at
    FROM mine CROSS JOIN written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id)
    WHERE w.state = 'received' OR NOT w.was_lost
    ORDER BY r.nth
    RETURNING id
), counted AS (
    UPDATE whatsapp_accounts a SET event_seq = a.event_seq + news.rows
    FROM mine, (SELECT count(*) AS rows FROM told) AS news
    WHERE a.id = mine.id AND news.rows > 0
), known AS (
    -- With the name that a sender used last; and those whom the owner wrote to.
    INSERT INTO contacts AS c (account_id, jid, phone, name, has_chat, updated_at)
    SELECT DISTINCT ON (p.jid) mine.id, p.jid, p.phone, p.name, bool_or(p.has_chat) OVER (PARTITION BY p.jid), mine.at
    FROM mine CROSS JOIN resolved r CROSS JOIN LATERAL (
        SELECT r.sender, r.sender_phone, r.name, r.sender = r.chat WHERE r.direction = 'in'
        UNION ALL
        SELECT r.chat, r.chat_phone, NULL, true
        WHERE r.direction = 'echo' AND (r.chat LIKE '%@lid' OR r.chat LIKE '%@s.whatsapp.net')
    ) AS p (jid, phone, name, has_chat)
    ORDER BY p.jid, p.name IS NULL, p.phone IS NULL, r.nth DESC
    ON CONFLICT (account_id, jid) DO UPDATE
    SET phone = coalesce(excluded.phone, c.phone), name = coalesce(excluded.name, c.name),
        has_chat = c.has_chat OR excluded.has_chat, updated_at = excluded.updated_at
    WHERE (coalesce(excluded.phone, c.phone), coalesce(excluded.name, c.name), c.has_chat OR excluded.has_chat)
          IS DISTINCT FROM (c.phone, c.name, c.has_chat)
)
SELECT (SELECT coalesce(array_agg(r.nth ORDER BY r.nth), '{}')
        FROM written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id)) AS written,
       (SELECT jsonb_agg(jsonb_build_array(split.jid, split.number)) FROM split) AS split
FROM mine;

--! merge_chat
-- See the function. `batch` bounds the time of the statement.
SELECT m.more FROM merge_chat(:account, :process, :fence, :lid, :number, :batch) AS m;

--! end_waits
-- See the function. No row: as for record_messages.
SELECT e.told FROM end_waits(:account, :process, :fence, :keyring, :ended::jsonb) AS e;

--! take_waiting : (chat_phone?, sender_phone?)
-- Takes the waiting messages that the phone is to be asked for now, and counts that: at most three
-- times each, as long as it may be asked, in which the library's own request is counted. None that was
-- asked for within a day and over this connection, which is `age` seconds old: the library would say
-- nothing to the phone.
WITH mine AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account AND a.owner = :process AND a.fence = :fence AND a.deleted_at IS NULL
      AND :keyring IN (a.keyring_id, a.linking_keyring_id)
    FOR UPDATE
), due AS (
    SELECT m.id FROM mine JOIN messages m ON m.account_id = mine.id
    WHERE m.state = 'waiting' AND m.sent_at > clock_timestamp() - interval '14 days'
      AND CASE m.asks WHEN 0 THEN true
                      WHEN 1 THEN m.asked_at < clock_timestamp() - interval '10 minutes'
                      WHEN 2 THEN m.asked_at < clock_timestamp() - interval '1 day'
                      ELSE false END
      AND (m.asked_at IS NULL
           OR m.asked_at <= clock_timestamp() - least(make_interval(secs => :age), interval '1 day'))
    ORDER BY m.id LIMIT :batch
    FOR UPDATE OF m
), asked AS (
    UPDATE messages m SET asks = m.asks + 1, asked_at = clock_timestamp()
    FROM due WHERE m.id = due.id
    RETURNING m.id, m.direction, m.chat, m.chat_phone, m.sender, m.sender_phone, m.wa_id, m.sent_at
)
SELECT a.id, a.direction, a.chat, a.chat_phone, a.sender, a.sender_phone, a.wa_id, a.sent_at FROM asked a ORDER BY a.id;

--! put_back_waiting
-- The phone was not asked for these after all: that does not count, and they are due at once. No row:
-- as for record_messages.
WITH mine AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account AND a.owner = :process AND a.fence = :fence AND a.deleted_at IS NULL
      AND :keyring IN (a.keyring_id, a.linking_keyring_id)
    FOR UPDATE
), put_back AS (
    UPDATE messages m SET asks = m.asks - 1, asked_at = m.asked_at - interval '1 day'
    FROM mine
    WHERE m.id = ANY (:messages::bigint[]) AND m.account_id = mine.id AND m.state = 'waiting' AND m.asks > 0
    RETURNING m.id
)
SELECT (SELECT count(*) FROM put_back) AS messages FROM mine;
