#!/usr/bin/env bash
# Run once by the Postgres image, on an empty volume: who logs in, as a member of which role.
# What the roles may is set by `paird migrate --roles`.
set -euo pipefail
# psql reads the passwords itself: arguments are visible to every process.
psql -v ON_ERROR_STOP=1 -X -q -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
\set daemon_password `cat /run/secrets/daemon_password`
\set console_password `cat /run/secrets/console_password`
\set web_password `cat /run/secrets/web_password`
CREATE ROLE paird_daemon NOLOGIN;
CREATE ROLE paird_console NOLOGIN;
CREATE ROLE paird_web NOLOGIN;
CREATE ROLE daemon LOGIN PASSWORD :'daemon_password' IN ROLE paird_daemon;
CREATE ROLE console LOGIN PASSWORD :'console_password' IN ROLE paird_console;
CREATE ROLE web LOGIN PASSWORD :'web_password' IN ROLE paird_web;
-- For the web app's own tables; a schema of one's own name is searched first.
CREATE SCHEMA AUTHORIZATION web;
SQL
