-- Delete old rows, batch by batch: see the functions of the same names.

--: PrunedBatch()

--! list_consumers
SELECT consumer, heard_at, silent FROM list_consumers();

--! prune_events : PrunedBatch
SELECT gone, last, more
FROM prune_events(make_interval(secs => :keep_secs), :silent::text[], :after::bigint, :batch::int, :dry_run::bool);

--! prune_commands : PrunedBatch
SELECT gone, last, more
FROM prune_commands(make_interval(secs => :keep_secs), :after::bigint, :batch::int, :dry_run::bool);

--! prune_accounts (after?) : (last?)
SELECT gone, last, more
FROM prune_accounts(make_interval(secs => :keep_secs), :silent::text[], :after::timestamptz, :batch::int,
                    :dry_run::bool);

--! prune_audit : PrunedBatch
SELECT gone, last, more
FROM prune_audit(make_interval(secs => :keep_secs), :after::bigint, :batch::int, :dry_run::bool);

--! prune_bodies : PrunedBatch
SELECT gone, last, more
FROM prune_bodies(make_interval(secs => :keep_secs), :silent::text[], :after::bigint, :batch::int, :dry_run::bool);

--! prune_messages : PrunedBatch
SELECT gone, last, more
FROM prune_messages(make_interval(secs => :keep_secs), :silent::text[], :after::bigint, :batch::int, :dry_run::bool);

--! prune_contact_checks
SELECT gone, more FROM prune_contact_checks(:batch::int, :dry_run::bool);

--! prune_pairing_links
SELECT gone, more FROM prune_pairing_links(:batch::int, :dry_run::bool);

--! erase_messages
SELECT gone, more FROM erase_messages(:batch::int, :dry_run::bool);

--! shred_orphaned_keyrings : (account_id?, label?, last?)
-- Deletes keys that no account or ticket refers to, which a late write left behind. Keys are in
-- use if the account's row names them at the moment of its lock; a ticket that is opened
-- meanwhile makes the deletion fail. There is always a row; `last` says how far this went, if
-- there was anything to look at.
WITH looked AS MATERIALIZED (
    SELECT k.id FROM keyrings k WHERE k.id > :after ORDER BY k.id LIMIT :batch
), orphaned AS (
    SELECT k.id, a.id AS account_id, a.label
    FROM keyrings k JOIN whatsapp_accounts a ON a.id = k.account_id
    WHERE k.id = ANY (ARRAY(SELECT looked.id FROM looked)) AND k.created_at < clock_timestamp() - interval '1 hour'
      AND k.id IS DISTINCT FROM a.keyring_id AND k.id IS DISTINCT FROM a.linking_keyring_id
      AND NOT EXISTS (SELECT FROM unlink_tickets t WHERE t.keyring_id = k.id)
    FOR UPDATE OF a SKIP LOCKED
), shredded AS (
    DELETE FROM keyrings k WHERE NOT :dry_run AND k.id = ANY (ARRAY(SELECT orphaned.id FROM orphaned))
)
SELECT orphaned.account_id, orphaned.label, rest.last, rest.more
FROM (SELECT (SELECT looked.id FROM looked ORDER BY looked.id DESC LIMIT 1) AS last,
             (SELECT count(*) FROM looked) = :batch AS more) AS rest
LEFT JOIN orphaned ON true;
