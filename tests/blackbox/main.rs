//! The daemon from outside: its process, a real Postgres, the sandbox as WhatsApp.
//! Asserted are rows, received notifications, phones' lists of linked devices, logs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod addresses;
mod api;
mod attempts;
mod audit;
mod backlog;
mod backup;
mod baileys;
mod clocks;
mod codes;
mod command_line;
mod consumer;
mod costs;
mod crashes;
mod database;
mod deaf;
mod duplicates;
mod failing_reads;
mod failing_writes;
mod fleet;
mod groups;
mod history;
mod hostile_logins;
mod inbox;
mod isolation;
mod keys;
mod kubernetes;
mod late_keys;
mod late_statements;
mod leases;
mod links;
mod lost_sessions;
mod names;
mod numbers;
mod odd_answers;
mod outage;
mod pairing;
mod passkey;
mod poisoned;
mod poolers;
mod probes;
mod proxies;
mod receiving;
mod restarts;
mod roles;
mod sending;
mod settings;
mod sweep;
mod systemd;
mod tenants;
mod traces;
mod unlink;
mod upgrade;
mod waits;
