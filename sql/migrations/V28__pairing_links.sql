-- Pairing links: whoever has one can pair one account, and nothing else, on a page that needs no
-- login (src/console/pairing_page). What it is opened with is shown once and never stored.

CREATE TABLE pairing_links (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id   uuid NOT NULL REFERENCES whatsapp_accounts (id) ON DELETE CASCADE,
    token_hash   bytea NOT NULL UNIQUE CONSTRAINT token_hash_is_a_sha256 CHECK (octet_length(token_hash) = 32),
    source       text NOT NULL CHECK (char_length(source) <= 40),
    sent_by      text NOT NULL DEFAULT session_user,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL,
    -- How often a phone may still be linked to the account until the link is used up.
    uses_left    integer NOT NULL CHECK (uses_left >= 0),
    -- The only number that may be linked through it.
    expect_phone text CONSTRAINT expected_phone_is_digits CHECK (expect_phone ~ '^[1-9][0-9]{6,14}$'),
    -- The last account.pair that was sent through it, or whose attempt it was made for.
    attempt      bigint,
    first_opened_at timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX pairing_links_of_account ON pairing_links (account_id, created_at);
CREATE INDEX pairing_links_by_expiry ON pairing_links (expires_at);

CREATE FUNCTION pairing_link_state(revoked_at timestamptz, uses_left integer, expires_at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN uses_left = 0 THEN 'used'
                WHEN expires_at <= clock_timestamp() THEN 'expired' ELSE 'live' END
$$;

CREATE FUNCTION note_pairing_link(account uuid, what text, source text, channel text, payload jsonb) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload, sent_by, channel)
    SELECT a.operator_id, left(note_pairing_link.source, 40), what, 'whatsapp_account', a.id,
           jsonb_build_object('label', left(a.label, 200)) || note_pairing_link.payload, session_user,
           note_pairing_link.channel
    FROM whatsapp_accounts a WHERE a.id = account
$$;

-- `expires_in` null: it ends with the attempt that is running. The token is returned this once.
CREATE FUNCTION create_pairing_link(
    account uuid, expires_in interval DEFAULT '1 day', uses integer DEFAULT 1, expect_phone text DEFAULT NULL,
    source text DEFAULT 'web'
) RETURNS TABLE (id uuid, token text, expires_at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    ends_at timestamptz := clock_timestamp() + expires_in;
    said_by CONSTANT text := left(coalesce(source, 'web'), 40);
    number text := substring(recipient_jid(expect_phone) FROM '^([0-9]+)@s\.whatsapp\.net$');
    running bigint;
    present record;
BEGIN
    IF NOT is_ones_own_account(account) THEN
        RAISE EXCEPTION 'there is no such account of this operator'
            USING ERRCODE = 'insufficient_privilege', HINT = 'SET paird.operator to the operator that the account is of.';
    END IF;
    IF coalesce(uses, 0) NOT BETWEEN 1 AND 100 THEN
        PERFORM refuse_content('uses', 'must be 1 to 100');
    END IF;
    IF expires_in NOT BETWEEN interval '1 minute' AND interval '90 days' THEN
        PERFORM refuse_content('expires_in', 'must be 1 minute to 90 days');
    END IF;
    IF expect_phone IS NOT NULL AND (number IS NULL OR expect_phone LIKE '%@%') THEN
        PERFORM refuse_content('expect_phone', 'must be a phone number with its country code');
    END IF;
    SELECT a.status, a.pair_deadline, a.expect_phone AS expected INTO present FROM whatsapp_accounts a
    WHERE a.id = account AND a.deleted_at IS NULL;
    IF NOT FOUND THEN
        PERFORM refuse_content('account', 'there is no such account');
    END IF;
    IF expires_in IS NULL THEN
        IF present.status <> 'pending' OR coalesce(present.pair_deadline <= clock_timestamp(), true) THEN
            PERFORM refuse_content('expires_in', 'no attempt is running that the link could end with');
        END IF;
        ends_at := present.pair_deadline;
        number := coalesce(number, present.expected);
        SELECT max(c.id) INTO running FROM commands c
        WHERE c.account_id = account AND c.kind = 'account.pair' AND c.started_at IS NOT NULL;
    END IF;
    IF (SELECT count(*) FROM pairing_links l
        WHERE l.account_id = account AND pairing_link_state(l.revoked_at, l.uses_left, l.expires_at) = 'live') >= 20 THEN
        RAISE EXCEPTION 'the account has 20 live links already: revoke some'
            USING ERRCODE = 'configuration_limit_exceeded';
    END IF;
    -- Postgres makes each of them of 122 bits of its strong random source: 366, of which SHA-256 leaves 256.
    token := translate(
        encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'),
        '+/=', '-_');
    INSERT INTO pairing_links AS l (account_id, token_hash, source, expires_at, uses_left, expect_phone, attempt)
    VALUES (account, sha256(token::bytea), said_by, ends_at, uses, number, running)
    RETURNING l.id, l.expires_at INTO id, expires_at;
    PERFORM note_pairing_link(account, 'account.pairing_link_made', said_by, 'row',
                              jsonb_build_object('link', id, 'expiresAt', event_time(expires_at), 'uses', uses));
    RETURN NEXT;
END $$;

-- Whether the link was live. The attempt that was begun through it ends, for its code may have been seen.
CREATE FUNCTION revoke_pairing_link(link uuid, source text DEFAULT 'web') RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    said_by CONSTANT text := left(coalesce(source, 'web'), 40);
    revoked record;
BEGIN
    UPDATE pairing_links l SET revoked_at = clock_timestamp()
    FROM whatsapp_accounts a
    WHERE l.id = link AND a.id = l.account_id AND is_ones_own_account(l.account_id)
      AND pairing_link_state(l.revoked_at, l.uses_left, l.expires_at) = 'live'
    RETURNING l.account_id, l.attempt, a.status INTO revoked;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM note_pairing_link(revoked.account_id, 'account.pairing_link_revoked', said_by, 'row',
                              jsonb_build_object('link', link));
    IF revoked.attempt = (SELECT max(c.id) FROM commands c
                          WHERE c.account_id = revoked.account_id AND c.kind = 'account.pair')
       AND (revoked.status = 'pending'
            OR EXISTS (SELECT FROM commands c WHERE c.id = revoked.attempt AND c.state IN ('queued', 'running'))) THEN
        PERFORM send_command('account.cancel', revoked.account_id, '{}', NULL, said_by);
    END IF;
    RETURN true;
END $$;

-- What the page of a link shows, if it shows anything: after its last use, for ten minutes, that the
-- phone is linked, and nothing of later attempts.
CREATE FUNCTION view_pairing_link(hash bytea) RETURNS TABLE (
    is_live boolean, label text, status text, status_reason text, qr_png text, qr_at timestamptz,
    qr_expires_at timestamptz, pair_code text, pair_deadline timestamptz, expect_phone text, expires_at timestamptz,
    is_asked boolean
) LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    UPDATE pairing_links l SET first_opened_at = clock_timestamp()
    WHERE l.token_hash = hash AND l.first_opened_at IS NULL
      AND pairing_link_state(l.revoked_at, l.uses_left, l.expires_at) = 'live'
    RETURNING l.id, l.account_id INTO opened;
    IF FOUND THEN
        PERFORM note_pairing_link(opened.account_id, 'account.pairing_link_opened', 'pairing_link', 'http',
                                  jsonb_build_object('link', opened.id));
    END IF;
    RETURN QUERY
    SELECT l.is_live, a.label, a.status, a.status_reason,
           CASE WHEN l.is_live AND a.qr_expires_at > clock_timestamp() THEN a.last_qr_png END,
           a.last_qr_at, a.qr_expires_at,
           CASE WHEN l.is_live AND a.status = 'pending' THEN a.pair_code END,
           a.pair_deadline, coalesce(l.expect_phone, a.expect_phone), l.expires_at,
           EXISTS (SELECT FROM commands c WHERE c.id = l.attempt AND c.state IN ('queued', 'running'))
    FROM (SELECT p.*, pairing_link_state(p.revoked_at, p.uses_left, p.expires_at) = 'live' AS is_live
          FROM pairing_links p WHERE p.token_hash = hash) AS l
    JOIN whatsapp_accounts a ON a.id = l.account_id AND a.deleted_at IS NULL
    WHERE l.is_live OR (l.revoked_at IS NULL AND l.last_used_at > clock_timestamp() - interval '10 minutes');
END $$;

-- Sends account.pair for whoever has the link: `asked`, or why not. `phone` is given for a code.
CREATE FUNCTION pair_by_link(hash bytea, phone text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    through record;
BEGIN
    SELECT l.id, l.account_id, l.expect_phone, l.attempt, a.status INTO through
    FROM pairing_links l JOIN whatsapp_accounts a ON a.id = l.account_id AND a.deleted_at IS NULL
    WHERE l.token_hash = hash AND pairing_link_state(l.revoked_at, l.uses_left, l.expires_at) = 'live'
    FOR UPDATE OF l;
    IF NOT FOUND THEN
        RETURN 'gone';
    END IF;
    -- It replaces no link that there is: that is the operator's to do.
    IF through.status NOT IN ('unpaired', 'pending') THEN
        RETURN 'linked';
    END IF;
    IF phone IS NOT NULL AND phone_key(phone) <> phone_key(through.expect_phone) THEN
        RETURN 'other_phone';
    END IF;
    -- What is asked for once more before it has begun.
    IF EXISTS (SELECT FROM commands c WHERE c.id = through.attempt AND c.state IN ('queued', 'running')) THEN
        RETURN 'asked';
    END IF;
    -- An attempt must not begin when nobody waits for it any more.
    IF NOT EXISTS (SELECT FROM processes p WHERE p.expires_at > clock_timestamp() AND NOT p.draining) THEN
        RETURN 'no_daemon';
    END IF;
    UPDATE pairing_links l SET attempt = send_command(
        'account.pair', through.account_id,
        jsonb_strip_nulls(jsonb_build_object('method', CASE WHEN phone IS NULL THEN 'qr' ELSE 'code' END,
                                             'phone', phone, 'expectPhone', through.expect_phone)),
        NULL, 'pairing_link')
    WHERE l.id = through.id;
    RETURN 'asked';
END $$;

-- A phone was linked to the account, on whatever way: that is what its live links were for.
CREATE FUNCTION pairing_link_was_used() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    used record;
BEGIN
    FOR used IN
        UPDATE pairing_links l SET uses_left = l.uses_left - 1, last_used_at = clock_timestamp()
        WHERE l.account_id = NEW.target_id AND pairing_link_state(l.revoked_at, l.uses_left, l.expires_at) = 'live'
        RETURNING l.id, l.uses_left
    LOOP
        PERFORM note_pairing_link(NEW.target_id, 'account.pairing_link_used', NEW.source, 'row',
                                  jsonb_build_object('link', used.id, 'usesLeft', used.uses_left));
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER pairing_link_was_used AFTER INSERT ON audit_log
    FOR EACH ROW WHEN (NEW.action = 'account.paired') EXECUTE FUNCTION pairing_link_was_used();

-- Prunes links that could not be opened for a week.
CREATE FUNCTION prune_pairing_links(batch integer, dry_run boolean) RETURNS TABLE (gone bigint, more boolean)
LANGUAGE plpgsql AS $$
DECLARE
    before CONSTANT timestamptz := clock_timestamp() - interval '7 days';
BEGIN
    LOCK TABLE unlink_tickets IN SHARE UPDATE EXCLUSIVE MODE;
    IF dry_run THEN
        RETURN QUERY SELECT count(*), false FROM pairing_links l WHERE l.expires_at < before;
        RETURN;
    END IF;
    DELETE FROM pairing_links l WHERE l.id IN (
        SELECT o.id FROM pairing_links o WHERE o.expires_at < before
        ORDER BY o.expires_at LIMIT batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS gone = ROW_COUNT;
    more := gone >= batch;
    RETURN NEXT;
END $$;

-- As before, and its links. Who writes the audit log or an account's row need not write links.
DO $$
DECLARE
    former CONSTANT text := pg_get_functiondef('account_was_deleted()'::regprocedure);
    changed CONSTANT text := replace(former, 'DELETE FROM contacts c WHERE c.account_id = NEW.id;',
        E'DELETE FROM contacts c WHERE c.account_id = NEW.id;\n    DELETE FROM pairing_links l WHERE l.account_id = NEW.id;');
BEGIN
    IF changed = former THEN
        RAISE EXCEPTION 'the function account_was_deleted is not the one that this migration changes';
    END IF;
    EXECUTE changed;
    EXECUTE format('ALTER FUNCTION pairing_link_was_used() SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    REVOKE EXECUTE ON FUNCTION pairing_link_was_used() FROM PUBLIC;
END $$;
