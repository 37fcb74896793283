//! WhatsApp, its phones and the connections to it, reduced to what the daemons can see.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::domain::{AccountId, Fence, Incarnation, KeyringId, MessageId, OutgoingContent, Phone, Purpose, Receipt};

/// A connection, unique in a run.
pub type SessionId = u64;
/// An account's or a ticket's actor, unique in a run.
pub type LifeId = u64;

/// A device entry.
#[derive(Clone, Debug)]
pub struct Device {
    pub phone: usize,
    pub is_listed: bool,
}

/// The stage of a connection, as WhatsApp sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStage {
    /// It waits for its turn to connect.
    Waiting,
    Dialled,
    /// It shows a QR: the nth.
    Shows(u32),
    /// That phone scanned, then, and waits.
    Scanned(usize, i64),
    /// Logged in.
    Open,
    Over,
}

/// The ownership under which a connection writes its keys.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    pub epoch: i64,
    /// A write was not answered, or not done: nothing more is written.
    pub failed: bool,
}

#[derive(Clone, Debug)]
pub struct SessionModel {
    pub daemon: usize,
    pub process: Uuid,
    pub life: LifeId,
    pub account: AccountId,
    pub fence: Fence,
    pub incarnation: Incarnation,
    pub keyring: KeyringId,
    pub purpose: Purpose,
    pub stage: SessionStage,
    pub keys: Option<Keys>,
    /// The daemon has cut or closed it: nothing more is heard of it.
    pub is_left: bool,
    /// It is never confirmed.
    pub is_refused: bool,
    /// The daemon was told to close it.
    pub is_closing: bool,
    /// When the daemon decided to open it.
    pub since: i64,
    /// The database said then whose the account was.
    pub is_asked: bool,
    /// For how long the clocks of its daemon had stood still by then.
    pub lost_time: i64,
    /// WhatsApp has said what it kept for the device; and the daemon has read that.
    pub was_told_all: bool,
    pub is_drained: bool,
    /// When the last that WhatsApp says arrives, and the last that it hears: either way nothing
    /// overtakes.
    pub says_at: i64,
    pub hears_at: i64,
}

/// Identifies what WhatsApp keeps for a device.
pub type MailId = u64;

/// A message on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct SentFrame {
    pub message: MessageId,
    pub account: AccountId,
    pub wa_id: String,
    pub chat: String,
    pub content: OutgoingContent,
    /// It follows from the keyring and WhatsApp's id alone, so the second part is always the same.
    pub secret: (KeyringId, u64),
    pub is_new_chat: bool,
    /// A device of the recipient can read it.
    pub is_reached: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct WhatsAppModel {
    pub devices: BTreeMap<KeyringId, Device>,
    pub sessions: BTreeMap<SessionId, SessionModel>,
    /// The session that is logged in with each device.
    pub live: BTreeMap<KeyringId, SessionId>,
    /// No login is accepted, and nothing confirmed, before that.
    pub busy_until: i64,
    /// Messages that it has, by its ids; and whether a phone shows them.
    pub accepted: BTreeMap<String, bool>,
    /// Receipts for each device that has not acknowledged them.
    pub mail: BTreeMap<KeyringId, BTreeMap<MailId, Receipt>>,
    pub last_mail: MailId,
    /// Nothing goes wrong with messages any more.
    pub is_calm: bool,
    last: SessionId,
}

impl WhatsAppModel {
    pub fn add(&mut self, session: SessionModel) -> SessionId {
        self.last += 1;
        self.sessions.insert(self.last, session);
        self.last
    }

    pub fn is_listed(&self, keyring: KeyringId) -> bool {
        self.devices.get(&keyring).is_some_and(|device| device.is_listed)
    }

    /// The connection is gone for WhatsApp.
    pub fn hang_up(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.stage = SessionStage::Over;
            let keyring = session.keyring;
            if self.live.get(&keyring) == Some(&id) {
                self.live.remove(&keyring);
            }
        }
    }

    /// Ends every connection of a process that no longer exists.
    pub fn hang_up_process(&mut self, process: Uuid) {
        let of: BTreeSet<SessionId> =
            self.sessions.iter().filter(|(_, session)| session.process == process).map(|(id, _)| *id).collect();
        for id in of {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.is_left = true;
            }
            self.hang_up(id);
        }
    }
}

/// The number of the nth phone.
pub fn number(phone: usize) -> Option<Phone> {
    Phone::from_digits(&format!("43660100{phone:04}")).ok()
}
