-- What the command line says to the database. It is one more consumer of the
-- public face: rows, send_command, events.

--! insert_account (device_name?)
INSERT INTO whatsapp_accounts (operator_id, label, device_name)
SELECT :operator_id, :label, :device_name FROM (SELECT set_config('paird.source', 'cli', true) AS source) AS claimed
WHERE claimed.source IS NOT NULL
RETURNING id;

--! list_listed_accounts : ListedAccount(phone_number?, last_phone_number?, next_retry_at?, pair_deadline?, qr_expires_at?, deleted_at?, proxy?, device_name?, desired_phone?)
SELECT id, operator_id, label, status, status_reason, status_since, desired, phone_number, last_phone_number,
       next_retry_at, pair_deadline, qr_expires_at, created_at, deleted_at, proxy, device_name, tags, desired_phone,
       keyring_id IS NOT NULL AS has_keys
FROM whatsapp_accounts
WHERE deleted_at IS NULL
ORDER BY created_at, id;

--! get_pairing : Pairing(last_qr_png?, qr_expires_at?, pair_code?, pair_deadline?)
SELECT status, status_reason, event_seq, last_qr_png, qr_expires_at, pair_code, pair_deadline,
       clock_timestamp() AS database_now
FROM whatsapp_accounts
WHERE id = :account_id;

--! send_cli_command
SELECT send_command(:kind, :account_id, :args, NULL, 'cli') AS command_id;

--! get_command_end : CommandEnd(result?, started_at?)
SELECT state, result, started_at FROM commands WHERE id = :command_id;

--! is_pair_superseded
SELECT EXISTS (
    SELECT FROM commands later
    WHERE later.account_id = :account_id AND later.kind = 'account.pair' AND later.id > :command_id
          AND later.started_at IS NOT NULL
) AS superseded;

--! list_events_of_account : AccountEvent()
SELECT id, account_id, seq, kind, payload, created_at
FROM events
WHERE account_id = :account_id AND seq > :after_seq
ORDER BY seq
LIMIT 500;

-- Times on the command line are by this clock, as those in the rows are.
--! get_database_time
SELECT clock_timestamp() AS database_now;

-- Events after a seq, per account: ids commit out of order. Of one account, if it is named, between two
-- times, if they are given, and only of transactions below `before`, if that is given: a follower reads
-- those from there on.
--! list_events_after (only?, before?, earliest?, latest?) : AccountEvent()
SELECT e.id, e.account_id, e.seq, e.kind, e.payload, e.created_at
FROM whatsapp_accounts a
LEFT JOIN unnest(:account_ids::uuid[], :seqs::bigint[]) AS seen (account_id, seq) ON seen.account_id = a.id
JOIN LATERAL (
    SELECT * FROM events e
    WHERE e.account_id = a.id AND e.seq > coalesce(seen.seq, :since::bigint)
      AND (:before::bigint IS NULL OR e.xact < :before::bigint::text::xid8)
      AND (:earliest::timestamptz IS NULL OR e.created_at >= :earliest::timestamptz)
      AND (:latest::timestamptz IS NULL OR e.created_at < :latest::timestamptz)
    ORDER BY e.seq
    LIMIT 200
) e ON true
WHERE a.event_seq > coalesce(seen.seq, :since::bigint) AND (:only::uuid IS NULL OR a.id = :only)
ORDER BY e.created_at, e.account_id, e.seq;

-- The last ones of all accounts, in the order of commits.
--! list_last_events (before?, earliest?, latest?) : AccountEvent()
SELECT id, account_id, seq, kind, payload, created_at FROM (
    SELECT id, account_id, seq, kind, payload, created_at, xact
    FROM events
    WHERE seq > :since
      AND (:before::bigint IS NULL OR xact < :before::bigint::text::xid8)
      AND (:earliest::timestamptz IS NULL OR created_at >= :earliest::timestamptz)
      AND (:latest::timestamptz IS NULL OR created_at < :latest::timestamptz)
    ORDER BY xact DESC, id DESC
    LIMIT :limit
) AS last
ORDER BY xact, id;

