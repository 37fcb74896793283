-- Whether an account looks online while a daemon keeps it linked. An account that does gets
-- no notifications on its phone, and senders see their messages delivered to it.
ALTER TABLE whatsapp_accounts
    ADD COLUMN presence text NOT NULL DEFAULT 'silent'
        CONSTRAINT presence_is_silent_or_available CHECK (presence IN ('silent', 'available'));

-- Another presence goes into effect at once: who runs the account connects it again.
CREATE FUNCTION presence_was_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM send_command('account.reconnect', NEW.id, source => 'presence');
    RETURN NULL;
END $$;
CREATE TRIGGER presence_was_changed AFTER UPDATE OF presence ON whatsapp_accounts
    FOR EACH ROW
    WHEN (OLD.presence IS DISTINCT FROM NEW.presence AND NEW.deleted_at IS NULL
          AND NEW.status IN ('connected', 'reconnecting'))
    EXECUTE FUNCTION presence_was_changed();
