//! Starts and stops actors: a pure roster, the actix shell that follows its directives,
//! and a handle on the shell. The supervisor knows which actors are running, and never
//! looks at what an account does.

pub mod actor;
pub mod handle;
mod member;
pub mod roster;

pub use roster::RosterPolicy;

#[cfg(test)]
mod tests;