-- The same of one account.
--! list_last_events_of_account (before?, earliest?, latest?) : AccountEvent()
SELECT id, account_id, seq, kind, payload, created_at FROM (
    SELECT id, account_id, seq, kind, payload, created_at
    FROM events
    WHERE account_id = :account_id AND seq > :since
      AND (:before::bigint IS NULL OR xact < :before::bigint::text::xid8)
      AND (:earliest::timestamptz IS NULL OR created_at >= :earliest::timestamptz)
      AND (:latest::timestamptz IS NULL OR created_at < :latest::timestamptz)
    ORDER BY seq DESC
    LIMIT :limit
) AS last
ORDER BY seq;

--! list_checked_contacts : (chat?)
-- Of an account's `contact.checked` event: the answers.
SELECT answer.phone, answer."isOnWhatsapp" AS is_on_whatsapp, answer.chat
FROM events e
CROSS JOIN jsonb_to_recordset(e.payload -> 'contacts') AS answer (phone text, "isOnWhatsapp" boolean, chat text)
WHERE e.account_id = :account_id AND e.kind = 'contact.checked' AND (e.payload ->> 'commandId')::bigint = :command_id
ORDER BY answer.phone;

--! list_groups_of_account
SELECT jid, subject, participants, is_admin, synced_at
FROM whatsapp_groups
WHERE account_id = :account_id
ORDER BY subject, jid;

--! count_daemons : CountedDaemons()
SELECT count(*) AS live, count(*) FILTER (WHERE NOT draining) AS taking
FROM processes WHERE expires_at > clock_timestamp();

--! count_live_daemons_on
SELECT count(*) AS live FROM processes WHERE host = :host AND expires_at > clock_timestamp();
--! rename_account
UPDATE whatsapp_accounts a SET label = :label
FROM (SELECT set_config('paird.source', 'cli', true) AS source) AS claimed
WHERE a.id = :account_id AND a.deleted_at IS NULL AND claimed.source IS NOT NULL
RETURNING a.id;

-- A deleted account has a history, too.
--! get_account_label
SELECT label FROM whatsapp_accounts WHERE id = :account_id;

--! list_audit_entries (account_id?, earliest?, latest?) : AuditRow(operator_id?, target_id?, sent_by?, channel?)
-- The last ones, oldest first; of one account or of all, and between two times, if they are given.
SELECT * FROM (
    SELECT id, operator_id, source, sent_by, channel, action, target_type, target_id, payload, created_at
    FROM audit_log
    WHERE (target_id = :account_id OR :account_id::uuid IS NULL)
      AND (:earliest::timestamptz IS NULL OR created_at >= :earliest::timestamptz)
      AND (:latest::timestamptz IS NULL OR created_at < :latest::timestamptz)
    ORDER BY id DESC
    LIMIT :limit
) AS last
ORDER BY id;

--! get_passkey_request : (payload)
-- WhatsApp's last request in the attempt that waits for a passkey now.
SELECT e.payload
FROM events e JOIN whatsapp_accounts a ON a.id = e.account_id
WHERE e.account_id = :account_id AND e.kind = 'session.passkey' AND a.status_reason = 'waiting_for_passkey'
ORDER BY e.seq DESC
LIMIT 1;

--! list_watched_accounts : WatchedAccount(phone_number?, last_phone_number?, next_retry_at?, pair_deadline?, last_qr_png?, pair_code?)
SELECT id, operator_id, label, status, status_reason, status_since, phone_number, last_phone_number, next_retry_at,
       pair_deadline, last_qr_png, pair_code, clock_timestamp() AS database_now
FROM whatsapp_accounts
WHERE deleted_at IS NULL
ORDER BY created_at, id;
