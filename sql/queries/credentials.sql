-- The sealed records of one keyring. A read starts from the keyring's row, so
-- "no such record" (one row of nulls) and "the keyring is gone" (no row) differ.
--
-- A write names the epoch of the opening that it follows, and locks the keyring's row,
-- which an opening updates. So an opening waits for the writes that are being committed,
-- and a write that waited for an opening, or arrives after it, finds another epoch and
-- writes nothing. Owner and fence are read without a lock: the write of a former owner
-- that read them just before they changed lands before the new owner's opening or not at
-- all, so the new owner reads what it wrote. A lock on the account's row would add
-- nothing but waiting for the account's own changes.

--! get_credential : (sealed?, stamp?)
SELECT k.epoch, c.sealed, c.stamp
FROM keyrings k
LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = :kind AND c.name = :name
WHERE k.id = :keyring_id;

--! get_credentials : (name?, sealed?, stamp?)
SELECT k.epoch, c.name, c.sealed, c.stamp
FROM keyrings k
LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = :kind AND c.name = ANY (:names::text[])
WHERE k.id = :keyring_id;

--! list_credentials : (name?, sealed?, stamp?)
SELECT k.epoch, c.name, c.sealed, c.stamp
FROM keyrings k
LEFT JOIN credentials c
    ON c.keyring_id = k.id AND c.kind = :kind AND starts_with(c.name, :prefix) AND c.stamp < :stamp_below
WHERE k.id = :keyring_id;

-- Those of a kind that were stamped last.
--! list_newest_credentials : (name?, sealed?, stamp?)
SELECT k.epoch, c.name, c.sealed, c.stamp
FROM keyrings k
LEFT JOIN LATERAL (
    SELECT n.name, n.sealed, n.stamp FROM credentials n
    WHERE n.keyring_id = k.id AND n.kind = :kind
    ORDER BY n.stamp DESC
    LIMIT :count
) AS c ON true
WHERE k.id = :keyring_id;

--! list_credential_names : (name?)
SELECT k.epoch, c.name
FROM keyrings k
LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = :kind
WHERE k.id = :keyring_id;

--! get_last_credential_name : (name?)
SELECT k.epoch, (
    SELECT c.name FROM credentials c
    WHERE c.keyring_id = k.id AND c.kind = :kind
    ORDER BY c.name DESC LIMIT 1
) AS name
FROM keyrings k
WHERE k.id = :keyring_id;

--! has_credential_with_prefix
SELECT k.epoch, EXISTS (
    SELECT FROM credentials c, unnest(:prefixes::text[]) AS p (prefix)
    WHERE c.keyring_id = k.id AND c.kind = ANY (:kinds::text[]) AND starts_with(c.name, p.prefix)
) AS found
FROM keyrings k
WHERE k.id = :keyring_id;

-- Writes some, adds some that are not there yet, and removes others by their names. No record is
-- among two of them. `known` has the names of those that were to be added and are there already.
-- Each array is in a SELECT of its own, so that one plan does for arrays of any length: Postgres would
-- plan each execution anew for the sake of a short one, which takes as long as to carry it out.
--! put_credentials : (epoch?)
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
), ring AS (
    SELECT k.id, k.account_id, k.epoch FROM keyrings k
    WHERE k.id = :keyring_id AND k.account_id = :account_id
    FOR SHARE
), writable AS (
    SELECT ring.id, ring.account_id FROM ring
    JOIN held ON held.id = ring.account_id
    WHERE ring.epoch = :epoch
), written AS (
    INSERT INTO credentials (account_id, keyring_id, kind, name, sealed, stamp)
    SELECT w.account_id, w.id, r.kind, r.name, r.sealed, r.stamp
    FROM writable w, unnest((SELECT :kinds::text[]), (SELECT :names::text[]), (SELECT :sealed::bytea[]),
                            (SELECT :stamps::bigint[])) AS r (kind, name, sealed, stamp)
    ON CONFLICT (keyring_id, kind, name) DO UPDATE SET sealed = excluded.sealed, stamp = excluded.stamp
    RETURNING 1
), added AS (
    INSERT INTO credentials (account_id, keyring_id, kind, name, sealed, stamp)
    SELECT w.account_id, w.id, r.kind, r.name, r.sealed, r.stamp
    FROM writable w, unnest((SELECT :added_kinds::text[]), (SELECT :added_names::text[]), (SELECT :added_sealed::bytea[]),
                            (SELECT :added_stamps::bigint[])) AS r (kind, name, sealed, stamp)
    ON CONFLICT (keyring_id, kind, name) DO NOTHING
    RETURNING kind, name
), removed AS (
    DELETE FROM credentials c
    USING writable w, unnest((SELECT :gone_kinds::text[]), (SELECT :gone_names::text[])) AS gone (kind, name)
    WHERE c.keyring_id = w.id AND c.kind = gone.kind AND c.name = gone.name
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT epoch FROM ring) AS epoch,
       ARRAY(SELECT r.name FROM unnest(:added_kinds::text[], :added_names::text[]) AS r (kind, name)
             EXCEPT SELECT a.name FROM added a) AS known;

