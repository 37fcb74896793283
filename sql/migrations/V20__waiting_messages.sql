-- How often, and when last, the phone was asked for a message that waits. By the library when the
-- message came, else by paird (sql/queries/messages.sql, take_waiting).
ALTER TABLE messages
    ADD COLUMN asks smallint NOT NULL DEFAULT 0,
    ADD COLUMN asked_at timestamptz;
