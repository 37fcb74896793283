-- The settings of an account's connections: its proxy, the name on the phone, its presence; the pace of
-- its messages; its tags, and the number that it is for.

--! load_connection_settings : (proxy?, device_name?)
-- No row where the account is not this daemon's, under this fence and a live lease: then
-- nothing may be dialled.
SELECT a.proxy, a.device_name, a.presence
FROM whatsapp_accounts a JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp()
WHERE a.id = :account AND a.owner = :process AND a.fence = :fence;

-- Only the one that was given for this address.
--! get_proxy_login
SELECT id, wrapped_key, master_key, sealed FROM proxy_logins WHERE account_id = :account_id AND proxy = :proxy;

-- Writes address and login together, or neither. A trigger sends the account's owner a command
-- if the address has changed; if only the login has, this statement does.
--! set_proxy (proxy?, id?, wrapped_key?, master_key?, sealed?) : (command_id?)
WITH before AS (
    SELECT a.id, a.proxy, a.status
    FROM whatsapp_accounts a, (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed
    WHERE a.id = :account_id AND a.deleted_at IS NULL AND claimed.source IS NOT NULL
    FOR UPDATE OF a
), login AS (
    INSERT INTO proxy_logins AS l (id, account_id, proxy, wrapped_key, master_key, sealed)
    SELECT :id::uuid, before.id, :proxy::text, :wrapped_key::bytea, :master_key::text, :sealed::bytea
    FROM before WHERE :sealed::bytea IS NOT NULL
    ON CONFLICT (account_id) DO UPDATE
    SET id = excluded.id, proxy = excluded.proxy, wrapped_key = excluded.wrapped_key,
        master_key = excluded.master_key, sealed = excluded.sealed
), no_login AS (
    DELETE FROM proxy_logins l USING before WHERE l.account_id = before.id AND :sealed::bytea IS NULL
    RETURNING l.id
), changed AS (
    UPDATE whatsapp_accounts a SET proxy = :proxy FROM before WHERE a.id = before.id
)
SELECT before.status,
       CASE WHEN before.proxy IS NOT DISTINCT FROM :proxy
                 AND (:sealed::bytea IS NOT NULL OR EXISTS (SELECT FROM no_login))
                 AND before.status IN ('pending', 'connected', 'reconnecting', 'held')
            THEN send_command('account.reconnect', before.id, '{}', NULL, 'proxy') END AS command_id
FROM before;

--! set_device_name (device_name?)
-- The name that the phone lists from the next pairing on.
UPDATE whatsapp_accounts a SET device_name = :device_name
FROM (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed
WHERE a.id = :account_id AND a.deleted_at IS NULL AND claimed.source IS NOT NULL
RETURNING a.id;

--! set_presence
-- If it has changed, a trigger sends the account's owner a command.
UPDATE whatsapp_accounts a SET presence = :presence
FROM (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed
WHERE a.id = :account_id AND a.deleted_at IS NULL AND claimed.source IS NOT NULL
RETURNING a.id;

--! get_pace : (new_chats_per_day?)
SELECT a.send_rate, a.send_burst, a.new_chats_per_day
FROM whatsapp_accounts a WHERE a.id = :account_id AND a.deleted_at IS NULL;

--! set_pace (new_chats_per_day?)
-- If it has changed, a trigger tells the account's connection.
UPDATE whatsapp_accounts a
SET send_rate = :send_rate, send_burst = :send_burst, new_chats_per_day = :new_chats_per_day
FROM (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed
WHERE a.id = :account_id AND a.deleted_at IS NULL AND claimed.source IS NOT NULL
RETURNING a.id;

--! set_tags
UPDATE whatsapp_accounts a SET tags = :tags
FROM (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed
WHERE a.id = :account_id AND a.deleted_at IS NULL AND claimed.source IS NOT NULL
RETURNING a.tags;

--! change_tags
-- Where two change the tags of an account at once, both changes are there in the end.
UPDATE whatsapp_accounts a SET tags = changed_tags(a.tags, :added, :removed)
FROM (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed
WHERE a.id = :account_id AND a.deleted_at IS NULL AND claimed.source IS NOT NULL
RETURNING a.tags;

--! set_desired_phone (number?)
UPDATE whatsapp_accounts a SET desired_phone = :number
FROM (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed
WHERE a.id = :account_id AND a.deleted_at IS NULL AND claimed.source IS NOT NULL
RETURNING a.id;
