--! record_change (follows?, next_retry_at?, phone_number?, last_phone_number?, device_jid?, pair_deadline?, pair_phone?, expect_phone?, keyring_id?, linking_keyring_id?, deleted_at?, groups_synced_at?, released_at?, qr_png?, qr_at?, qr_expires_at?, pair_code?, new_keyring_id?, linked_phone?) : (existing_label?, proxy?, device_name?)
-- The only statement that writes an account's state. It writes one change with everything
-- that reports it, or nothing at all:
--  * no row: the account has another owner, or a newer fence;
--  * neither `in_turn` nor `was_written`: the row has changed since the one that this change
--    follows, so its author must begin again from the row. A try whose answer was lost is
--    recognised by its id, and one that lands after later changes finds another change than
--    the one it follows;
--  * `existing_label`: it gives the account a number that another live account of the
--    operator has. Two newcomers at the same moment meet at the unique index.
WITH mine AS (
    SELECT id, operator_id, proxy, device_name, presence,
           last_change IS NOT DISTINCT FROM :follows AS in_turn,
           last_change IS NOT DISTINCT FROM :change AS was_written,
           -- Null unless the change gives the account another number. Most do not, and then
           -- other accounts' numbers do not matter.
           CASE WHEN phone_number IS DISTINCT FROM :phone_number
                THEN nullif(phone_key(:phone_number), phone_key(phone_number)) END AS new_key
    FROM whatsapp_accounts
    WHERE id = :account AND owner = :process AND fence = :fence
    FOR UPDATE
), incumbent AS (
    -- Lateral, so that it is looked for only where there is a new number: joined, the plan may
    -- go through all accounts first.
    SELECT other.label
    FROM mine CROSS JOIN LATERAL (
        SELECT a.label
        FROM whatsapp_accounts a
        WHERE a.operator_id = mine.operator_id AND a.phone_key = mine.new_key
          AND a.id <> mine.id AND a.deleted_at IS NULL
        ORDER BY a.created_at, a.id
        LIMIT 1
    ) AS other
    WHERE mine.in_turn AND mine.new_key IS NOT NULL
), open_tickets AS (
    -- Locked, so that one that is closed at this moment is not seen as open.
    SELECT t.id FROM mine JOIN unlink_tickets t ON t.account_id = mine.id
    WHERE :deletes
    FOR KEY SHARE OF t
), changed AS (
    UPDATE whatsapp_accounts a
    SET status = CASE WHEN rest.unlinks THEN 'deleting' ELSE :status END,
        status_reason = CASE WHEN rest.unlinks THEN 'unlinking' ELSE :status_reason END,
        status_since = CASE WHEN rest.unlinks AND a.status = 'deleting' THEN a.status_since ELSE :status_since END,
        desired = :desired,
        next_retry_at = :next_retry_at, phone_number = :phone_number, last_phone_number = :last_phone_number,
        device_jid = :device_jid, pair_deadline = :pair_deadline, pair_method = :pair_method,
        pair_phone = :pair_phone, expect_phone = :expect_phone, keyring_id = :keyring_id,
        linking_keyring_id = :linking_keyring_id, deleted_at = :deleted_at,
        groups_synced_at = :groups_synced_at, released_at = :released_at, last_change = :change,
        last_qr_png = CASE WHEN :keep_qr THEN a.last_qr_png ELSE :qr_png END,
        last_qr_at = CASE WHEN :keep_qr THEN a.last_qr_at ELSE :qr_at END,
        qr_expires_at = CASE WHEN :keep_qr THEN a.qr_expires_at ELSE :qr_expires_at END,
        pair_code = CASE WHEN :keep_pair_code THEN a.pair_code ELSE :pair_code END,
        event_seq = a.event_seq + cardinality(:event_kinds::text[])
    FROM mine,
         LATERAL (SELECT :deletes AND (cardinality(:ticket_keyrings::uuid[]) > 0
                                       OR EXISTS (SELECT FROM open_tickets)) AS unlinks) AS rest
    WHERE a.id = mine.id AND mine.in_turn AND NOT mine.was_written AND NOT EXISTS (SELECT FROM incumbent)
    RETURNING a.id, a.operator_id, a.label, a.event_seq - cardinality(:event_kinds::text[]) AS seq_before, rest.unlinks
), told AS (
    INSERT INTO events (account_id, seq, kind, payload)
    SELECT changed.id, changed.seq_before + event.nth, event.kind,
           CASE WHEN changed.unlinks AND event.kind = 'account.deleted'
                THEN event.payload || '{"unlinked": "pending"}' ELSE event.payload END
    FROM changed, unnest(:event_kinds::text[], :event_payloads::jsonb[]) WITH ORDINALITY AS event (kind, payload, nth)
    ORDER BY event.nth
), audited AS (
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload)
    SELECT changed.operator_id, line.source, line.action, 'whatsapp_account', changed.id,
           line.payload || jsonb_build_object('label', changed.label)
    FROM changed, unnest(:audit_sources::text[], :audit_actions::text[], :audit_payloads::jsonb[])
                  WITH ORDINALITY AS line (source, action, payload, nth)
    ORDER BY line.nth
), ring AS (
    -- Its data key, and below its records: durable with the row that names the keyring.
    INSERT INTO keyrings (id, account_id, wrapped_key, master_key, phone_number, device_jid)
    SELECT :new_keyring_id, changed.id, :wrapped_key, :master_key, :linked_phone, :device_jid
    FROM changed WHERE :new_keyring_id::uuid IS NOT NULL
    RETURNING id, account_id
), sealed AS (
    INSERT INTO credentials (account_id, keyring_id, kind, name, sealed, stamp)
    SELECT ring.account_id, ring.id, r.kind, r.name, r.sealed, r.stamp
    FROM ring, unnest(:record_kinds::text[], :record_names::text[], :sealed_records::bytea[], :record_stamps::bigint[])
        AS r (kind, name, sealed, stamp)
), ticketed AS (
    INSERT INTO unlink_tickets (account_id, keyring_id, reason, source)
    SELECT changed.id, k.id, ticket.reason, :ticket_source
    FROM changed, unnest(:ticket_keyrings::uuid[], :ticket_reasons::text[]) AS ticket (keyring_id, reason)
    JOIN keyrings k ON k.id = ticket.keyring_id
    WHERE k.account_id = changed.id
    ON CONFLICT (keyring_id) DO NOTHING
), erased AS (
    -- Never the keys that a ticket still needs.
    DELETE FROM keyrings k USING changed
    WHERE k.id = ANY (:erase::uuid[]) AND k.account_id = changed.id AND k.id <> ALL (:ticket_keyrings::uuid[])
      AND NOT EXISTS (SELECT FROM unlink_tickets t WHERE t.keyring_id = k.id)
), former_groups AS (
    DELETE FROM whatsapp_groups g USING changed
    WHERE :replace_groups AND g.account_id = changed.id AND g.jid <> ALL (:group_jids::text[])
), present_groups AS (
    INSERT INTO whatsapp_groups (account_id, jid, subject, participants, is_admin, synced_at)
    SELECT changed.id, g.jid, g.subject, g.participants, g.is_admin, clock_timestamp()
    FROM changed, unnest(:group_jids::text[], :group_subjects::text[], :group_participants::int[],
                         :group_admins::bool[]) AS g (jid, subject, participants, is_admin)
    ON CONFLICT (account_id, jid) DO UPDATE
    SET subject = excluded.subject, participants = excluded.participants, is_admin = excluded.is_admin,
        synced_at = excluded.synced_at
), finished AS (
    -- A passkey's assertion has done its work.
    UPDATE commands c SET state = ended.state, result = ended.result, done_at = clock_timestamp(),
        args = CASE WHEN c.kind = 'account.passkey' AND jsonb_typeof(c.args) = 'object'
                    THEN c.args - 'response' ELSE c.args END
    FROM changed, unnest(:command_ids::bigint[], :command_states::text[], :command_results::text[])
                  AS ended (id, state, result)
    WHERE c.id = ended.id AND c.account_id = changed.id AND c.state IN ('queued', 'running')
)
SELECT mine.in_turn, mine.was_written, (SELECT label FROM incumbent) AS existing_label,
       EXISTS (SELECT FROM commands c
               WHERE c.account_id = mine.id AND c.state = 'queued' AND c.id <> ALL (:command_ids::bigint[])) AS more,
       EXISTS (SELECT FROM processes p WHERE p.id = :process AND p.expires_at > clock_timestamp()) AS is_live,
       mine.proxy, mine.device_name, mine.presence
FROM mine;
