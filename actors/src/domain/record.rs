use super::{
    AccountId, ChangeId, Desired, Fence, Instant, KeyringId, OperatorId, PairRequest, Phone, Reason, Status,
    StatusReason, word::word,
};

/// The columns of `whatsapp_accounts` that a machine decides. Every record writes
/// all of them, so the row is the image of the machine's state and never a mix of
/// two moments. The label is not among them: the web app may rename at any time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountRecord {
    pub id: AccountId,
    pub operator: OperatorId,
    /// For logs only; read at start and not refreshed.
    pub label: String,
    pub fence: Fence,
    pub status: Status,
    pub reason: StatusReason,
    pub since: Instant,
    pub desired: Desired,
    pub next_retry_at: Option<Instant>,
    pub link: Link,
    /// The number that was given up last, of keys that are parked or gone.
    pub last_phone: Option<Phone>,
    pub deleted_at: Option<Instant>,
    /// When the groups were last fetched over the present link; unset until then.
    pub groups_synced_at: Option<Instant>,
    /// When a connected account was given up for another daemon to take over. `None` once
    /// consumers were told that it is disconnected.
    pub released_at: Option<Instant>,
}

impl AccountRecord {
    /// A new account, as a web app's `INSERT` of operator and label makes it, without an owner.
    pub fn new(id: AccountId, operator: OperatorId, label: impl Into<String>, now: Instant) -> Self {
        Self {
            id,
            operator,
            label: label.into(),
            fence: Fence(0),
            status: Status::Unpaired,
            reason: Reason::New.into(),
            since: now,
            desired: Desired::Unpaired,
            next_retry_at: None,
            link: Link::None,
            last_phone: None,
            deleted_at: None,
            groups_synced_at: None,
            released_at: None,
        }
    }

    /// Sets the status and its reason. Any status but `reconnecting` also ends a move between
    /// daemons, which then need not be announced any more.
    pub fn set_status(&mut self, status: Status, reason: impl Into<StatusReason>, now: Instant) {
        if self.status != status {
            self.since = now;
        }
        if status != Status::Reconnecting {
            self.released_at = None;
        }
        self.status = status;
        self.reason = reason.into();
    }

    /// Keys of the link that is held or parked.
    pub fn keyring(&self) -> Option<KeyringId> {
        match &self.link {
            Link::None => None,
            Link::Held(device) => Some(device.keyring),
            Link::Pairing { parked, .. } | Link::LeftBehind { parked, .. } => *parked,
        }
    }

    /// Keys of a link being made, durable already; the phone may list the device.
    pub fn linking(&self) -> Option<KeyringId> {
        match &self.link {
            Link::None | Link::Held(_) => None,
            Link::Pairing { attempt, .. } => attempt.device.as_ref().map(|device| device.keyring),
            Link::LeftBehind { device, .. } => Some(device.keyring),
        }
    }

    /// The device whose number is the account's: others may not have it.
    fn device(&self) -> Option<&LinkedDevice> {
        match &self.link {
            Link::None => None,
            Link::Held(device) | Link::LeftBehind { device, .. } => Some(device),
            Link::Pairing { attempt, .. } => attempt.device.as_ref(),
        }
    }

    /// The number that the account keeps from others: the unique index looks at it.
    pub fn phone(&self) -> Option<&Phone> {
        self.device()?.phone.as_ref()
    }

    pub fn device_jid(&self) -> Option<&str> {
        self.device()?.jid.as_deref()
    }

    /// The pair attempt that is running.
    pub fn attempt(&self) -> Option<&Attempt> {
        match &self.link {
            Link::Pairing { attempt, .. } => Some(attempt),
            Link::None | Link::Held(_) | Link::LeftBehind { .. } => None,
        }
    }

    /// An attempt begins. Keys that there are stay, parked; their number is free for others.
    pub fn begin_attempt(&mut self, attempt: Attempt) {
        self.give_up_number();
        let parked = self.keyring();
        self.link = Link::Pairing { attempt, parked };
    }

    /// The attempt is over. The device that it holds is the caller's to send away.
    pub fn end_attempt(&mut self) -> Option<Attempt> {
        match std::mem::take(&mut self.link) {
            Link::Pairing { attempt, parked } => {
                self.link = Link::parked(parked);
                Some(attempt)
            }
            other @ (Link::None | Link::Held(_) | Link::LeftBehind { .. }) => {
                self.link = other;
                None
            }
        }
    }

    /// The attempt is over, and nothing can be done about its device now.
    pub fn abandon_attempt(&mut self) {
        if let Some(Attempt { device: Some(device), .. }) = self.end_attempt() {
            self.link = Link::LeftBehind { device, parked: self.keyring() };
        }
    }

