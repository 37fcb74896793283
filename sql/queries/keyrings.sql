-- A keyring's data key is wrapped, and so is that of a proxy's login.
--! count_keyrings_by_master_key
SELECT k.master_key, count(*) AS keyrings FROM wrapped_keys k GROUP BY k.master_key;

-- One rotation at a time. Held by the session, so it ends with the process. Any login can take
-- such a lock, so one held by a login that may not rotate is ignored.
--! try_lock_rotation : (locked?)
SELECT pg_try_advisory_lock(hashtextextended('paird.keys.rotate', 0)) OR NOT EXISTS (
           SELECT FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid
           WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND s.datname = current_database()
             AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('paird.keys.rotate', 0)
             AND has_table_privilege(s.usesysid, 'keyrings', 'UPDATE')) AS locked;

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

-- Opens a keyring of an account that the caller owns, and ends every former opening: see
-- credentials.sql. The device, which every usable keyring has, only serves to check the data
-- key: it is from this statement's snapshot, which may be older than a write that the
-- statement waited for, so the protocol library loads it again. Nothing is opened if the
-- caller itself has opened the keyring since it requested this opening.
--! open_keyring : (wrapped_key?, master_key?, epoch?, device?)
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
), opened AS (
    UPDATE keyrings k SET epoch = k.epoch + 1, opened_by = :owner, opening = :opening
    FROM held WHERE k.id = :keyring_id AND k.account_id = held.id
      AND (k.opened_by IS DISTINCT FROM :owner OR k.opening < :opening)
    RETURNING k.id, k.wrapped_key, k.master_key, k.epoch
)
SELECT EXISTS (SELECT FROM held) AS held,
       EXISTS (SELECT FROM held JOIN keyrings k ON k.account_id = held.id WHERE k.id = :keyring_id) AS found,
       opened.wrapped_key, opened.master_key, opened.epoch, c.sealed AS device
FROM (SELECT) AS one
LEFT JOIN opened ON true
LEFT JOIN credentials c ON c.keyring_id = opened.id AND c.kind = :device_kind AND c.name = :device_name;
