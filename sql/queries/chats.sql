-- What is done with chats on a live connection, besides messages.

--! find_chat_jid
-- As the account knows the chat with this jid: see find_chat.
SELECT f.chat FROM find_chat(:account, :jid) AS f;

--! has_chat_message
SELECT EXISTS (SELECT FROM messages m WHERE m.id = :message AND m.account_id = :account AND m.chat = :chat) AS is_there;

--! list_unread_messages : (sender_phone?)
-- What came in with a chat up to a message and is not marked as read, of its last `depth` messages up
-- to there. What a phone does not show as a message of its own has no receipt.
WITH last AS MATERIALIZED (
    SELECT m.id, m.direction, m.kind, m.state, m.sender, m.sender_phone, m.wa_id, m.read_at
    FROM messages m
    WHERE m.account_id = :account AND m.chat = :chat AND m.id <= :up_to
    ORDER BY m.id DESC LIMIT :depth
)
SELECT last.id, last.wa_id, last.sender, last.sender_phone
FROM last
WHERE last.direction = 'in' AND last.state = 'received' AND last.read_at IS NULL
  AND last.kind NOT IN ('reaction', 'edit', 'revoke')
ORDER BY last.id;

--! mark_messages_as_read
-- WhatsApp has the receipts. No row: the account has another owner, a newer fence, or no longer this link.
WITH mine AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account AND a.owner = :process AND a.fence = :fence AND a.deleted_at IS NULL
      AND :keyring IN (a.keyring_id, a.linking_keyring_id)
    FOR UPDATE
), marked AS (
    UPDATE messages m SET read_at = clock_timestamp()
    FROM mine
    WHERE m.id = ANY (:messages::bigint[]) AND m.account_id = mine.id AND m.direction = 'in' AND m.read_at IS NULL
    RETURNING m.id
)
SELECT (SELECT count(*) FROM marked) AS messages FROM mine;