    /// What [an attempt](Self::abandon_attempt) left.
    pub fn take_left_behind(&mut self) -> Option<LinkedDevice> {
        match std::mem::take(&mut self.link) {
            Link::LeftBehind { device, parked } => {
                self.link = Link::parked(parked);
                Some(device)
            }
            other @ (Link::None | Link::Held(_) | Link::Pairing { .. }) => {
                self.link = other;
                None
            }
        }
    }

    /// A phone has scanned: the attempt makes a link with this device. Without an attempt
    /// there is none.
    pub fn begin_link(&mut self, device: LinkedDevice) {
        if let Link::Pairing { attempt, .. } = &mut self.link {
            attempt.device = Some(device);
        }
    }

    /// The link that the attempt was making never came about, and the attempt goes on.
    pub fn drop_new_link(&mut self) -> Option<KeyringId> {
        match &mut self.link {
            Link::Pairing { attempt, .. } => attempt.device.take().map(|device| device.keyring),
            Link::None | Link::Held(_) | Link::LeftBehind { .. } => None,
        }
    }

    /// The attempt's link is made, and takes the place of keys that were parked: those are
    /// the caller's to send away.
    pub fn complete_link(&mut self) -> Option<KeyringId> {
        let parked = self.keyring();
        let attempt = self.end_attempt()?;
        self.link = attempt.device.map_or(Link::None, Link::Held);
        parked
    }

    /// Stores what WhatsApp, or the row, says about the held link.
    pub fn learn(&mut self, phone: Option<Phone>, jid: Option<String>) {
        if let Link::Held(device) = &mut self.link {
            device.phone = phone.or(device.phone.take());
            device.jid = jid.or(device.jid.take());
        }
    }

    /// The keys that are held or parked are not the account's any more.
    pub fn take_keyring(&mut self) -> Option<KeyringId> {
        self.give_up_number();
        match &mut self.link {
            Link::None => None,
            Link::Held(device) => {
                let keyring = device.keyring;
                self.link = Link::None;
                Some(keyring)
            }
            Link::Pairing { parked, .. } | Link::LeftBehind { parked, .. } => parked.take(),
        }
    }

    /// The number was not that of the keys that are held: an attempt had it that is over.
    pub fn forget_number(&mut self) {
        if let Link::Held(device) = &mut self.link {
            device.phone = None;
        }
    }

    /// The link is not held any more: the number is free for others.
    pub fn give_up_number(&mut self) {
        if let Link::Held(device) = &mut self.link {
            self.last_phone = device.phone.take().or(self.last_phone.take());
            device.jid = None;
        }
    }
}

/// The account's links to phones. Number and device belong to one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Link {
    /// No keys.
    #[default]
    None,
    /// Keys that are used, or that are parked: then others may have the number.
    Held(LinkedDevice),
    /// An attempt is running. A former link is parked meanwhile.
    Pairing { attempt: Attempt, parked: Option<KeyringId> },
    /// An attempt is over, and the device of its link is there still: a phone may list it.
    LeftBehind { device: LinkedDevice, parked: Option<KeyringId> },
}

impl Link {
    /// Keys that are kept for later, if there are any.
    pub fn parked(keyring: Option<KeyringId>) -> Self {
        keyring.map_or(Self::None, |keyring| Self::Held(LinkedDevice { keyring, phone: None, jid: None }))
    }
}

/// Keys, and what is known of the device that they are of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LinkedDevice {
    pub keyring: KeyringId,
    /// Not known before WhatsApp has said it, and not the account's while the keys are parked.
    pub phone: Option<Phone>,
    pub jid: Option<String>,
}

/// The operator's settings for an account's connections. Not part of the record: they are
/// read for each connection, since the web app may change them at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnectionSettings {
    /// The address of the proxy, without a login; all traffic goes through it.
    pub proxy: Option<String>,
    /// The name under "Linked devices", where it is not the daemon's.
    pub device_name: Option<String>,
    pub presence: Presence,
}

/// The account's visibility to its contacts while it is connected here.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Presence {
    /// As if nothing was linked: not online, no delivery receipts of its own, and the phone
    /// goes on notifying its owner.
    #[default]
    Silent,
    /// Online, and what it receives counts as delivered.
    Available,
}
word!(Presence);

/// A running pair attempt, as it survives a restart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    pub deadline: Instant,
    pub request: PairRequest,
    /// Of the link that is being made, once its keys are durable.
    pub device: Option<LinkedDevice>,
}

/// One WhatsApp group that the account is in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    pub jid: String,
    pub subject: String,
    pub participants: u32,
    pub is_admin: bool,
}

/// An account's row, as a life begins with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub record: AccountRecord,
    /// The change that the first write of this life follows.
    pub last_change: Option<ChangeId>,
    /// The first column that cannot be read, and is left out of the record.
    pub damage: Option<String>,
}
