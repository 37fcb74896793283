-- A message of this link that WhatsApp has, or may have, as take_messages describes it: a device asks for it
-- again, and its copy is lost. `chats` are the names of the chat that the question is from.
CREATE FUNCTION find_sent_message(
    account uuid, process uuid, its_fence bigint, keyring uuid, its_wa_id text, chats text[]
) RETURNS TABLE (sent jsonb, taken_ms bigint, sent_ms bigint) LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
               'id', m.id, 'chat', m.chat, 'phone', m.chat_phone, 'waId', m.wa_id,
               'content', jsonb_build_object(m.kind, b.content -> m.kind),
               'attempt', m.attempt, 'isNewChat', m.is_new_chat, 'maybeSent', true,
               'expiresMs', floor(extract(epoch FROM m.expires_at) * 1000)::bigint,
               'target', CASE WHEN t.id IS NOT NULL THEN jsonb_build_object(
                   'waId', t.wa_id, 'sender', CASE t.direction WHEN 'in' THEN t.sender END,
                   'phone', CASE t.direction WHEN 'in' THEN t.sender_phone END,
                   'body', coalesce(tb.content #>> '{text,body}', tb.content #>> '{edit,body}')) END),
           floor(extract(epoch FROM m.taken_at) * 1000)::bigint,
           floor(extract(epoch FROM coalesce(m.sent_at, m.taken_at)) * 1000)::bigint
    FROM whatsapp_accounts a
    JOIN messages m ON m.account_id = a.id
    JOIN message_bodies b ON b.message_id = m.id
    LEFT JOIN messages t ON t.id = m.refers_to AND t.state NOT IN ('failed', 'cancelled', 'expired')
    LEFT JOIN message_bodies tb ON tb.message_id = t.id
    WHERE a.id = account AND a.owner = process AND a.fence = its_fence AND a.deleted_at IS NULL
      AND keyring IN (a.keyring_id, a.linking_keyring_id)
      -- Under another link it would have another secret, and be of another number.
      AND m.taken_under = keyring
      AND m.wa_id = its_wa_id AND m.direction = 'out' AND m.attempt > 0
      -- Without a word of WhatsApp it may have arrived.
      AND (m.state NOT IN ('failed', 'cancelled', 'expired') OR m.reason = 'no_ack')
      AND (m.chat = ANY (chats) OR m.chat_phone || '@s.whatsapp.net' = ANY (chats))
$$;
