//! The only place that names whatsapp-rust.

pub mod admission;
pub mod backend;
pub mod gateway;
pub mod seal;
pub mod session;
pub mod trust;
