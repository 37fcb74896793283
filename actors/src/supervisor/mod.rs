//! Which actors run: a pure roster, the actix shell that follows its directives,
//! and a handle on the shell. The supervisor knows who is there and who is gone;
//! what an account does is not its business.

pub mod actor;
pub mod handle;
mod member;
pub mod roster;

pub use roster::{Member, Retired};

#[cfg(test)]
mod tests;
