-- What people and programs send over the HTTP API and on the command line.

--! queue_message (key?, not_before?, expires_at?)
-- `source` is kept with the message, as a claim; the login is kept beside it.
SELECT send_message(:account, :content, :key, :not_before, :expires_at) AS id
FROM (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed
WHERE claimed.source IS NOT NULL;

--! cancel_queued_message
SELECT cancel_message(:message) AS cancelled;

--! get_sending_state : SendingState(reason?, code?)
-- How far a message is, for whoever waits for it, and how its account is.
SELECT m.state, m.reason, m.code, a.status AS account_status
FROM messages m JOIN whatsapp_accounts a ON a.id = m.account_id
WHERE m.id = :message AND a.deleted_at IS NULL;
