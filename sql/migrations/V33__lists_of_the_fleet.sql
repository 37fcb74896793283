-- The newest rows of each kind, between two times, for lists of all accounts: from kind to kind along the
-- index, a page costs the page, however rare its kinds are. While they are built, these tables are not
-- written: some seconds for millions of rows.
CREATE INDEX events_by_kind ON events (kind, created_at, id);
CREATE INDEX audit_log_by_action ON audit_log (action, created_at, id);
CREATE INDEX commands_by_kind ON commands (kind, created_at, id);
-- Of one account, also those that have ended.
CREATE INDEX commands_of_account ON commands (account_id, id);