--! delete_credentials : (epoch?)
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
), ring AS (
    SELECT k.id, k.account_id, k.epoch FROM keyrings k
    WHERE k.id = :keyring_id AND k.account_id = :account_id
    FOR SHARE
), writable AS (
    SELECT ring.id, ring.account_id FROM ring
    JOIN held ON held.id = ring.account_id
    WHERE ring.epoch = :epoch
), written AS (
    DELETE FROM credentials c
    USING writable w
    WHERE c.keyring_id = w.id AND c.kind = :kind AND c.name = ANY (:names::text[])
    RETURNING 1
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT epoch FROM ring) AS epoch, (SELECT count(*) FROM written) AS written;

--! delete_credentials_with_prefix : (epoch?)
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
), ring AS (
    SELECT k.id, k.account_id, k.epoch FROM keyrings k
    WHERE k.id = :keyring_id AND k.account_id = :account_id
    FOR SHARE
), writable AS (
    SELECT ring.id, ring.account_id FROM ring
    JOIN held ON held.id = ring.account_id
    WHERE ring.epoch = :epoch
), written AS (
    DELETE FROM credentials c
    USING writable w
    WHERE c.keyring_id = w.id AND c.kind = :kind AND starts_with(c.name, :prefix)
    RETURNING 1
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT epoch FROM ring) AS epoch, (SELECT count(*) FROM written) AS written;

-- The second part of a two-part name, as names.rs joins them.
--! delete_credentials_with_second_part : (epoch?)
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
), ring AS (
    SELECT k.id, k.account_id, k.epoch FROM keyrings k
    WHERE k.id = :keyring_id AND k.account_id = :account_id
    FOR SHARE
), writable AS (
    SELECT ring.id, ring.account_id FROM ring
    JOIN held ON held.id = ring.account_id
    WHERE ring.epoch = :epoch
), written AS (
    DELETE FROM credentials c
    USING writable w
    WHERE c.keyring_id = w.id AND c.kind = :kind
        AND split_part(c.name, '/', 2) = ANY (:parts::text[])
    RETURNING 1
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT epoch FROM ring) AS epoch, (SELECT count(*) FROM written) AS written;

-- A stamp of 0 never expires.
--! delete_expired_credentials : (epoch?)
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
), ring AS (
    SELECT k.id, k.account_id, k.epoch FROM keyrings k
    WHERE k.id = :keyring_id AND k.account_id = :account_id
    FOR SHARE
), writable AS (
    SELECT ring.id, ring.account_id FROM ring
    JOIN held ON held.id = ring.account_id
    WHERE ring.epoch = :epoch
), written AS (
    DELETE FROM credentials c
    USING writable w
    WHERE c.keyring_id = w.id AND c.kind = :kind
        AND c.stamp <> 0 AND c.stamp < :stamp_below
    RETURNING 1
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT epoch FROM ring) AS epoch, (SELECT count(*) FROM written) AS written;
