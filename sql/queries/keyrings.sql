-- A keyring's data key is wrapped, and so is that of a proxy's login.
--! count_keyrings_by_master_key
SELECT k.master_key, count(*) AS keyrings FROM wrapped_keys k GROUP BY k.master_key;

-- One rotation at a time. Held by the session: it ends with the process.
--! try_lock_rotation
SELECT pg_try_advisory_lock(hashtextextended('paird.keys.rotate', 0)) AS locked;

--! list_keyrings_to_rewrap
SELECT k.id, k.account_id, a.label, k.wrapped_key, k.master_key
FROM wrapped_keys k JOIN whatsapp_accounts a ON a.id = k.account_id
WHERE k.master_key <> :newest AND k.id > :after ORDER BY k.id LIMIT :batch;

--! list_keyrings
SELECT k.id, k.account_id, a.label, k.wrapped_key, k.master_key
FROM wrapped_keys k JOIN whatsapp_accounts a ON a.id = k.account_id
WHERE k.id > :after ORDER BY k.id LIMIT :batch;

-- A row that was re-wrapped or shredded since it was read stays as it is.
--! rewrap_keyrings
WITH rewrapped AS (
    SELECT r.id, r.wrapped_key, r.former_key
    FROM unnest(:ids::uuid[], :wrapped_keys::bytea[], :former_keys::bytea[]) AS r (id, wrapped_key, former_key)
), keyring AS (
    UPDATE keyrings k SET wrapped_key = r.wrapped_key, master_key = :newest
    FROM rewrapped r WHERE k.id = r.id AND k.wrapped_key = r.former_key
    RETURNING k.id
), login AS (
    UPDATE proxy_logins l SET wrapped_key = r.wrapped_key, master_key = :newest
    FROM rewrapped r WHERE l.id = r.id AND l.wrapped_key = r.former_key
    RETURNING l.id
)
SELECT (SELECT count(*) FROM keyring) + (SELECT count(*) FROM login) AS rewrapped;

-- With the record that every usable keyring has, to tell at once whether it opens.
--! get_keyring : (device?)
SELECT k.wrapped_key, k.master_key, c.sealed AS device
FROM keyrings k
LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = :device_kind AND c.name = :device_name
WHERE k.id = :keyring_id AND k.account_id = :account_id;

-- Everything that was staged, in one step, under the fence. Run again after an
-- answer was lost, it ends in the same rows: what is no longer staged goes. Its own
-- row may have been re-wrapped meanwhile; with the same master key it must be the same.
-- With `claims` only if nobody else has the number, as in claim_number.
--! secure_keyring : (existing_label?)
WITH held AS (
    SELECT a.id, a.operator_id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
    FOR NO KEY UPDATE
), incumbent AS (
    SELECT a.label
    FROM whatsapp_accounts a JOIN held ON a.operator_id = held.operator_id AND a.id <> held.id
    WHERE :claims AND a.phone_number = :phone_number AND a.deleted_at IS NULL
    ORDER BY a.created_at, a.id
    LIMIT 1
), ring AS (
    INSERT INTO keyrings AS k (id, account_id, wrapped_key, master_key, phone_number, device_jid)
    SELECT :keyring_id, held.id, :wrapped_key, :master_key, :phone_number, :device_jid
    FROM held WHERE NOT EXISTS (SELECT FROM incumbent)
    ON CONFLICT (id) DO UPDATE SET phone_number = excluded.phone_number, device_jid = excluded.device_jid
        WHERE k.account_id = excluded.account_id
            AND (k.wrapped_key = excluded.wrapped_key OR k.master_key <> excluded.master_key)
    RETURNING k.id, k.account_id
), linking AS (
    UPDATE whatsapp_accounts a
    SET linking_keyring_id = ring.id, device_jid = :device_jid, status_reason = :reason,
        phone_number = CASE WHEN :claims THEN :phone_number ELSE a.phone_number END,
        last_qr_png = NULL, last_qr_at = NULL, qr_expires_at = NULL, pair_code = NULL
    FROM ring WHERE a.id = ring.account_id
), staged AS (
    SELECT r.kind, r.name, r.sealed, r.stamp
    FROM unnest(:kinds::text[], :names::text[], :sealed::bytea[], :stamps::bigint[]) AS r (kind, name, sealed, stamp)
), stale AS (
    DELETE FROM credentials c
    USING ring
    WHERE c.keyring_id = ring.id
        AND NOT EXISTS (SELECT FROM staged s WHERE s.kind = c.kind AND s.name = c.name)
), written AS (
    INSERT INTO credentials (account_id, keyring_id, kind, name, sealed, stamp)
    SELECT ring.account_id, ring.id, s.kind, s.name, s.sealed, s.stamp FROM ring, staged s
    ON CONFLICT (keyring_id, kind, name) DO UPDATE SET sealed = excluded.sealed, stamp = excluded.stamp
    RETURNING 1
)
SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM ring) AS found, (SELECT label FROM incumbent) AS existing_label,
       (SELECT count(*) FROM written) AS written;
