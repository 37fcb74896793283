//! The console's HTTP API: authentication, responses, the live stream.

mod account_list;
mod accounts;
mod accounts_file;
mod admin;
mod connection;
mod doors;
mod entry;
mod fleet_history;
mod live;
mod messages;
mod metrics;
mod problems;
mod sending;
mod setup;
mod tags;
