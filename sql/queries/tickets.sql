--! load_ticket : (last_error?)
SELECT t.id, t.account_id, a.label, a.fence, t.keyring_id, t.reason, t.attempts, t.last_error, t.next_retry_at, t.abandon_at
FROM unlink_tickets t JOIN whatsapp_accounts a ON a.id = t.account_id
WHERE t.id = :ticket AND a.owner = :process;

--! retry_ticket
-- No row: the account is another's. Not written: it is at another try than the one before.
WITH mine AS (
    SELECT id FROM whatsapp_accounts WHERE id = :account AND owner = :process AND fence = :fence FOR SHARE
), written AS (
    UPDATE unlink_tickets t
    SET attempts = :attempts, last_error = :error, next_retry_at = :next_retry_at
    FROM mine
    WHERE t.id = :ticket AND t.account_id = mine.id AND t.attempts = :attempts - 1
    RETURNING t.id
)
SELECT EXISTS (SELECT FROM written) AS is_written,
       EXISTS (SELECT FROM unlink_tickets t
               WHERE t.id = :ticket AND t.attempts = :attempts AND t.last_error = :error) AS was_written
FROM mine;

--! close_ticket
-- The device entry is gone, or out of reach for good: ticket and keys go together. An
-- abandonment that comes before its time, by this database's clock, does nothing: `is_open`
-- says so. A second call changes nothing. That a deletion is settled when its last ticket
-- is closed, the account's own actor writes.
WITH mine AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account AND a.owner = :process AND a.fence = :fence
    FOR NO KEY UPDATE
), closed AS (
    DELETE FROM unlink_tickets t USING mine
    WHERE t.id = :ticket AND t.account_id = mine.id AND (NOT :is_abandoned OR t.abandon_at <= clock_timestamp())
    RETURNING t.id, t.account_id, t.keyring_id, t.source
), erased AS (
    DELETE FROM keyrings k USING closed WHERE k.id = closed.keyring_id
), counted AS (
    UPDATE whatsapp_accounts a SET event_seq = a.event_seq + 1
    FROM closed WHERE a.id = closed.account_id
    RETURNING a.id, a.operator_id, a.label, a.event_seq, closed.source
), told AS (
    INSERT INTO events (account_id, seq, kind, payload)
    SELECT id, event_seq, :event_kind, :event_payload FROM counted
), audited AS (
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload)
    SELECT operator_id, source, :event_kind, 'whatsapp_account', id,
           jsonb_build_object('label', label, 'raw', :raw::text)
    FROM counted
)
SELECT EXISTS (SELECT FROM unlink_tickets t WHERE t.id = :ticket) AND NOT EXISTS (SELECT FROM closed) AS is_open
FROM mine;
