-- Messages on their way out. See the functions of the same names: they read what messages say, which
-- the daemon cannot.

--! take_messages : (next_due_secs?)
SELECT t.taken, t.rate, t.burst, t.recent, t.has_more, t.next_due_secs, t.told, t.overtaken
FROM take_messages(:account, :process, :fence, :keyring, :epoch, :connection, :held, :room) AS t;

--! find_sent_message : (sent_secs?)
-- One that WhatsApp has, or may have, as take_messages describes it: a device asks for it again. The
-- chat is as that device names it, so nobody gets a message of another chat.
SELECT jsonb_build_object(
           'id', m.id, 'chat', m.chat, 'phone', m.chat_phone, 'waId', m.wa_id,
           'content', jsonb_build_object(m.kind, b.content -> m.kind),
           'attempt', m.attempt, 'isNewChat', m.is_new_chat, 'maybeSent', true,
           'expiresMs', floor(extract(epoch FROM m.expires_at) * 1000)::bigint,
           'target', CASE WHEN t.id IS NOT NULL THEN jsonb_build_object(
               'waId', t.wa_id, 'sender', CASE t.direction WHEN 'in' THEN t.sender END,
               'phone', CASE t.direction WHEN 'in' THEN t.sender_phone END,
               'body', coalesce(tb.content #>> '{text,body}', tb.content #>> '{edit,body}')) END) AS sent,
       floor(extract(epoch FROM coalesce(m.sent_at, m.taken_at)))::bigint AS sent_secs
FROM messages m
JOIN message_bodies b ON b.message_id = m.id
LEFT JOIN messages t ON t.id = m.refers_to AND t.state NOT IN ('failed', 'cancelled', 'expired')
LEFT JOIN message_bodies tb ON tb.message_id = t.id
WHERE m.account_id = :account AND m.wa_id = :wa_id AND m.direction = 'out'
  AND m.attempt > 0 AND m.state NOT IN ('failed', 'cancelled', 'expired')
  AND :chat::text IN (m.chat, m.chat_phone || '@s.whatsapp.net');

--! settle_messages
SELECT s.told, s.overtaken FROM settle_messages(:account, :process, :fence, :keyring, :connection, :outcomes) AS s;

--! record_receipts
SELECT r.told FROM record_receipts(:account, :process, :fence, :keyring, :receipts) AS r;

--! sweep_messages
SELECT s.told, s.more FROM sweep_messages(:batch) AS s;

--! list_ringing
-- The linked accounts of a daemon that have something to send now, for bells that nobody heard. What
-- has a reason waits for a moment that the account's connection knows.
SELECT a.id
FROM whatsapp_accounts a
WHERE a.id = ANY (ARRAY(SELECT list_accounts_with_queue()))
  AND a.owner = :process AND a.deleted_at IS NULL AND a.keyring_id IS NOT NULL
  AND (EXISTS (SELECT FROM messages m
               WHERE m.account_id = a.id AND m.state = 'queued' AND NOT m.is_new_chat AND m.due_at <= clock_timestamp())
       OR EXISTS (SELECT FROM messages m
                  WHERE m.account_id = a.id AND m.state = 'queued' AND m.is_new_chat AND m.reason IS NULL
                    AND m.due_at <= clock_timestamp()));
