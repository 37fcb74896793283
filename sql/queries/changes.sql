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
           -- Most changes give the account no other number, and then others' do not matter.
           CASE WHEN phone_number IS DISTINCT FROM :phone_number AND last_change IS NOT DISTINCT FROM :follows
                THEN find_incumbent(id, operator_id, phone_number, :phone_number) END AS incumbent
    FROM whatsapp_accounts
    WHERE id = :account AND owner = :process AND fence = :fence
    FOR UPDATE
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
         LATERAL (SELECT :deletes AND (cardinality(:ticket_keyrings::uuid[]) > 0 OR has_open_tickets(mine.id))
                      AS unlinks) AS rest
    WHERE a.id = mine.id AND mine.in_turn AND NOT mine.was_written AND mine.incumbent IS NULL
    RETURNING a.id, a.operator_id, a.label, a.event_seq - cardinality(:event_kinds::text[]) AS seq_before, rest.unlinks
), told AS (
    INSERT INTO events (account_id, seq, kind, payload)
    SELECT changed.id, changed.seq_before + event.nth, event.kind,
           CASE WHEN changed.unlinks AND event.kind = 'account.deleted'
                THEN event.payload || '{"unlinked": "pending"}' ELSE event.payload END
    FROM changed, unnest(:event_kinds::text[], :event_payloads::jsonb[]) WITH ORDINALITY AS event (kind, payload, nth)
    ORDER BY event.nth
), finished AS (
    -- A passkey's assertion has done its work.
    UPDATE commands c SET state = ended.state, result = ended.result, done_at = clock_timestamp(),
        args = CASE WHEN c.kind = 'account.passkey' AND jsonb_typeof(c.args) = 'object'
                    THEN c.args - 'response' ELSE c.args END
    FROM changed, unnest(:command_ids::bigint[], :command_states::text[], :command_results::text[])
                  WITH ORDINALITY AS ended (id, state, result, nth)
    WHERE c.id = ended.id AND c.account_id = changed.id AND c.state IN ('queued', 'running')
    RETURNING ended.nth, c.kind, c.state, c.source, c.sent_by, c.heard_key IS NOT NULL AS is_heard
), audited AS (
    -- The machine's lines, and those of commands that were done and lead to no other line.
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload, sent_by, channel)
    SELECT changed.operator_id, line.source, line.action, 'whatsapp_account', changed.id,
           line.payload || jsonb_build_object('label', left(changed.label, 200)), line.sent_by, line.channel
    FROM changed, (
        SELECT own.nth, NULL AS ended_nth, own.source, own.action, own.payload, NULL AS sent_by, NULL AS channel
        FROM unnest(:audit_sources::text[], :audit_actions::text[], :audit_payloads::jsonb[])
             WITH ORDINALITY AS own (source, action, payload, nth)
        UNION ALL
        SELECT NULL, f.nth, f.source, done.action, '{}', f.sent_by, CASE WHEN f.is_heard THEN 'notify' ELSE 'command' END
        FROM finished f
        JOIN (VALUES ('account.resume', 'account.resumed'), ('account.cancel', 'account.cancelled'),
                     ('account.reconnect', 'account.reconnected'), ('account.passkey', 'account.passkey_answered')
             ) AS done (kind, action) ON done.kind = f.kind
        WHERE f.state = 'done'
    ) AS line
    ORDER BY line.nth, line.ended_nth
), rarely AS (
    -- Functions, since most changes need none of them and would pay for having them ready.
    SELECT CASE WHEN :new_keyring_id::uuid IS NOT NULL THEN
               add_keyring(changed.id, :new_keyring_id, :wrapped_key, :master_key, :linked_phone, :device_jid,
                           :record_kinds::text[], :record_names::text[], :sealed_records::bytea[], :record_stamps::bigint[])
           END,
           CASE WHEN cardinality(:ticket_keyrings::uuid[]) > 0 OR cardinality(:erase::uuid[]) > 0 THEN
               part_with_keyrings(changed.id, :ticket_keyrings, :ticket_reasons::text[], :ticket_source, :erase)
           END,
           CASE WHEN :replace_groups THEN
               replace_groups(changed.id, :group_jids::text[], :group_subjects::text[], :group_participants::int[],
                              :group_admins::bool[])
           END
    FROM changed
)
SELECT mine.in_turn, mine.was_written, mine.incumbent AS existing_label,
       EXISTS (SELECT FROM commands c
               WHERE c.account_id = mine.id AND c.state = 'queued' AND c.id <> ALL (:command_ids::bigint[])) AS more,
       EXISTS (SELECT FROM processes p WHERE p.id = :process AND p.expires_at > clock_timestamp()) AS is_live,
       mine.proxy, mine.device_name, mine.presence
-- A part that only reads is not carried out unless it is read.
FROM mine LEFT JOIN rarely ON true;
