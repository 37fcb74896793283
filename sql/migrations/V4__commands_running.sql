-- Whether one of an account's commands runs, and what runs on a daemon: looked up each
-- time commands are taken, and not to be found by going through all that wait.
CREATE INDEX commands_running ON commands (taken_by, account_id) WHERE state = 'running';
