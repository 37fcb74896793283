//! The sandbox against the unmodified client library. Needs the feature
//! `client-tests`: without it the client refuses the sandbox's certificates.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

mod companion;
mod crowd;
mod faults;
mod gate;
mod group_talk;
mod linking;
mod repairs;
mod settings;
mod talk_faults;
mod talking;
