-- The sealed records of one keyring. A read starts from the keyring's row, so
-- "no such record" (one row of nulls) and "the keyring is gone" (no row) differ.
-- A write starts from `held`: the account's row, share-locked, if the caller still
-- owns it. A change of owner waits for that lock, so a write lands under the fence
-- it names or not at all.

--! get_credential : (sealed?, stamp?)
SELECT c.sealed, c.stamp
FROM keyrings k
LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = :kind AND c.name = :name
WHERE k.id = :keyring_id;

--! get_credentials : (name?, sealed?, stamp?)
SELECT c.name, c.sealed, c.stamp
FROM keyrings k
LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = :kind AND c.name = ANY (:names::text[])
WHERE k.id = :keyring_id;

--! list_credentials : (name?, sealed?, stamp?)
SELECT c.name, c.sealed, c.stamp
FROM keyrings k
LEFT JOIN credentials c
    ON c.keyring_id = k.id AND c.kind = :kind AND starts_with(c.name, :prefix) AND c.stamp < :stamp_below
WHERE k.id = :keyring_id;

--! list_credential_names : (name?)
SELECT c.name
FROM keyrings k
LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = :kind
WHERE k.id = :keyring_id;

--! get_last_credential_name : (name?)
SELECT (
    SELECT c.name FROM credentials c
    WHERE c.keyring_id = k.id AND c.kind = :kind
    ORDER BY c.name DESC LIMIT 1
) AS name
FROM keyrings k
WHERE k.id = :keyring_id;

--! has_credential_with_prefix
SELECT EXISTS (
    SELECT FROM credentials c, unnest(:prefixes::text[]) AS p (prefix)
    WHERE c.keyring_id = k.id AND c.kind = ANY (:kinds::text[]) AND starts_with(c.name, p.prefix)
) AS found
FROM keyrings k
WHERE k.id = :keyring_id;

-- Writes some, and removes others by their names.
--! put_credentials
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
    FOR SHARE
), ring AS (
    SELECT k.id, k.account_id FROM keyrings k
    JOIN held ON held.id = k.account_id
    WHERE k.id = :keyring_id
), written AS (
    INSERT INTO credentials (account_id, keyring_id, kind, name, sealed, stamp)
    SELECT ring.account_id, ring.id, r.kind, r.name, r.sealed, r.stamp
    FROM ring, unnest(:kinds::text[], :names::text[], :sealed::bytea[], :stamps::bigint[])
        AS r (kind, name, sealed, stamp)
    ON CONFLICT (keyring_id, kind, name) DO UPDATE SET sealed = excluded.sealed, stamp = excluded.stamp
    RETURNING 1
), removed AS (
    DELETE FROM credentials c
    USING ring, unnest(:gone_kinds::text[], :gone_names::text[]) AS gone (kind, name)
    WHERE c.keyring_id = ring.id AND c.kind = gone.kind AND c.name = gone.name
)
SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM ring) AS found, (SELECT count(*) FROM written) AS written;

--! take_credential : (sealed?, stamp?)
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
    FOR SHARE
), taken AS (
    DELETE FROM credentials c
    USING held
    WHERE c.keyring_id = :keyring_id AND c.account_id = held.id AND c.kind = :kind AND c.name = :name
    RETURNING c.sealed, c.stamp
)
SELECT EXISTS (SELECT FROM held) AS held, taken.sealed, taken.stamp
FROM keyrings k
LEFT JOIN taken ON true
WHERE k.id = :keyring_id;

--! delete_credentials
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
    FOR SHARE
), written AS (
    DELETE FROM credentials c
    USING held
    WHERE c.keyring_id = :keyring_id AND c.account_id = held.id AND c.kind = :kind AND c.name = ANY (:names::text[])
    RETURNING 1
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT count(*) FROM written) AS written;

--! delete_credentials_with_prefix
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
    FOR SHARE
), written AS (
    DELETE FROM credentials c
    USING held
    WHERE c.keyring_id = :keyring_id AND c.account_id = held.id AND c.kind = :kind AND starts_with(c.name, :prefix)
    RETURNING 1
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT count(*) FROM written) AS written;

-- The second part of a two-part name, as names.rs joins them.
--! delete_credentials_with_second_part
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
    FOR SHARE
), written AS (
    DELETE FROM credentials c
    USING held
    WHERE c.keyring_id = :keyring_id AND c.account_id = held.id AND c.kind = :kind
        AND split_part(c.name, '/', 2) = ANY (:parts::text[])
    RETURNING 1
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT count(*) FROM written) AS written;

-- A stamp of 0 never expires.
--! delete_expired_credentials
WITH held AS (
    SELECT a.id FROM whatsapp_accounts a
    WHERE a.id = :account_id AND a.owner = :owner AND a.fence = :fence
    FOR SHARE
), written AS (
    DELETE FROM credentials c
    USING held
    WHERE c.keyring_id = :keyring_id AND c.account_id = held.id AND c.kind = :kind
        AND c.stamp <> 0 AND c.stamp < :stamp_below
    RETURNING 1
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT count(*) FROM written) AS written;
