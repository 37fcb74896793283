//! A WhatsApp server double that speaks the real protocol to a real client:
//! WebSocket, Noise XX, IK and XXfallback, binary stanzas, ADV signatures.
//!
//! Simulated phones scan a QR, type a code, remove a device; faults happen on
//! demand. Each phone keeps the list of linked devices that a real one would
//! show. A device is on it from the moment that its pair-device-sign arrived
//! and was verified until it is unlinked.
//!
//! Only a client that skips the check of WhatsApp's certificate chain can talk
//! to it, and it only ever listens on loopback.

mod admin;
mod adv;
mod answers;
mod authenticator;
mod faults;
mod group_answers;
mod inject;
mod journal;
mod keys;
mod noise;
mod odd;
mod orders;
mod pair_code;
mod pairing;
mod passkey;
mod peer;
mod phone;
mod post;
mod qr;
mod remote;
mod server;
mod session;
mod settings;
mod stanza;
mod talk;
mod usync;
mod wire;
mod world;

pub use admin::Waiting;
pub use faults::{
    ActivationFault, AgainFault, DeliveryFault, Fault, Garbage, MessageFault, PausePoint, PrekeyFault, ReceiptFault,
    RestartFault, Scope, UnlinkFault,
};
pub use journal::{Oddity, Report};
pub use odd::Stanza;
pub use orders::ScanOptions;
pub use phone::{Group, LinkedDevice, Naming, ShownTyping};
pub use post::ledger::Posted;
pub use post::members::SharedGroup;
pub use remote::{Remote, RemoteError};
pub use server::Sandbox;
pub use settings::{Pace, Settings};
pub use talk::content::Content;
pub use talk::history::{History, MediaHost, OldChat};
pub use talk::shown::{ShownMessage, ShownReceipt};
pub use talk::{HandSettings, Reading, Writing, Written};
