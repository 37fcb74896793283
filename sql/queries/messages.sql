--! record_messages
-- Writes messages that arrived over one link, in their order: rows, bodies, contacts and events,
-- or nothing at all:
--  * no row: the account has another owner, a newer fence, or no longer this link;
--  * `written` counts new rows, and waiting ones that can be read now. All other messages are in
--    the table already, by WhatsApp's own key.
WITH mine AS (
    SELECT a.id, a.event_seq, clock_timestamp() AS at
    FROM whatsapp_accounts a
    WHERE a.id = :account AND a.owner = :process AND a.fence = :fence AND a.deleted_at IS NULL
      AND :keyring IN (a.keyring_id, a.linking_keyring_id)
    FOR UPDATE
), heard AS (
    -- Each message once, a readable copy before a waiting one: a statement must not touch a row
    -- twice.
    SELECT DISTINCT ON (m.chat, m.sender, m.wa_id) m.*
    FROM mine CROSS JOIN ROWS FROM (jsonb_to_recordset(:messages::jsonb) AS (
        direction text, chat text, chat_phone text, sender text, sender_phone text, name text, wa_id text, kind text,
        refers_to_wa_id text, state text, reason text, sent_ms bigint, content jsonb)) WITH ORDINALITY
        AS m (direction, chat, chat_phone, sender, sender_phone, name, wa_id, kind,
              refers_to_wa_id, state, reason, sent_ms, content, nth)
    ORDER BY m.chat, m.sender, m.wa_id, m.state = 'waiting', m.nth
), numbered AS MATERIALIZED (
    -- Numbered before they are written, so that one may refer to another of the same batch.
    SELECT nextval('messages_id_seq') AS id, ordered.*
    FROM (SELECT heard.* FROM heard ORDER BY heard.nth) AS ordered
), resolved AS MATERIALIZED (
    SELECT n.*, coalesce(former.id, beside.id) AS refers_to
    FROM numbered n
    LEFT JOIN LATERAL (
        -- `+ 0`, as for a bare min(id) the planner searches from the beginning of the chat.
        SELECT min(m.id + 0) AS id FROM messages m
        WHERE m.account_id = :account AND m.chat = n.chat AND m.wa_id = n.refers_to_wa_id AND m.direction <> 'out'
    ) AS former ON n.refers_to_wa_id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT o.id FROM numbered o
        WHERE o.chat = n.chat AND o.wa_id = n.refers_to_wa_id AND o.nth < n.nth
        ORDER BY o.nth LIMIT 1
    ) AS beside ON n.refers_to_wa_id IS NOT NULL
), written AS (
    INSERT INTO messages AS m (id, account_id, direction, chat, chat_phone, sender, sender_phone, wa_id, kind,
                               refers_to, state, reason, sent_at, created_at)
    SELECT r.id, mine.id, r.direction, r.chat, r.chat_phone, r.sender, r.sender_phone, r.wa_id, r.kind,
           r.refers_to, r.state, r.reason, to_timestamp(r.sent_ms / 1000.0), mine.at
    FROM mine CROSS JOIN resolved r
    ORDER BY r.nth
    ON CONFLICT (account_id, chat, wa_id, sender) WHERE direction <> 'out'
    DO UPDATE SET kind = excluded.kind, refers_to = excluded.refers_to, state = excluded.state, reason = NULL,
                  recovered_at = excluded.created_at
    WHERE m.state = 'waiting' AND excluded.state = 'received'
    RETURNING m.id, m.direction, m.chat, m.chat_phone, m.sender, m.sender_phone, m.wa_id, m.kind, m.refers_to,
              m.state, m.sent_at, m.recovered_at
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
), told AS (
    INSERT INTO events (account_id, seq, kind, payload, created_at)
    SELECT mine.id, mine.event_seq + row_number() OVER (ORDER BY r.nth),
           CASE WHEN w.recovered_at IS NOT NULL THEN 'message.recovered'
                WHEN w.state = 'waiting' THEN 'message.waiting'
                WHEN w.direction = 'echo' THEN 'message.echo'
                ELSE 'message.received' END,
           CASE WHEN w.recovered_at IS NOT NULL OR w.state = 'waiting'
                THEN jsonb_build_object('messageId', w.id, 'chat', w.chat, 'sender', w.sender)
                ELSE jsonb_build_object(
                    'messageId', w.id, 'chat', w.chat,
                    -- In a group, the sender's.
                    'phone', coalesce(w.chat_phone, CASE WHEN w.direction = 'in' THEN w.sender_phone END),
                    'sender', w.sender, 'kind', w.kind, 'refersTo', w.refers_to,
                    'sentAt', to_char(w.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) END,
           mine.at
    FROM mine CROSS JOIN written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id)
    ORDER BY r.nth
), counted AS (
    UPDATE whatsapp_accounts a SET event_seq = a.event_seq + news.rows
    FROM mine, (SELECT count(*) AS rows FROM written) AS news
    WHERE a.id = mine.id AND news.rows > 0
), known AS (
    -- The name that the sender used last.
    INSERT INTO contacts AS c (account_id, jid, phone, name, updated_at)
    SELECT DISTINCT ON (r.sender) mine.id, r.sender, r.sender_phone, r.name, mine.at
    FROM mine CROSS JOIN resolved r
    WHERE r.direction = 'in'
    ORDER BY r.sender, r.name IS NULL, r.nth DESC
    ON CONFLICT (account_id, jid) DO UPDATE
    SET phone = coalesce(excluded.phone, c.phone), name = coalesce(excluded.name, c.name),
        updated_at = excluded.updated_at
    WHERE (coalesce(excluded.phone, c.phone), coalesce(excluded.name, c.name)) IS DISTINCT FROM (c.phone, c.name)
)
SELECT (SELECT count(*) FROM written) AS written FROM mine;
