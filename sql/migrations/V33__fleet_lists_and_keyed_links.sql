-- Lists of all accounts, and pairing links that are asked for twice.

-- The newest rows of each kind, between two times, for lists of all accounts: from kind to kind along the
-- index, a page costs the page, however rare its kinds are. While they are built, these tables are not
-- written: some seconds for millions of rows.
CREATE INDEX events_by_kind ON events (kind, created_at, id);
CREATE INDEX audit_log_by_action ON audit_log (action, created_at, id);
CREATE INDEX commands_by_kind ON commands (kind, created_at, id);
-- Of one account, also those that have ended.
CREATE INDEX commands_of_account ON commands (account_id, id);

-- A pairing link whose token is not made here: by its id, so that whoever asks twice gets the same one. Of
-- `hashes` the first is that of the token of a new link; the link that is there already has one of them, or
-- the id was used for another link.
CREATE FUNCTION place_pairing_link(
    link uuid, hashes bytea[], account uuid, expires_in interval, uses integer, expect_phone text, source text
) RETURNS TABLE (token_hash bytea, expires_at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    ends_at timestamptz := clock_timestamp() + expires_in;
    said_by CONSTANT text := left(coalesce(source, 'web'), 40);
    number text := substring(recipient_jid(expect_phone) FROM '^([0-9]+)@s\.whatsapp\.net$');
    running bigint;
    present record;
    former record;
BEGIN
    IF NOT is_ones_own_account(account) THEN
        RAISE EXCEPTION 'there is no such account of this operator'
            USING ERRCODE = 'insufficient_privilege', HINT = 'SET paird.operator to the operator that the account is of.';
    END IF;
    -- Two that ask at once for one id take turns.
    PERFORM pg_advisory_xact_lock(hashtextextended('paird pairing link ' || link, 0));
    SELECT l.account_id, l.token_hash, l.expires_at INTO former FROM pairing_links l WHERE l.id = link;
    IF FOUND THEN
        IF former.account_id <> account OR former.token_hash <> ALL (hashes) THEN
            RAISE EXCEPTION 'another pairing link has this key already' USING ERRCODE = 'unique_violation';
        END IF;
        RETURN QUERY SELECT former.token_hash, former.expires_at;
        RETURN;
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
    INSERT INTO pairing_links AS l (id, account_id, token_hash, source, expires_at, uses_left, expect_phone, attempt)
    VALUES (link, account, hashes[1], said_by, ends_at, uses, number, running)
    RETURNING l.token_hash, l.expires_at INTO token_hash, expires_at;
    PERFORM note_pairing_link(account, 'account.pairing_link_made', said_by, 'row',
                              jsonb_build_object('link', link, 'expiresAt', event_time(expires_at), 'uses', uses));
    RETURN NEXT;
END $$;

-- `expires_in` null: it ends with the attempt that is running. The token is returned this once.
CREATE OR REPLACE FUNCTION create_pairing_link(
    account uuid, expires_in interval DEFAULT '1 day', uses integer DEFAULT 1, expect_phone text DEFAULT NULL,
    source text DEFAULT 'web'
) RETURNS TABLE (id uuid, token text, expires_at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    id := gen_random_uuid();
    -- Postgres makes each of them of 122 bits of its strong random source: 366, of which SHA-256 leaves 256.
    token := translate(
        encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'),
        '+/=', '-_');
    SELECT placed.expires_at INTO expires_at
    FROM place_pairing_link(id, ARRAY[sha256(token::bytea)], account, expires_in, uses, expect_phone, source) AS placed;
    RETURN NEXT;
END $$;

-- Replaced, it has lost what roles.sql gave it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_proc p WHERE p.oid = 'revoke_pairing_link(uuid, text)'::regprocedure AND p.prosecdef) THEN
        EXECUTE format('ALTER FUNCTION create_pairing_link(uuid, interval, integer, text, text)
                        SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    END IF;
END $$;
