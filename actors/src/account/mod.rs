//! One account: a pure machine, the desk that works off its orders, the actix shell that
//! carries them out, and a handle on the shell.

pub mod actor;
pub mod desk;
pub mod handle;
pub mod lifecycle;
