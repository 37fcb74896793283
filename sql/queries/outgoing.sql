-- Messages on their way out. See the functions of the same names: they read what messages say, which
-- the daemon cannot.

--! take_messages : (next_due_secs?)
SELECT t.taken, t.rate, t.burst, t.recent, t.has_more, t.next_due_secs, t.told, t.overtaken
FROM take_messages(:account, :process, :fence, :keyring, :epoch, :connection, :held, :room) AS t;

--! find_sent_message : (taken_ms?, sent_ms?)
SELECT f.sent, f.taken_ms, f.sent_ms
FROM find_sent_message(:account, :process, :fence, :keyring, :wa_id, :chats) AS f;

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
