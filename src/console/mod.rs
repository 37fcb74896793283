//! The console: the daemon's HTTP face on loopback. It reads rows, sends commands and asks
//! the supervisor; it decides nothing about an account.
//!
//! Every request passes [`middleware`], which sets the headers of all answers and gives all
//! errors one form, and [`auth`]. Routes are listed once, in [`routes`], and the OpenAPI
//! document is generated from that list. The pages are plain files in `web`; [`pages`] serves
//! them.

mod accepted;
mod account_list;
mod account_view;
mod accounts;
mod accounts_file;
mod admin;
mod asyncapi;
mod auth;
mod commands;
mod connection_settings;
mod db;
mod feed;
mod fleet;
mod fleet_history;
mod health;
mod history;
mod history_page;
mod json_body;
mod kinds;
mod live;
mod login;
mod messages;
mod metrics;
mod middleware;
mod not_modified;
mod pages;
mod pairing_links;
mod pairing_page;
mod parameters;
mod problem;
mod problem_code;
mod qr;
mod routes;
mod sending;
mod server;
mod setup;
mod socket;
mod state;
mod tags;
mod token;
mod trail;
mod vocabulary;

pub(crate) use feed::Cursor;
pub(crate) use messages::{Message, is_jid};
pub(crate) use pairing_page::{NOWHERE, url_of};
pub use pairing_page::{PairingPage, PairingPageSettings};
pub use server::{Console, ConsoleSettings};
pub use token::Token;
