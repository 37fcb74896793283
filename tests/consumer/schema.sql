-- The web app's own tables, in a schema of its own: paird's is not its to make tables in.
CREATE TABLE IF NOT EXISTS activity (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL,
    seq        bigint NOT NULL,
    kind       text NOT NULL,
    payload    jsonb NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- A copy of every message: paird keeps what a message says for days only.
CREATE TABLE IF NOT EXISTS conversations (
    message_id bigint PRIMARY KEY,
    account_id uuid NOT NULL,
    chat       text NOT NULL,
    sender     text NOT NULL,
    direction  text NOT NULL,
    kind       text,
    content    jsonb,
    sent_at    timestamptz NOT NULL
);
