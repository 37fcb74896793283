use super::{AccountId, Desired, Fence, Instant, KeyringId, OperatorId, PairRequest, Phone, Status, TicketId};

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
    pub reason: String,
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

/// A row of `unlink_tickets`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TicketRecord {
    pub id: TicketId,
    pub account: AccountId,
    pub label: String,
    pub fence: Fence,
    pub keyring: KeyringId,
    pub reason: String,
    pub attempts: u32,
    /// How the last try went.
    pub last_error: Option<String>,
    pub next_retry_at: Instant,
    pub abandon_at: Instant,
}

/// A pair attempt that a crash left behind and the sweep found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    pub account: AccountId,
    pub label: String,
    pub why: String,
}
