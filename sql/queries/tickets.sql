--! load_ticket : (last_error?)
SELECT t.id, t.account_id, a.label, a.fence, t.keyring_id, t.reason, t.attempts, t.last_error, t.next_retry_at, t.abandon_at
FROM unlink_tickets t JOIN whatsapp_accounts a ON a.id = t.account_id
WHERE t.id = :ticket AND a.owner = :process;

--! retry_ticket
WITH mine AS (
    SELECT id FROM whatsapp_accounts WHERE id = :account AND owner = :process AND fence = :fence FOR SHARE
)
UPDATE unlink_tickets t
SET attempts = :attempts, last_error = :error, next_retry_at = :next_retry_at
FROM mine
WHERE t.id = :ticket AND t.account_id = mine.id
RETURNING t.id;

--! lock_account
-- In a statement of its own, so that the next one of the transaction sees what was
-- committed while it waited here.
SELECT id FROM whatsapp_accounts WHERE id = :account FOR UPDATE;

--! close_ticket
-- The device entry is gone, or out of reach for good: ticket and keys go together, and
-- a deleted account whose last ticket this was is settled. A second call changes nothing.
-- After lock_account: of two tickets that end at once, the later one must know it is the last.
WITH mine AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account AND a.owner = :process AND a.fence = :fence
    FOR UPDATE
), closed AS (
    DELETE FROM unlink_tickets t USING mine
    WHERE t.id = :ticket AND t.account_id = mine.id
    RETURNING t.id, t.account_id, t.keyring_id, t.source
), erased AS (
    DELETE FROM keyrings k USING closed WHERE k.id = closed.keyring_id
), changed AS (
    UPDATE whatsapp_accounts a
    SET event_seq = a.event_seq + 1,
        keyring_id = nullif(a.keyring_id, closed.keyring_id),
        linking_keyring_id = nullif(a.linking_keyring_id, closed.keyring_id),
        status = CASE WHEN rest.settled THEN 'unpaired' ELSE a.status END,
        status_reason = CASE WHEN rest.settled THEN 'deleted' ELSE a.status_reason END,
        status_since = CASE WHEN rest.settled THEN clock_timestamp() ELSE a.status_since END
    FROM closed,
         LATERAL (SELECT a2.status = 'deleting' AND NOT EXISTS (
                      SELECT FROM unlink_tickets t WHERE t.account_id = a2.id AND t.id <> closed.id) AS settled
                  FROM whatsapp_accounts a2 WHERE a2.id = closed.account_id) AS rest
    WHERE a.id = closed.account_id
    RETURNING a.id, a.operator_id, a.label, a.event_seq, closed.source
), told AS (
    INSERT INTO events (account_id, seq, kind, payload)
    SELECT id, event_seq, :event_kind, :event_payload FROM changed
), audited AS (
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload)
    SELECT operator_id, source, :event_kind, 'whatsapp_account', id,
           jsonb_build_object('label', label, 'raw', :raw::text)
    FROM changed
)
SELECT id FROM mine;
