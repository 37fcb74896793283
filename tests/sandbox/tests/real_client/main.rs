//! The sandbox against the unmodified client library. Needs the feature
//! `client-tests`: without it the client refuses the sandbox's certificates.

mod companion;
mod faults;
mod linking;
