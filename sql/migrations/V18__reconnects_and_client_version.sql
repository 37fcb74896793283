-- The last client version that WhatsApp accepted, for when the lookup fails.
CREATE TABLE client_version (
    is_only     boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    major       bigint NOT NULL,
    minor       bigint NOT NULL,
    revision    bigint NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- As before, and for requested reconnects.
CREATE OR REPLACE FUNCTION command_was_done() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload, sent_by, channel)
    SELECT a.operator_id, NEW.source,
           CASE NEW.kind WHEN 'account.resume' THEN 'account.resumed' WHEN 'account.cancel' THEN 'account.cancelled'
                         WHEN 'account.reconnect' THEN 'account.reconnected' ELSE 'account.passkey_answered' END,
           'whatsapp_account', a.id, jsonb_build_object('label', left(a.label, 200)),
           NEW.sent_by, CASE WHEN NEW.heard_key IS NULL THEN 'command' ELSE 'notify' END
    FROM whatsapp_accounts a WHERE a.id = NEW.account_id;
    RETURN NULL;
END $$;
DROP TRIGGER command_was_done ON commands;
CREATE TRIGGER command_was_done AFTER UPDATE OF state ON commands
    FOR EACH ROW
    WHEN (NEW.state = 'done' AND OLD.state <> 'done'
          AND NEW.kind IN ('account.resume', 'account.cancel', 'account.passkey', 'account.reconnect'))
    EXECUTE FUNCTION command_was_done();
