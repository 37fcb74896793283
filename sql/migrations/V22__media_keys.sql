-- What is needed to fetch and decrypt the media of a message, sealed with the key of the link that
-- it came in over: with the link's keys it becomes unreadable.
CREATE TABLE message_media (
    message_id bigint PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    keyring_id uuid NOT NULL,
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
