use super::{
    AccountId, ChangeId, Desired, Fence, Instant, KeyringId, OperatorId, PairRequest, Phone, Reason, Status,
    StatusReason,
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
    /// Set only while a link is held or being completed: the unique index looks at it.
    pub phone: Option<Phone>,
    pub last_phone: Option<Phone>,
    pub device_jid: Option<String>,
    pub attempt: Option<Attempt>,
    /// Keys of the link that is held or parked.
    pub keyring: Option<KeyringId>,
    /// Keys of a link being made, durable already; the phone may list the device.
    pub linking: Option<KeyringId>,
    pub deleted_at: Option<Instant>,
    /// When the groups were last fetched over the present link; unset until then.
    pub groups_synced_at: Option<Instant>,
    /// When a connected account was given up for another daemon to go on with, as long as
    /// nobody was told that it is disconnected.
    pub released_at: Option<Instant>,
}

impl AccountRecord {
    /// As a web app's `INSERT` of operator and label makes it, of an account that nobody has
    /// owned yet.
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
            phone: None,
            last_phone: None,
            device_jid: None,
            attempt: None,
            keyring: None,
            linking: None,
            deleted_at: None,
            groups_synced_at: None,
            released_at: None,
        }
    }

    /// Says how the account is. Whoever was not told of a move to another daemon need not
    /// be any more once it says something else than that it is being connected.
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

    /// The link is not held any more: the number is free for others.
    pub fn give_up_number(&mut self) {
        if let Some(phone) = self.phone.take() {
            self.last_phone = Some(phone);
        }
        self.device_jid = None;
    }
}

/// How the operator wants an account's connections made. Not part of the record: it is
/// read anew for each connection, since the web app may change it at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnectionSettings {
    /// The address of the proxy, without a login; all traffic goes through it.
    pub proxy: Option<String>,
    /// The name under "Linked devices", where it is not the daemon's.
    pub device_name: Option<String>,
}

/// A running pair attempt, as it survives a restart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    pub deadline: Instant,
    pub request: PairRequest,
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
    /// What the first write of that life follows.
    pub last_change: Option<ChangeId>,
    /// What of the row cannot be read, and is left out of the record.
    pub damage: Option<String>,
}
