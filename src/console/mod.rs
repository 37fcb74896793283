//! The console: the daemon's HTTP face on loopback. It reads rows, sends commands and asks
//! the supervisor; it decides nothing about an account.
//!
//! A file per noun. Every request passes [`envelope`], which makes all errors alike and
//! sets the headers of all answers, and [`guard`], which decides who may come in. Routes
//! are listed once, in [`routes`], and the OpenAPI document is made from that list.

mod accounts;
mod admin;
mod answer;
mod body;
mod commands;
mod connection;
mod envelope;
mod feed;
mod fleet;
mod guard;
mod health;
mod history;
mod live;
mod metrics;
mod pages;
mod problem;
mod qr;
mod routes;
mod server;
mod session;
mod shared;
mod shown;
mod token;
mod vocabulary;

pub use server::{Console, Settings};
pub use token::Token;
