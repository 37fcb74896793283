-- Statements of a lease that name the same accounts, and bells that are only bells.

-- The accounts of a daemon for which something may be under way, and no other: a lease must be
-- taken and renewed in a moment, however many accounts were ever the daemon's.
CREATE FUNCTION list_stirring_accounts(process uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT a.id FROM whatsapp_accounts a
    WHERE account_is_active(a.status, a.linking_keyring_id, a.desired) AND a.owner = process
    UNION SELECT t.account_id FROM unlink_tickets t
    UNION SELECT c.account_id FROM commands c WHERE c.state IN ('queued', 'running') AND c.taken_by = process
$$;

-- For batches of what a daemon owns.
CREATE INDEX whatsapp_accounts_owned ON whatsapp_accounts (owner, id);
DROP INDEX whatsapp_accounts_by_owner;

-- NOTIFY only wakes: whoever hears nothing looks every 15 s. So no command and no change of the
-- fleet may fail because Postgres refuses to notify: a channel without a name or with one of 64
-- bytes, a payload of 8,000, or, at the end of the transaction, where nothing can catch it, any
-- notification while the queue is full, because some session listens and does not read.
CREATE FUNCTION ring(channel text, payload text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF octet_length(channel) NOT BETWEEN 1 AND 63 OR octet_length(payload) >= 8000
       OR pg_notification_queue_usage() > 0.9 THEN
        RETURN false;
    END IF;
    PERFORM pg_notify(channel, payload);
    RETURN true;
END $$;

-- As before; a kind that nobody knows, and that is too long itself, is cut as well: a message that
-- Postgres does not take would keep all that follow it.
CREATE OR REPLACE FUNCTION event_message(event events) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN octet_length((event.payload || head)::text) < 8000 THEN (event.payload || head)::text
        WHEN octet_length((small || cut)::text) < 8000 THEN (small || cut)::text
        WHEN octet_length(cut::text) < 8000 THEN cut::text
        ELSE (cut || jsonb_build_object('type', left(event.kind, 200)))::text
    END
    FROM (SELECT jsonb_build_object('type', event.kind, 'accountId', event.account_id,
                                    'id', event.id, 'seq', event.seq) AS head) AS h,
         LATERAL (SELECT head || '{"truncated": true}' AS cut) AS c,
         LATERAL (SELECT coalesce(jsonb_object_agg(field.key, field.value), '{}') AS small
                  FROM jsonb_each(event.payload) AS field
                  WHERE octet_length(field.value::text) <= 1000) AS s
$$;
