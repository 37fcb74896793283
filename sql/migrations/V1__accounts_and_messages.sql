-- Times are timestamptz; everything unqualified, so the connection's search_path
-- is the schema. Names here are the contract's.

-- Leases. One row per running daemon; alive while expires_at is ahead of the
-- database's clock. The daemon renews it with one statement per heartbeat.
CREATE TABLE processes (
    id          uuid PRIMARY KEY,
    host        text NOT NULL,
    pid         integer NOT NULL,
    version     text NOT NULL,
    -- Boot and process namespace that pid belongs to, and its start in clock ticks: a
    -- daemon that starts in the same one sees that a former process is gone, and need
    -- not wait for the end of its lease.
    pid_space   text NOT NULL,
    pid_birth   bigint NOT NULL,
    -- Where this daemon hears commands; send_command rings there.
    command_channel text NOT NULL DEFAULT 'paird_command',
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    renewed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL,
    draining    boolean NOT NULL DEFAULT false
);

CREATE TABLE whatsapp_accounts (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    operator_id       uuid NOT NULL,
    label             text NOT NULL,
    phone_number      text CHECK (phone_number ~ '^[0-9]+$'),
    last_phone_number text,
    device_jid        text,
    status            text NOT NULL DEFAULT 'unpaired'
        CHECK (status IN ('unpaired', 'pending', 'connected', 'reconnecting', 'held', 'deleting')),
    status_reason     text NOT NULL DEFAULT 'new',
    status_since      timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_retry_at     timestamptz,
    desired           text NOT NULL DEFAULT 'unpaired'
        CHECK (desired IN ('unpaired', 'paired', 'deleted')),
    last_qr_png       text,
    last_qr_at        timestamptz,
    qr_expires_at     timestamptz,
    pair_code         text,
    pair_deadline     timestamptz,
    pair_method       text NOT NULL DEFAULT 'qr' CHECK (pair_method IN ('qr', 'code')),
    pair_phone        text,
    expect_phone      text,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at        timestamptz,
    -- The keys of the link that this account holds or has parked.
    keyring_id        uuid,
    -- The keys of a link that is being made: durable before the phone hears of
    -- it, and moved to keyring_id by the first login.
    linking_keyring_id uuid,
    -- When the groups were last fetched over the present link.
    groups_synced_at  timestamptz,
    -- Ownership: the daemon that runs this account, and a counter that grows with
    -- every change of owner. A write that names an older fence writes nothing.
    owner             uuid,
    fence             bigint NOT NULL DEFAULT 0,
    -- The last seq given to an event of this account.
    event_seq         bigint NOT NULL DEFAULT 0,
    -- The last change written, so that one that is written again, because the answer
    -- to the first try was lost, is known.
    last_change       uuid
);

-- One number, one live account of an operator: this index decides a race of two
-- newcomers. It holds only numbers that are linked or being linked.
CREATE UNIQUE INDEX whatsapp_accounts_one_number
    ON whatsapp_accounts (operator_id, phone_number)
    WHERE deleted_at IS NULL AND phone_number IS NOT NULL;
CREATE INDEX whatsapp_accounts_listing ON whatsapp_accounts (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX whatsapp_accounts_by_owner ON whatsapp_accounts (owner);

CREATE TABLE whatsapp_groups (
    account_id   uuid NOT NULL REFERENCES whatsapp_accounts (id) ON DELETE CASCADE,
    jid          text NOT NULL,
    subject      text NOT NULL,
    participants integer NOT NULL,
    is_admin     boolean NOT NULL,
    synced_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, jid)
);

CREATE TABLE audit_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator_id uuid,
    source      text NOT NULL,
    action      text NOT NULL,
    target_type text NOT NULL,
    target_id   uuid,
    payload     jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX audit_log_by_target ON audit_log (target_id, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only';
END $$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The durable inbox. account_id has no foreign key: a command for an account
-- that does not exist is kept, and fails with that reason.
CREATE TABLE commands (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid,
    kind       text NOT NULL,
    args       jsonb NOT NULL DEFAULT '{}',
    dedupe_key text UNIQUE,
    source     text NOT NULL DEFAULT 'web',
    state      text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    result     text,
    -- Identifies a raw NOTIFY that several daemons heard; see store_notified_command.
    heard_key  text,
    -- Which asking for commands took it, so that one whose answer was lost can be repeated.
    taken      uuid,
    -- Who runs it, or ran it last: another daemon's is not running any more.
    taken_by   uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    done_at    timestamptz
);
CREATE INDEX commands_open ON commands (account_id, id) WHERE state IN ('queued', 'running');
CREATE INDEX commands_heard ON commands (heard_key, created_at) WHERE heard_key IS NOT NULL;

-- The durable outbox. seq is gapless per account: the owner's transaction takes
-- it from whatsapp_accounts.event_seq, whose row lock orders the writers.
CREATE TABLE events (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL,
    seq        bigint NOT NULL,
    kind       text NOT NULL,
    payload    jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    notified   boolean NOT NULL DEFAULT false,
    UNIQUE (account_id, seq)
);
CREATE INDEX events_to_notify ON events (id) WHERE NOT notified;

-- Where a consumer of events has got to, per account: for the consumer to write.
CREATE TABLE event_consumers (
    consumer   text NOT NULL,
    account_id uuid NOT NULL,
    seq        bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, account_id)
);

