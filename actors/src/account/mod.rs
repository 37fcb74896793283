//! One account: a pure machine, the author of its row around it, how its tasks are carried
//! out, and a handle on its actor.

pub mod author;
mod effects;
pub mod handle;
pub mod lifecycle;
