-- One number may be spelt in two ways on WhatsApp, with and without a digit: 55 11 8765 4321
-- and 55 11 9 8765 4321 are one phone. Two live accounts of one operator must not have both.

-- The same for every spelling of a number; its lines are those of the table in
-- actors/src/domain/phone/spellings.rs.
CREATE FUNCTION phone_key(phone_number text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN phone_number ~ '^55[0-9]{2}9[6789][0-9]{7}$' THEN overlay(phone_number PLACING '' FROM 5 FOR 1)
        WHEN phone_number ~ '^521[23456789][0-9]{9}$' THEN overlay(phone_number PLACING '' FROM 3 FOR 1)
        WHEN phone_number ~ '^549[123][0-9]{9}$' THEN overlay(phone_number PLACING '' FROM 3 FOR 1)
        WHEN phone_number ~ '^22501[04567][0123][0-9]{6}$' THEN overlay(phone_number PLACING '' FROM 4 FOR 2)
        WHEN phone_number ~ '^22505[0456789][456][0-9]{6}$' THEN overlay(phone_number PLACING '' FROM 4 FOR 2)
        WHEN phone_number ~ '^22507[0456789][789][0-9]{6}$' THEN overlay(phone_number PLACING '' FROM 4 FOR 2)
        WHEN phone_number ~ '^22901[24569][0-9]{7}$' THEN overlay(phone_number PLACING '' FROM 4 FOR 2)
        ELSE phone_number
    END
$$;

-- What the unique index compares. A column, since accounts that have two spellings of one
-- number today stay linked, which an index on the function would not allow.
ALTER TABLE whatsapp_accounts ADD COLUMN phone_key text;

DO $$
DECLARE
    twin record;
BEGIN
    UPDATE whatsapp_accounts SET phone_key = phone_key(phone_number) WHERE phone_number IS NOT NULL;
    -- The oldest has the number; the others keep their links, and give them up when they are unpaired.
    FOR twin IN
        SELECT id, label, first_label FROM (
            SELECT a.id, a.label, row_number() OVER same AS nth, first_value(a.label) OVER same AS first_label
            FROM whatsapp_accounts a WHERE a.phone_number IS NOT NULL AND a.deleted_at IS NULL
            WINDOW same AS (PARTITION BY a.operator_id, a.phone_key ORDER BY a.created_at, a.id)
        ) AS numbered WHERE nth > 1
    LOOP
        UPDATE whatsapp_accounts SET phone_key = phone_key || '/' || id WHERE id = twin.id;
        RAISE WARNING 'account % is linked to the same phone as account %; unpair one of them',
            quote_literal(left(twin.label, 100)), quote_literal(left(twin.first_label, 100));
    END LOOP;
END $$;

DROP INDEX whatsapp_accounts_one_number;
CREATE UNIQUE INDEX whatsapp_accounts_one_number
    ON whatsapp_accounts (operator_id, phone_key)
    WHERE deleted_at IS NULL AND phone_key IS NOT NULL;

-- Whoever writes the number writes its key, daemons of the version before included.
CREATE FUNCTION phone_was_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.phone_key := phone_key(NEW.phone_number);
    RETURN NEW;
END $$;
CREATE TRIGGER phone_was_given BEFORE INSERT ON whatsapp_accounts
    FOR EACH ROW WHEN (NEW.phone_number IS NOT NULL) EXECUTE FUNCTION phone_was_changed();
CREATE TRIGGER phone_was_changed BEFORE UPDATE OF phone_number ON whatsapp_accounts
    FOR EACH ROW WHEN (NEW.phone_number IS DISTINCT FROM OLD.phone_number) EXECUTE FUNCTION phone_was_changed();
