-- Whoever reads the events of all accounts needs one place to go on from. Ids do not
-- serve: they commit out of order. What a transaction below every running one wrote is
-- complete, so (xact, id) below that line is a place that nothing appears behind later.
ALTER TABLE events ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX events_by_xact ON events (xact, id);
