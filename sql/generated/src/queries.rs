// This file was generated with `clorinde`. Do not modify.

pub mod accounts;
pub mod audit;
pub mod changes;
pub mod chats;
pub mod cli;
pub mod client_version;
pub mod commands;
pub mod connections;
pub mod console;
pub mod contacts;
pub mod credentials;
pub mod doctor;
pub mod events;
pub mod importing;
pub mod keyrings;
pub mod messages;
pub mod metrics;
pub mod outgoing;
pub mod pairing_links;
pub mod processes;
pub mod prune;
pub mod reading;
pub mod sending;
pub mod settings;
pub mod tickets;
