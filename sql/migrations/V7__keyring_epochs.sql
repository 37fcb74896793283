-- How often a keyring was opened: each opening raises it, and each write of its records
-- names the one that it follows. What a former opening sent, however late it lands,
-- finds another epoch and writes nothing.
ALTER TABLE keyrings ADD COLUMN epoch bigint NOT NULL DEFAULT 1;
