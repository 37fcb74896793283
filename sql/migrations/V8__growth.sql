-- What runs, and what is kept: the cost of every periodic statement follows the accounts
-- that are alive, and what is old enough goes.

-- Whether the account itself must run; its open tickets aside. In an index and inlined
-- into the queries that use it, so it must depend on its arguments alone.
CREATE FUNCTION account_is_active(status text, linking_keyring_id uuid, desired text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT status IN ('pending', 'deleting') OR linking_keyring_id IS NOT NULL
        OR (desired = 'paired' AND status <> 'unpaired')
$$;
CREATE INDEX whatsapp_accounts_active ON whatsapp_accounts (id)
    WHERE account_is_active(status, linking_keyring_id, desired);
CREATE INDEX whatsapp_accounts_deleted ON whatsapp_accounts (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE OR REPLACE FUNCTION needs_daemon(account whatsapp_accounts) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT account_is_active(account.status, account.linking_keyring_id, account.desired)
        OR EXISTS (SELECT FROM unlink_tickets t WHERE t.account_id = account.id)
$$;

-- A consumer is silent by its last update, which not every consumer writes itself. Who is
-- registered already counts as heard of now.
CREATE FUNCTION consumer_was_heard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;
UPDATE event_consumers SET updated_at = clock_timestamp();
CREATE TRIGGER consumer_was_heard BEFORE UPDATE ON event_consumers
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION consumer_was_heard();

-- Every consumer of events, and whether it was silent for so long that nothing is kept for it.
CREATE FUNCTION list_consumers() RETURNS TABLE (consumer text, heard_at timestamptz, silent boolean)
LANGUAGE sql STABLE AS $$
    SELECT c.consumer, max(c.updated_at), max(c.updated_at) < clock_timestamp() - interval '90 days'
    FROM event_consumers c GROUP BY c.consumer ORDER BY c.consumer
$$;

-- The consumers without those of `silent`, from one to the next along the primary key:
-- asked for each batch, since a new consumer holds events back at once.
CREATE FUNCTION list_readers(silent text[]) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE known (consumer) AS (
        (SELECT c.consumer FROM event_consumers c ORDER BY c.consumer LIMIT 1)
        UNION ALL
        SELECT (SELECT c.consumer FROM event_consumers c WHERE c.consumer > known.consumer ORDER BY c.consumer LIMIT 1)
        FROM known WHERE known.consumer IS NOT NULL
    )
    SELECT known.consumer FROM known WHERE known.consumer IS NOT NULL AND known.consumer <> ALL (silent)
$$;

-- A consumer without a row for the account has read nothing of it.
CREATE FUNCTION event_may_go(event events, before timestamptz, readers text[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT event.notified AND event.created_at < before AND NOT EXISTS (
        SELECT FROM unnest(readers) AS reader (consumer)
        WHERE NOT EXISTS (SELECT FROM event_consumers r
                          WHERE r.consumer = reader.consumer AND r.account_id = event.account_id
                            AND r.seq >= event.seq))
$$;

-- Each of these looks at one batch behind `after` in an order that grows with age, deletes
-- what may go of it (or only counts it), and says how far it looked; `more` is false when
-- nothing beyond can be old enough. One at a time in the whole database. Nothing that is
-- younger than a day goes, whoever asks.
CREATE FUNCTION prune_events(keep interval, silent text[], after bigint, batch integer, dry_run boolean)
RETURNS TABLE (gone bigint, last bigint, more boolean) LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz := clock_timestamp() - greatest(keep, interval '1 day');
    readers text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('paird.prune', 0));
    readers := ARRAY(SELECT list_readers(silent));
    RETURN QUERY
    WITH looked AS MATERIALIZED (
        SELECT e.id, e.created_at, event_may_go(e, before, readers) AS may_go
        FROM events e WHERE e.id > after ORDER BY e.id LIMIT batch
    ), pruned AS (
        DELETE FROM events e WHERE NOT dry_run AND e.id = ANY (ARRAY(SELECT l.id FROM looked l WHERE l.may_go))
    )
    SELECT count(*) FILTER (WHERE l.may_go), coalesce(max(l.id), after),
           count(*) = batch AND min(l.created_at) < before
    FROM looked l;
END $$;

CREATE FUNCTION prune_commands(keep interval, after bigint, batch integer, dry_run boolean)
RETURNS TABLE (gone bigint, last bigint, more boolean) LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz := clock_timestamp() - greatest(keep, interval '1 day');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('paird.prune', 0));
    RETURN QUERY
    WITH looked AS MATERIALIZED (
        SELECT c.id, c.created_at, c.state IN ('done', 'failed') AND c.done_at < before AS may_go
        FROM commands c WHERE c.id > after ORDER BY c.id LIMIT batch
    ), pruned AS (
        DELETE FROM commands c WHERE NOT dry_run AND c.id = ANY (ARRAY(SELECT l.id FROM looked l WHERE l.may_go))
    )
    SELECT count(*) FILTER (WHERE l.may_go), coalesce(max(l.id), after),
           count(*) = batch AND min(l.created_at) < before
    FROM looked l;
END $$;

-- Deleted accounts that are settled and of which nothing is left to do, with groups, the
-- proxy's login and what consumers noted. Their events must be ones that may go: what a
-- consumer has not read keeps its account, and whatever may go goes with it.
CREATE FUNCTION prune_accounts(keep interval, silent text[], after timestamptz, batch integer, dry_run boolean)
RETURNS TABLE (gone bigint, last timestamptz, more boolean) LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz := clock_timestamp() - greatest(keep, interval '1 day');
    readers text[];
    ids uuid[];
    found_last timestamptz;
    found_all boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('paird.prune', 0));
    readers := ARRAY(SELECT list_readers(silent));
    WITH looked AS (
        SELECT a.id, a.deleted_at FROM whatsapp_accounts a
        WHERE a.deleted_at > coalesce(after, '-infinity') AND a.deleted_at < before
        ORDER BY a.deleted_at FETCH FIRST (batch) ROWS WITH TIES
    )
    SELECT array_agg(l.id), max(l.deleted_at), count(*) >= batch INTO ids, found_last, found_all FROM looked l;
    -- Locked first, so that the next statement sees what whoever held the row has written.
    ids := ARRAY(SELECT a.id FROM whatsapp_accounts a WHERE a.id = ANY (ids) FOR UPDATE SKIP LOCKED);
    ids := ARRAY(
        SELECT a.id FROM whatsapp_accounts a
        WHERE a.id = ANY (ids) AND a.deleted_at < before AND a.status = 'unpaired'
          AND a.keyring_id IS NULL AND a.linking_keyring_id IS NULL
          AND NOT EXISTS (SELECT FROM keyrings k WHERE k.account_id = a.id)
          AND NOT EXISTS (SELECT FROM unlink_tickets t WHERE t.account_id = a.id)
          AND NOT EXISTS (SELECT FROM commands c WHERE c.account_id = a.id AND c.state IN ('queued', 'running'))
          AND NOT EXISTS (SELECT FROM events e
                          WHERE e.account_id = a.id AND NOT event_may_go(e, before, readers)));
    IF NOT dry_run THEN
        DELETE FROM events e WHERE e.account_id = ANY (ids);
        DELETE FROM event_consumers r
        WHERE r.consumer = ANY (ARRAY(SELECT list_readers('{}'))) AND r.account_id = ANY (ids);
        DELETE FROM whatsapp_accounts a WHERE a.id = ANY (ids);
    END IF;
    RETURN QUERY SELECT cardinality(ids)::bigint, found_last, coalesce(found_all, false);
END $$;

-- The only way in which lines of the audit log go.
CREATE FUNCTION prune_audit(keep interval, after bigint, batch integer, dry_run boolean)
RETURNS TABLE (gone bigint, last bigint, more boolean) LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz := clock_timestamp() - greatest(keep, interval '1 day');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('paird.prune', 0));
    -- Not as a setting of the function, which Postgres 15 lets only a superuser give it.
    PERFORM set_config('paird.pruning_audit', 'on', true);
    RETURN QUERY
    WITH looked AS MATERIALIZED (
        SELECT l.id, l.created_at, l.created_at < before AS may_go
        FROM audit_log l WHERE l.id > after ORDER BY l.id LIMIT batch
    ), pruned AS (
        DELETE FROM audit_log a WHERE NOT dry_run AND a.id = ANY (ARRAY(SELECT l.id FROM looked l WHERE l.may_go))
    )
    SELECT count(*) FILTER (WHERE l.may_go), coalesce(max(l.id), after),
           count(*) = batch AND min(l.created_at) < before
    FROM looked l;
    PERFORM set_config('paird.pruning_audit', 'off', true);
END $$;

-- The marker holds inside prune_audit alone; who can delete at all could set it, and still
-- not take a line of the last day away.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('paird.pruning_audit', true) = 'on'
        AND OLD.created_at < clock_timestamp() - interval '1 day'
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit_log is append-only';
END $$;

-- After a dump was restored, events name transactions of another cluster, which would
-- become old enough to be told one by one as this one counts on. What was there then goes
-- before every place that a follower of this cluster can be at, in the order of ids: an
-- account's grow with its seq, and new ones are larger than all that were restored.
CREATE FUNCTION settle_restored_events() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    newest bigint;
    moved bigint;
BEGIN
    -- Not a bare max(id), which would be looked for from the end of the ids.
    newest := (SELECT max(e.id + 0) FROM events e WHERE e.xact >= pg_snapshot_xmax(pg_current_snapshot()));
    IF newest IS NULL THEN
        RETURN 0;
    END IF;
    UPDATE events e SET xact = '0' WHERE e.id <= newest AND e.xact <> '0';
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END $$;
