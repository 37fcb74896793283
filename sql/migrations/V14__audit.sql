-- The audit says who asked, by Postgres's own word, and by which way, beside what the sender
-- claims; and it hears of what changes a row without a command.

-- `channel`: `command` (send_command), `notify` (a bare NOTIFY), `row` (who wrote the account's
-- row), `http` (the console's own doors), `cli`, `daemon` (nobody asked). Null on lines of before.
ALTER TABLE audit_log ADD COLUMN sent_by text, ADD COLUMN channel text;

-- A line that does not say is signed: for what a command led to by who sent the command, else
-- by who writes the line.
CREATE FUNCTION sign_audit_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.action IN ('account.paired', 'account.duplicate_refused', 'account.wrong_phone_refused',
                      'account.unpaired', 'account.deleted')
    THEN
        SELECT c.sent_by, CASE WHEN c.heard_key IS NULL THEN 'command' ELSE 'notify' END INTO NEW.sent_by, NEW.channel
        FROM commands c
        WHERE c.account_id = NEW.target_id AND c.started_at IS NOT NULL
          AND c.kind = CASE NEW.action WHEN 'account.unpaired' THEN 'account.unpair'
                                       WHEN 'account.deleted' THEN 'account.delete' ELSE 'account.pair' END
        ORDER BY c.id DESC LIMIT 1;
    END IF;
    IF NEW.channel IS NULL THEN
        NEW.sent_by := session_user;
        NEW.channel := 'daemon';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_audit_line BEFORE INSERT ON audit_log
    FOR EACH ROW WHEN (NEW.channel IS NULL) EXECUTE FUNCTION sign_audit_line();

-- A proxy's address as it may be shown: a web app may have written a login into it.
CREATE FUNCTION proxy_without_login(proxy text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN bare ~* '^[a-z0-9]+://(\[[0-9a-f:.]+\]|[^][:space:]/@:?#[]+)(:[0-9]{1,5})?/?$' THEN bare
                ELSE 'what is no address of a proxy' END
    FROM regexp_replace(proxy, '^([a-z0-9]+://).*@', '\1', 'i') AS stripped (bare)
    WHERE proxy IS NOT NULL
$$;

-- Whoever adds an account, or writes what an operator may write of it, on whatever way. What
-- the writer claims to be is in the setting `paird.source` of his transaction.
CREATE FUNCTION account_was_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload, sent_by, channel)
    SELECT NEW.operator_id, left(coalesce(nullif(current_setting('paird.source', true), ''), 'web'), 40), said.action,
           'whatsapp_account', NEW.id, jsonb_build_object('label', left(NEW.label, 200)) || said.payload,
           session_user, 'row'
    FROM (VALUES
        (1, 'account.added', TG_OP = 'INSERT', '{}'::jsonb),
        (2, 'account.renamed', TG_OP = 'UPDATE' AND NEW.label IS DISTINCT FROM OLD.label,
            jsonb_build_object('former', left(OLD.label, 200))),
        (3, 'account.proxied', NEW.proxy IS DISTINCT FROM OLD.proxy,
            jsonb_build_object('proxy', proxy_without_login(NEW.proxy))),
        (4, 'account.device_named', NEW.device_name IS DISTINCT FROM OLD.device_name,
            jsonb_build_object('deviceName', NEW.device_name)),
        (5, 'account.presence_set', NEW.presence IS DISTINCT FROM coalesce(OLD.presence, 'silent'),
            jsonb_build_object('presence', NEW.presence))
    ) AS said (nth, action, is_so, payload)
    WHERE said.is_so
    ORDER BY said.nth;
    RETURN NULL;
END $$;
CREATE TRIGGER account_was_added AFTER INSERT ON whatsapp_accounts
    FOR EACH ROW EXECUTE FUNCTION account_was_written();
CREATE TRIGGER account_was_written AFTER UPDATE OF label, proxy, device_name, presence ON whatsapp_accounts
    FOR EACH ROW
    WHEN ((NEW.label, NEW.proxy, NEW.device_name, NEW.presence)
          IS DISTINCT FROM (OLD.label, OLD.proxy, OLD.device_name, OLD.presence))
    EXECUTE FUNCTION account_was_written();

-- The login of a proxy, set or taken away: that it was, and nothing of it. What goes because
-- the address is another, or the account is gone, is told by that.
CREATE FUNCTION proxy_login_was_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload, sent_by, channel)
    SELECT a.operator_id, left(coalesce(nullif(current_setting('paird.source', true), ''), 'web'), 40),
           'account.proxied', 'whatsapp_account', a.id,
           jsonb_build_object('label', left(a.label, 200),
                              'login', CASE TG_OP WHEN 'DELETE' THEN 'removed' ELSE 'set' END),
           session_user, 'row'
    FROM whatsapp_accounts a WHERE a.id = CASE TG_OP WHEN 'DELETE' THEN OLD.account_id ELSE NEW.account_id END;
    RETURN NULL;
