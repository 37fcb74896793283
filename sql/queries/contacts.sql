-- Whether numbers are on WhatsApp: see contact_checks.

--! list_contact_checks : (chat?)
-- The answers for these numbers, in any of their spellings.
SELECT c.phone, c.chat, c.checked_at
FROM contact_checks c
WHERE c.account_id = :account AND c.checked_at IS NOT NULL
  AND phone_key(c.phone) = ANY (ARRAY(SELECT phone_key(wanted.phone) FROM unnest(:phones::text[]) AS wanted (phone)))
ORDER BY c.checked_at DESC;

--! list_contacts_asked
-- When the account asked for numbers last, the latest first.
SELECT c.asked_at FROM contact_checks c
WHERE c.account_id = :account AND c.asked_at > clock_timestamp() - make_interval(secs => :window_secs)
ORDER BY c.asked_at DESC LIMIT :most;

--! begin_contact_checks
-- Counts the numbers as asked for. No row: the account has another owner, a newer fence, or no longer
-- this link.
WITH mine AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account AND a.owner = :process AND a.fence = :fence AND a.deleted_at IS NULL
      AND :keyring IN (a.keyring_id, a.linking_keyring_id)
    FOR UPDATE
), begun AS (
    INSERT INTO contact_checks AS c (account_id, phone, asked_at)
    SELECT mine.id, wanted.phone, clock_timestamp() FROM mine, unnest(:phones::text[]) AS wanted (phone)
    ON CONFLICT (account_id, phone) DO UPDATE SET asked_at = excluded.asked_at
    RETURNING c.phone
)
SELECT (SELECT count(*) FROM begun) AS numbers FROM mine;

--! end_contact_checks
-- WhatsApp's answers, in `answers`: `phone`, `is_on_whatsapp`, `chat`, `at_ms`. No row: as above.
WITH mine AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account AND a.owner = :process AND a.fence = :fence AND a.deleted_at IS NULL
      AND :keyring IN (a.keyring_id, a.linking_keyring_id)
    FOR UPDATE
), ended AS (
    UPDATE contact_checks c
    SET checked_at = to_timestamp(answer.at_ms / 1000.0), is_on_whatsapp = answer.is_on_whatsapp, chat = answer.chat
    FROM mine, jsonb_to_recordset(:answers::jsonb) AS answer (phone text, is_on_whatsapp boolean, chat text, at_ms bigint)
    WHERE c.account_id = mine.id AND c.phone = answer.phone
    RETURNING c.phone
)
SELECT (SELECT count(*) FROM ended) AS numbers FROM mine;
