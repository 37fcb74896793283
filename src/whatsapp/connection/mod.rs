//! One connection to WhatsApp: the shell of [`paird_actors::connection`], which decides.
//!
//! [`Shell`] holds the machine behind one mutex and carries out its effects. It is fed by
//! [`EventHandler`] (what the library reports), [`GatedDialer`] (sockets and outgoing
//! frames), [`Driver`] (what is under way, and deadlines), [`Inbox`] (incoming messages),
//! [`Courier`] (outgoing ones, with a machine of its own) and [`WhatsAppSession`] (what the owner
//! asks for).

mod app_state;
mod chats;
mod close_reason;
mod courier;
mod driver;
mod event_sender;
mod events;
mod gate;
pub(super) mod history;
mod inbox;
mod mail;
mod numbers;
mod odd;
mod presence;
mod receipts;
mod session;
mod shell;

pub use chats::ChatStore;
pub(super) use chats::Chats;
pub use courier::{BellGuard, Bells, OutgoingStore, SendStep, SentMessage};
pub(super) use courier::{Courier, PostOffice};
pub(super) use driver::Driver;
pub(super) use gate::GatedDialer;
pub(super) use inbox::Inbox;
pub use inbox::{MessageLink, MessageStore};
pub(super) use mail::Mail;
pub(super) use numbers::NumberChecker;
pub(super) use odd::OddStanzas;
pub use odd::{OddKind, OddListener};
pub(super) use presence::PresenceKeeper;
pub(super) use session::WhatsAppSession;
pub(super) use shell::{DriverTask, Shell};

use app_state::SkippedSyncs;
use courier::CourierEvents;
use events::EventHandler;
use receipts::Receipts;
