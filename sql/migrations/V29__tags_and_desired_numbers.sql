-- Tags of accounts, and the number that an account is meant for.

-- In lower case, in every script: with the locale C, which the embedded server has, lower() knows
-- ASCII alone.
DO $$
BEGIN
    EXECUTE format('CREATE FUNCTION folded(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
        CASE WHEN getdatabaseencoding() = 'UTF8'
                  AND EXISTS (SELECT FROM pg_collation c
                              WHERE c.collname = 'und-x-icu' AND c.collnamespace = 'pg_catalog'::regnamespace)
             THEN 'SELECT pg_catalog.lower(said COLLATE pg_catalog."und-x-icu")'
             ELSE 'SELECT pg_catalog.lower(said)' END);
END $$;

ALTER TABLE whatsapp_accounts
    -- For its operator to set, in the order in which they are shown.
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
    -- The only number that account.pair may link, unless its arguments name one.
    ADD COLUMN desired_phone text;

-- The tags of an account, changed: removed first. One that is there already, in whatever case, stays
-- as it is.
CREATE FUNCTION changed_tags(present text[], added text[], removed text[]) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    WITH kept AS (
        SELECT p.tag, p.nth FROM unnest(present) WITH ORDINALITY AS p (tag, nth)
        WHERE NOT EXISTS (SELECT FROM unnest(removed) AS r (tag) WHERE folded(r.tag) = folded(p.tag))
    ), new AS (
        SELECT DISTINCT ON (folded(a.tag)) a.tag, a.nth FROM unnest(added) WITH ORDINALITY AS a (tag, nth)
        WHERE NOT EXISTS (SELECT FROM kept WHERE folded(kept.tag) = folded(a.tag))
        ORDER BY folded(a.tag), a.nth
    )
    SELECT ARRAY(SELECT kept.tag FROM kept ORDER BY kept.nth) || ARRAY(SELECT new.tag FROM new ORDER BY new.nth)
$$;

-- Functions that are as before but for a few lines, with the rights that they have.
DO $$
DECLARE
    change record;
    former text;
    changed text;
BEGIN
    FOR change IN
        SELECT * FROM (VALUES
            ('account_is_within_limits()',
             'THEN ''new_chats_per_day_is_0_to_1000000''',
             format('THEN ''new_chats_per_day_is_0_to_1000000''
        WHEN cardinality(NEW.tags) > 20 THEN ''tags_are_at_most_20''
        WHEN array_ndims(NEW.tags) > 1 OR EXISTS (
                 SELECT FROM unnest(NEW.tags) AS given (tag)
                 WHERE (given.tag ~ ''^[^\u0001-\u001f\u007f-\u009f,]{1,40}$'') IS NOT TRUE
                    OR given.tag ~ ''^[[:space:]\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]''
                    OR given.tag ~ ''[[:space:]\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$'')
             THEN ''tags_have_1_to_40_printable_characters_and_no_comma''
        WHEN (SELECT count(DISTINCT %1$I.folded(given.tag)) FROM unnest(NEW.tags) AS given (tag)) < cardinality(NEW.tags)
             THEN ''tags_differ_in_more_than_case''
        WHEN NEW.desired_phone !~ ''^[1-9][0-9]{6,14}$'' THEN ''desired_phone_is_7_to_15_digits''', current_schema())),
            ('account_was_written()',
             '''newChatsPerDay'', NEW.new_chats_per_day))',
             '''newChatsPerDay'', NEW.new_chats_per_day)),
        (7, ''account.tagged'', NEW.tags IS DISTINCT FROM coalesce(OLD.tags, ''{}''),
            jsonb_build_object(''tags'', NEW.tags)),
        (8, ''account.number_desired'', NEW.desired_phone IS DISTINCT FROM OLD.desired_phone,
            jsonb_build_object(''desiredPhone'', NEW.desired_phone))')
        ) AS changes (function, before, now)
    LOOP
        former := pg_get_functiondef(change.function::regprocedure);
        changed := replace(former, change.before, change.now);
        IF changed = former THEN
            RAISE EXCEPTION 'the function % is not the one that this migration changes', change.function;
        END IF;
        EXECUTE changed;
    END LOOP;
END $$;

DROP TRIGGER account_is_within_limits ON whatsapp_accounts;
CREATE TRIGGER account_is_within_limits
    BEFORE INSERT OR UPDATE OF label, proxy, presence, send_rate, send_burst, new_chats_per_day, tags, desired_phone
    ON whatsapp_accounts
    FOR EACH ROW EXECUTE FUNCTION account_is_within_limits();
DROP TRIGGER account_was_written ON whatsapp_accounts;
CREATE TRIGGER account_was_written
    AFTER UPDATE OF label, proxy, device_name, presence, send_rate, send_burst, new_chats_per_day, tags, desired_phone
    ON whatsapp_accounts
    FOR EACH ROW
    WHEN ((NEW.label, NEW.proxy, NEW.device_name, NEW.presence, NEW.send_rate, NEW.send_burst, NEW.new_chats_per_day,
           NEW.tags, NEW.desired_phone)
          IS DISTINCT FROM
          (OLD.label, OLD.proxy, OLD.device_name, OLD.presence, OLD.send_rate, OLD.send_burst, OLD.new_chats_per_day,
           OLD.tags, OLD.desired_phone))
    EXECUTE FUNCTION account_was_written();

-- A deleted account's row stays for a while, for its history; what its operator thought of it does not.
CREATE FUNCTION forget_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.tags := '{}';
    NEW.desired_phone := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER forget_tags BEFORE UPDATE OF deleted_at ON whatsapp_accounts
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_tags();
