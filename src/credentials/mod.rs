//! The credential store: the keys of every link, sealed, in Postgres.
//!
//! A [`Keyring`] is all that one link needs to log in: the device's identity, sessions,
//! prekeys and so on, as records of a kind and a name. It begins *staged*, in memory only,
//! so that a pair attempt that fails leaves nothing behind. [`Keyring::secure`] writes all
//! of it in one statement; from then on it is *durable*: a write has reached the disk when
//! it returns `Ok` or, for the first minute, before anything more is sent to WhatsApp.
//!
//! A method that fails returns an error and never "no such record": a client that believes
//! that it has no keys makes new ones and destroys the account. One daemon owns an
//! account at a time, and one connection of it uses a keyring; the fence and the epoch on
//! every write enforce that. Opening a keyring raises its epoch, so a write that was sent
//! for an earlier opening and arrives late changes nothing. Nothing is cached, except for
//! the first minute of a link (`write_behind`), for what every message asks for: which LID has
//! which number (`lid_memory`) and what token its recipient gave (`token_memory`), and for messages
//! whose keys are not written yet (`carried`). A cache answers what the rows hold, also while the
//! database is away; it never answers that there is nothing because a read failed.
//!
//! ```text
//! store ── makes ──▶ keyring ─┬─ memory        (staged)
//!                             ├─ write_behind  (memory, flushed to rows before a send)
//!                             └─ rows          (sealed rows of `credentials`)
//! ```
//!
//! This folder knows neither WhatsApp nor its library: `whatsapp::library_store` implements
//! the library's storage traits over a keyring.

mod carried;
mod keyring;
pub(crate) mod lid_memory;
mod memory;
mod proxy_login;
pub(crate) mod record_key;
pub(crate) mod records;
mod rotation;
mod rows;
pub mod seal;
mod store;
mod token_memory;
mod write_behind;

pub use keyring::{KeyedDevices, Keyring, SentMessages};
pub use proxy_login::{GivenProxy, ProxyError, ProxyLogin, forget_proxy, set_proxy};
pub use records::RECORD_KINDS;
pub use rotation::{Rotated, Rotation, RotationError, Unopenable, find_unopenable};
pub use store::{CredentialStore, MasterKeyError};
