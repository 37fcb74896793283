-- How an account's connections are made. Both are read anew for each of them.
ALTER TABLE whatsapp_accounts
    -- `socks5://host:port` or `http://host:port`, never with a password. What cannot be
    -- used is told on the row (`proxy_invalid`), not refused here.
    ADD COLUMN proxy text,
    -- What the phone shows under "Linked devices"; null: as the daemon's setting says.
    ADD COLUMN device_name text
        CONSTRAINT device_name_is_1_to_40_printable_characters
        CHECK (device_name ~ '^[^[:cntrl:]]{1,40}$' AND device_name = btrim(device_name));

-- The login of an account's proxy, sealed under a data key of its own as a keyring's
-- records are. It belongs to this one address: a row that points elsewhere has no login.
CREATE TABLE proxy_logins (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL UNIQUE REFERENCES whatsapp_accounts (id) ON DELETE CASCADE,
    proxy       text NOT NULL,
    wrapped_key bytea NOT NULL,
    master_key  text NOT NULL,
    sealed      bytea NOT NULL
);

-- Everything that a master key wraps: what a rotation must find.
CREATE VIEW wrapped_keys AS
    SELECT id, account_id, wrapped_key, master_key FROM keyrings
    UNION ALL
    SELECT id, account_id, wrapped_key, master_key FROM proxy_logins;

-- A new address goes into effect at once: who runs the account is told by a command. A
-- login never goes to another address than the one that it was given for.
CREATE FUNCTION proxy_was_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM proxy_logins l WHERE l.account_id = NEW.id AND l.proxy IS DISTINCT FROM NEW.proxy;
    IF NEW.deleted_at IS NULL AND NEW.status IN ('pending', 'connected', 'reconnecting', 'held') THEN
        PERFORM send_command('account.reconnect', NEW.id, source => 'proxy');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER proxy_was_changed AFTER UPDATE OF proxy ON whatsapp_accounts
    FOR EACH ROW WHEN (OLD.proxy IS DISTINCT FROM NEW.proxy) EXECUTE FUNCTION proxy_was_changed();

-- An unlink still needs the proxy; when the account is settled nothing does.
CREATE FUNCTION account_was_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM proxy_logins l WHERE l.account_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER account_was_settled AFTER UPDATE OF status, deleted_at ON whatsapp_accounts
    FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL AND NEW.status = 'unpaired') EXECUTE FUNCTION account_was_settled();
