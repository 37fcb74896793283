-- The web app's own table, in a schema of its own: paird's is not its to make tables in.
CREATE TABLE IF NOT EXISTS activity (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL,
    seq        bigint NOT NULL,
    kind       text NOT NULL,
    payload    jsonb NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
