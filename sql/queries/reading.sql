-- How people read messages: the console's API, its pages, and the command line.

--: MessageRow(chat_phone?, chat_name?, sender_phone?, sender_name?, kind?, refers_to?, reason?, code?, sent_at?, recovered_at?, key?, not_before?, expires_at?, delivered_at?, read_at?, source?, sent_by?, content?)
--: ToldMessage(message?)

-- Plans must not depend on guesses about the tables:
--  * What goes with a message is looked up for each row of a page. A join could be planned as one
--    of the whole tables.
--  * Rows are compared and ordered by several columns of the index that is meant, though all but
--    the last are equal. Otherwise the messages of an account that received none for long might be
--    looked for among all newer ones.
--  * A page has at most 100 messages, and the statement says so: of a parameter the planner knows
--    nothing, and may sort a whole account.

--! list_messages : MessageRow
SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone,
       coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat),
                (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name,
       m.sender, m.sender_phone,
       (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name,
       m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at,
       m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by,
       (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content
FROM (
    SELECT * FROM (
        SELECT * FROM messages
        WHERE (account_id, id) > (:account, :after) AND (account_id, id) <= (:account, 9223372036854775807)
        ORDER BY account_id, id
        LIMIT 100
    ) AS page
    ORDER BY page.id
    LIMIT :limit
) AS m
ORDER BY m.id;

--! list_last_messages : MessageRow
SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone,
       coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat),
                (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name,
       m.sender, m.sender_phone,
       (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name,
       m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at,
       m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by,
       (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content
FROM (
    SELECT * FROM (
        SELECT * FROM messages
        WHERE (account_id, id) > (:account, 0) AND (account_id, id) < (:account, :before)
        ORDER BY account_id DESC, id DESC
        LIMIT 100
    ) AS page
    WHERE page.id > :after
    ORDER BY page.id DESC
    LIMIT :limit
) AS m
ORDER BY m.id;

--! list_messages_of_chats : MessageRow
SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone,
       coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat),
                (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name,
       m.sender, m.sender_phone,
       (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name,
       m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at,
       m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by,
       (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content
FROM (
    SELECT * FROM (
        SELECT of_chat.* FROM unnest(:chats::text[]) AS wanted (chat) CROSS JOIN LATERAL (
            SELECT * FROM messages
            WHERE account_id = :account
              AND (messages.chat, id) > (wanted.chat, :after) AND (messages.chat, id) <= (wanted.chat, 9223372036854775807)
            ORDER BY chat, id
            LIMIT 100
        ) AS of_chat
    ) AS page
    ORDER BY page.id
    LIMIT :limit
) AS m
ORDER BY m.id;

--! list_last_messages_of_chats : MessageRow
SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone,
       coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat),
                (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name,
       m.sender, m.sender_phone,
       (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name,
       m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at,
       m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by,
       (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content
FROM (
    SELECT * FROM (
        SELECT of_chat.* FROM unnest(:chats::text[]) AS wanted (chat) CROSS JOIN LATERAL (
            SELECT * FROM messages
            WHERE account_id = :account
              AND (messages.chat, id) > (wanted.chat, 0) AND (messages.chat, id) < (wanted.chat, :before)
            ORDER BY chat DESC, id DESC
            LIMIT 100
        ) AS of_chat
    ) AS page
    WHERE page.id > :after
    ORDER BY page.id DESC
    LIMIT :limit
) AS m
ORDER BY m.id;

--! get_message : MessageRow
-- Not of a deleted account: its messages are being erased.
SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone,
       coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat),
                (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name,
       m.sender, m.sender_phone,
       (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name,
       m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at,
       m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by,
       (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content
FROM messages m JOIN whatsapp_accounts a ON a.id = m.account_id
WHERE m.id = :message AND a.deleted_at IS NULL;

--! list_receipts : MemberReceiptRow(phone?, name?, delivered_at?, read_at?)
-- How far a message got with each member of a group, by their jids.
SELECT r.participant AS member,
       (SELECT c.phone FROM contacts c WHERE c.account_id = m.account_id AND c.jid = r.participant) AS phone,
       (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = r.participant) AS name,
       r.delivered_at, r.read_at
FROM messages m JOIN message_receipts r ON r.message_id = m.id
WHERE m.id = :message
ORDER BY r.participant;

--! list_chats_of_phone
-- The chats of an account with a number, in whichever of its spellings. Goes from chat to chat in
-- the index, as the number of a chat is in none.
WITH RECURSIVE known AS (
    (SELECT m.chat FROM messages m WHERE m.account_id = :account ORDER BY m.chat LIMIT 1)
    UNION ALL
    SELECT next.chat FROM known CROSS JOIN LATERAL (
        SELECT m.chat FROM messages m WHERE m.account_id = :account AND m.chat > known.chat ORDER BY m.chat LIMIT 1
    ) AS next
)
SELECT known.chat FROM known
WHERE phone_key((SELECT m.chat_phone FROM messages m
                 WHERE m.account_id = :account
                   AND (m.chat, m.id) > (known.chat, 0) AND (m.chat, m.id) <= (known.chat, 9223372036854775807)
                 ORDER BY m.chat DESC, m.id DESC LIMIT 1)) = phone_key(:phone::text);

--! list_last_messages_by_chat : MessageRow
-- The last message of each chat, the newest first. Goes from chat to chat in the index.
WITH RECURSIVE known AS (
    (SELECT m.chat FROM messages m WHERE m.account_id = :account ORDER BY m.chat LIMIT 1)
    UNION ALL
    SELECT next.chat FROM known CROSS JOIN LATERAL (
        SELECT m.chat FROM messages m WHERE m.account_id = :account AND m.chat > known.chat ORDER BY m.chat LIMIT 1
    ) AS next
), last AS (
    SELECT newest.id FROM known CROSS JOIN LATERAL (
        SELECT m.id FROM messages m
        WHERE m.account_id = :account
          AND (m.chat, m.id) > (known.chat, 0) AND (m.chat, m.id) <= (known.chat, 9223372036854775807)
        ORDER BY m.chat DESC, m.id DESC LIMIT 1
    ) AS newest
    WHERE newest.id < :before
    ORDER BY newest.id DESC
    LIMIT :limit
)
SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone,
       coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat),
                (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name,
       m.sender, m.sender_phone,
       (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name,
       m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at,
       m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by,
       (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content
FROM last CROSS JOIN LATERAL (SELECT * FROM messages WHERE messages.id = last.id LIMIT 1) AS m
ORDER BY m.id DESC;

--! begin_following_messages
-- Where a follower begins: what it lists now goes up to `last`, without the messages that wait;
-- what the events after `seq` report comes later.
SELECT a.event_seq AS seq,
       coalesce((SELECT m.id FROM messages m
                 WHERE (m.account_id, m.id) > (a.id, 0) AND (m.account_id, m.id) <= (a.id, 9223372036854775807)
                 ORDER BY m.account_id DESC, m.id DESC LIMIT 1), 0) AS last,
       ARRAY(SELECT m.id FROM messages m WHERE m.account_id = a.id AND m.state = 'waiting') AS waiting
FROM whatsapp_accounts a
WHERE a.id = :account AND a.deleted_at IS NULL;

--! get_event_seq
SELECT event_seq AS seq FROM whatsapp_accounts WHERE id = :account AND deleted_at IS NULL;

--! list_told_messages : ToldMessage
-- The account's events after a seq, each with the message that it reports, if it reports one.
SELECT seq, kind AS event,
       CASE WHEN kind IN ('message.received', 'message.echo', 'message.waiting', 'message.recovered', 'message.sent',
                          'message.failed')
            THEN (payload->>'messageId')::bigint END AS message
FROM events
WHERE account_id = :account AND seq > :after
ORDER BY seq
LIMIT :limit;

--! list_messages_by_id : MessageRow
-- In the order of the ids; without those that are gone.
SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone,
       coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat),
                (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name,
       m.sender, m.sender_phone,
       (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name,
       m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at,
       m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by,
       (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content
FROM unnest(:messages::bigint[]) WITH ORDINALITY AS wanted (id, nth)
CROSS JOIN LATERAL (SELECT * FROM messages WHERE messages.id = wanted.id AND account_id = :account LIMIT 1) AS m
ORDER BY wanted.nth;
