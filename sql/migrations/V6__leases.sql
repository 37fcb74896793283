-- A renewal of a lease, and a drain, may land late: each has a number, and changes nothing
-- behind a later one.
ALTER TABLE processes
    -- The number of the last renewal.
    ADD COLUMN renewal  bigint NOT NULL DEFAULT 0,
    -- The number of the renewal that last raised the fences of this daemon's accounts: another
    -- one than a daemon knows means that its lease had ended meanwhile.
    ADD COLUMN epoch    bigint NOT NULL DEFAULT 0,
    -- The number of the last drain, or of its undoing, that `draining` tells of.
    ADD COLUMN drain_no bigint NOT NULL DEFAULT 0;