END $$;
CREATE TRIGGER proxy_login_was_written AFTER INSERT OR DELETE OR UPDATE OF sealed ON proxy_logins
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION proxy_login_was_written();

-- What was asked for and done, and leads to no other line.
CREATE FUNCTION command_was_done() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload, sent_by, channel)
    SELECT a.operator_id, NEW.source,
           CASE NEW.kind WHEN 'account.resume' THEN 'account.resumed' WHEN 'account.cancel' THEN 'account.cancelled'
                         ELSE 'account.passkey_answered' END,
           'whatsapp_account', a.id, jsonb_build_object('label', left(a.label, 200)),
           NEW.sent_by, CASE WHEN NEW.heard_key IS NULL THEN 'command' ELSE 'notify' END
    FROM whatsapp_accounts a WHERE a.id = NEW.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER command_was_done AFTER UPDATE OF state ON commands
    FOR EACH ROW
    WHEN (NEW.state = 'done' AND OLD.state <> 'done'
          AND NEW.kind IN ('account.resume', 'account.cancel', 'account.passkey'))
    EXECUTE FUNCTION command_was_done();

-- A phone that was not let in.
CREATE FUNCTION phone_was_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload)
    SELECT a.operator_id, coalesce((SELECT c.source FROM commands c
                                    WHERE c.account_id = a.id AND c.kind = 'account.pair' AND c.started_at IS NOT NULL
                                    ORDER BY c.id DESC LIMIT 1), 'paird'),
           CASE NEW.kind WHEN 'session.duplicate' THEN 'account.duplicate_refused'
                         ELSE 'account.wrong_phone_refused' END,
           'whatsapp_account', a.id, NEW.payload || jsonb_build_object('label', left(a.label, 200))
    FROM whatsapp_accounts a WHERE a.id = NEW.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER phone_was_refused AFTER INSERT ON events
    FOR EACH ROW WHEN (NEW.kind IN ('session.duplicate', 'session.wrong_phone')) EXECUTE FUNCTION phone_was_refused();

-- Who writes a row need not be able to write the audit log.
DO $$
DECLARE
    written regprocedure;
BEGIN
    FOREACH written IN ARRAY ARRAY['account_was_written()', 'proxy_login_was_written()']::regprocedure[] LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', written, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', written);
    END LOOP;
END $$;

-- Of a bare NOTIFY the daemon that hears it knows the sender's login, if it looked him up.
CREATE FUNCTION store_heard_command(
    heard_key text, nth integer, heard_at timestamptz, counted interval,
    kind text, account_id uuid, args jsonb, dedupe_key text, failure text, sent_by text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    command_id bigint;
BEGIN
    command_id := store_heard_command(heard_key, nth, heard_at, counted, kind, account_id, args, dedupe_key, failure);
    IF store_heard_command.sent_by IS NOT NULL THEN
        UPDATE commands c SET sent_by = store_heard_command.sent_by WHERE c.id = command_id;
    END IF;
    RETURN command_id;
END $$;
