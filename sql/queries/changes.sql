--! record_change (next_retry_at?, phone_number?, last_phone_number?, device_jid?, pair_deadline?, pair_phone?, expect_phone?, keyring_id?, linking_keyring_id?, deleted_at?, groups_synced_at?, qr_png?, qr_at?, qr_expires_at?, pair_code?) : (proxy?, device_name?)
-- One change of an account and everything that tells of it, or nothing at all if the
-- account has another owner or a newer fence. Written again, it is written already.
WITH mine AS (
    SELECT id, last_change, deleted_at IS NOT NULL AND status = 'unpaired' AS settled, proxy, device_name
    FROM whatsapp_accounts
    WHERE id = :account AND owner = :process AND fence = :fence
    FOR UPDATE
), changed AS (
    UPDATE whatsapp_accounts a
    -- The last ticket settles a deletion behind the back of whoever then still has it under way.
    SET status = CASE WHEN mine.settled THEN a.status ELSE :status END,
        status_reason = CASE WHEN mine.settled THEN a.status_reason ELSE :status_reason END,
        status_since = CASE WHEN mine.settled THEN a.status_since ELSE :status_since END,
        desired = :desired,
        next_retry_at = :next_retry_at, phone_number = :phone_number, last_phone_number = :last_phone_number,
        device_jid = :device_jid, pair_deadline = :pair_deadline, pair_method = :pair_method,
        pair_phone = :pair_phone, expect_phone = :expect_phone, keyring_id = :keyring_id,
        linking_keyring_id = :linking_keyring_id, deleted_at = :deleted_at,
        groups_synced_at = :groups_synced_at, last_change = :change,
        last_qr_png = CASE WHEN :keep_qr THEN a.last_qr_png ELSE :qr_png END,
        last_qr_at = CASE WHEN :keep_qr THEN a.last_qr_at ELSE :qr_at END,
        qr_expires_at = CASE WHEN :keep_qr THEN a.qr_expires_at ELSE :qr_expires_at END,
        pair_code = CASE WHEN :keep_pair_code THEN a.pair_code ELSE :pair_code END,
        event_seq = a.event_seq + cardinality(:event_kinds::text[])
    FROM mine
    WHERE a.id = mine.id AND mine.last_change IS DISTINCT FROM :change
    RETURNING a.id, a.operator_id, a.label, a.event_seq - cardinality(:event_kinds::text[]) AS seq_before
), told AS (
    INSERT INTO events (account_id, seq, kind, payload)
    SELECT changed.id, changed.seq_before + event.nth, event.kind, event.payload
    FROM changed, unnest(:event_kinds::text[], :event_payloads::jsonb[]) WITH ORDINALITY AS event (kind, payload, nth)
    ORDER BY event.nth
), audited AS (
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload)
    SELECT changed.operator_id, line.source, line.action, 'whatsapp_account', changed.id,
           line.payload || jsonb_build_object('label', changed.label)
    FROM changed, unnest(:audit_sources::text[], :audit_actions::text[], :audit_payloads::jsonb[])
                  WITH ORDINALITY AS line (source, action, payload, nth)
    ORDER BY line.nth
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
SELECT EXISTS (SELECT FROM commands c
               WHERE c.account_id = mine.id AND c.state = 'queued' AND c.id <> ALL (:command_ids::bigint[])) AS more,
       mine.proxy, mine.device_name
FROM mine;