-- A keyring is the keys of one link (one device entry on a phone), sealed under a
-- data key of its own. Deleting the row shreds the data key, and with it the keys.
CREATE TABLE keyrings (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES whatsapp_accounts (id),
    wrapped_key bytea NOT NULL,
    master_key  text NOT NULL,
    phone_number text,
    device_jid  text,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX keyrings_by_account ON keyrings (account_id);

CREATE TABLE credentials (
    account_id uuid NOT NULL,
    keyring_id uuid NOT NULL REFERENCES keyrings (id) ON DELETE CASCADE,
    kind       text NOT NULL,
    name       text NOT NULL,
    sealed     bytea NOT NULL,
    -- What a statement must filter or merge on without opening the seal: an
    -- expiry, a version, whether a prekey was uploaded. Never key material.
    stamp      bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (keyring_id, kind, name)
);

-- A device entry on a phone that must go. The keyring stays until WhatsApp
-- confirms; then both are erased in one transaction.
CREATE TABLE unlink_tickets (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id    uuid NOT NULL REFERENCES whatsapp_accounts (id),
    keyring_id    uuid NOT NULL UNIQUE REFERENCES keyrings (id),
    reason        text NOT NULL,
    source        text NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    last_error    text,
    next_retry_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    opened_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    abandon_at    timestamptz NOT NULL DEFAULT clock_timestamp() + interval '14 days'
);
CREATE INDEX unlink_tickets_by_account ON unlink_tickets (account_id);

-- Whether anything of the account must run: what daemons share out among themselves.
-- All others are at rest, and are claimed when a command comes.
CREATE FUNCTION needs_daemon(account whatsapp_accounts) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT account.status IN ('pending', 'deleting') OR account.linking_keyring_id IS NOT NULL
        OR (account.desired = 'paired' AND account.status <> 'unpaired')
        OR EXISTS (SELECT FROM unlink_tickets t WHERE t.account_id = account.id)
$$;

-- The way in for a web app. The row is the truth; the NOTIFY only wakes.
CREATE FUNCTION send_command(
    kind text, account_id uuid, args jsonb DEFAULT '{}', dedupe_key text DEFAULT NULL, source text DEFAULT 'web'
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    command_id bigint;
BEGIN
    INSERT INTO commands AS c (kind, account_id, args, dedupe_key, source)
    VALUES (send_command.kind, send_command.account_id, coalesce(send_command.args, '{}'),
            send_command.dedupe_key, coalesce(send_command.source, 'web'))
    ON CONFLICT ON CONSTRAINT commands_dedupe_key_key DO NOTHING
    RETURNING c.id INTO command_id;
    IF command_id IS NULL THEN
        SELECT c.id INTO command_id FROM commands c WHERE c.dedupe_key = send_command.dedupe_key;
    END IF;
    PERFORM pg_notify(channel, '')
    FROM (SELECT 'paird_command' AS channel UNION SELECT p.command_channel FROM processes p) AS rung;
    RETURN command_id;
END $$;

-- Stores a command that came as a bare NOTIFY, once, however many daemons heard it.
-- All of them hear the same notifications in the same order. `heard_key` stands for
-- sender and payload, `nth` says how often the caller heard that key within the
-- `heard_within` before now: the row is missing only if fewer than `nth` were stored
-- since. A function, since the count must see what was committed while it waited for the lock.
CREATE FUNCTION store_notified_command(
    heard_key text, nth integer, heard_within interval,
    kind text, account_id uuid, args jsonb, dedupe_key text, failure text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    command_id bigint;
    stored integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('paird.heard.' || store_notified_command.heard_key, 0));
    SELECT count(*) INTO stored FROM commands c
    WHERE c.heard_key = store_notified_command.heard_key
      AND c.created_at >= clock_timestamp() - store_notified_command.heard_within;
    IF stored >= nth THEN
        RETURN NULL;
    END IF;
    INSERT INTO commands AS c (kind, account_id, args, dedupe_key, source, heard_key, state, result, done_at)
    VALUES (store_notified_command.kind, store_notified_command.account_id, store_notified_command.args,
            store_notified_command.dedupe_key, 'notify', store_notified_command.heard_key,
            CASE WHEN failure IS NULL THEN 'queued' ELSE 'failed' END, failure,
            CASE WHEN failure IS NULL THEN NULL ELSE clock_timestamp() END)
    ON CONFLICT ON CONSTRAINT commands_dedupe_key_key DO NOTHING
    RETURNING c.id INTO command_id;
    RETURN command_id;
END $$;

-- What is sent for an event. NOTIFY takes less than 8000 bytes: a larger payload goes
-- without its large fields and says so; the row has them all.
CREATE FUNCTION event_message(event events) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN octet_length((event.payload || head)::text) < 8000 THEN (event.payload || head)::text
        WHEN octet_length((small || cut)::text) < 8000 THEN (small || cut)::text
        ELSE cut::text
    END
    FROM (SELECT jsonb_build_object('type', event.kind, 'accountId', event.account_id,
                                    'id', event.id, 'seq', event.seq) AS head) AS h,
         LATERAL (SELECT head || '{"truncated": true}' AS cut) AS c,
         LATERAL (SELECT coalesce(jsonb_object_agg(field.key, field.value), '{}') AS small
                  FROM jsonb_each(event.payload) AS field
                  WHERE octet_length(field.value::text) <= 1000) AS s
$$;

-- LISTEN takes no parameter; this does.
CREATE FUNCTION listen_to(channel text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('LISTEN %I', channel);
    RETURN true;
END $$;
