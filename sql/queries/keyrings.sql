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
