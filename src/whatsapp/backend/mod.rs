//! Credentials in Postgres: the protocol library's storage, one [`Keyring`] per link.
//!
//! A keyring begins *staged*, in memory only, so that an attempt that comes to nothing
//! leaves nothing behind. [`Keyring::secure`] writes all of it in one statement, and
//! from then on it is *durable*: a write has reached the disk when it returns `Ok`, or,
//! for the minute after the link was made, before anything more is sent to WhatsApp.
//!
//! What holds for every method: an error is an error and never "no such record",
//! because a client that is told "no keys" makes new ones and destroys the account.
//! One daemon owns an account at a time, and one connection of it uses a keyring: the fence
//! and the epoch on every write are what makes that true. Opening a keyring raises its
//! epoch, so what was sent for a former opening and lands late writes nothing. Nothing is
//! cached, but for the minute after a link was made: see `mirror`.
//!
//! ```text
//! vault ── makes ──▶ keyring ─┬─ staged    (memory)
//!                             ├─ mirror    (memory, settled in rows before anything is sent)
//!                             └─ postgres  (sealed rows of `credentials`)
//!                      ▲ speak in records
//!   signal · app_sync · protocol · msg_secrets · device   (the library's traits)
//! ```

mod app_sync;
mod device;
mod key_file;
mod keyring;
mod map;
mod mirror;
mod msg_secrets;
mod names;
mod postgres;
mod protocol;
mod records;
mod rotation;
mod signal;
mod staged;
mod tc_tokens;
mod vault;

pub use keyring::Keyring;
pub use records::RECORD_KINDS;
pub use rotation::{Rotated, Rotation, RotationError, Unopenable, find_unopenable};
pub use vault::{Vault, VaultError};
