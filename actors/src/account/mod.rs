//! One account: a pure machine, the actix shell that runs it, and a handle on the shell.

pub mod actor;
pub mod handle;
pub mod lifecycle;
