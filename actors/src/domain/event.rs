use serde_json::{Value, json};

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{CommandId, Instant, Phone, StatusReason, word::word};

/// What an account tells the web app: one row of `events` each, listed in sql/README.md;
/// [`Event::payload`] is its JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Qr { ts: Instant, expires_at: Instant },
    Code { ts: Instant, expires_at: Instant },
    Passkey { stage: PasskeyStage, request: Value },
    Connected { phone: Option<Phone> },
    Duplicate { phone: Phone, existing_label: String },
    WrongPhone { phone: Phone, expected: Phone },
    Timeout,
    Cancelled { reason: CancelReason },
    Failed { reason: StatusReason },
    Disconnected { reason: StatusReason, next_retry_at: Instant },
    LoggedOut { reason: StatusReason },
    Held { reason: StatusReason, until: Option<Instant> },
    GroupsSynced { count: usize },
    AccountUnpaired { unlinked: Unlinked },
    AccountDeleted { unlinked: Unlinked },
    AccountUnlinked { reason: String },
    UnlinkAbandoned { reason: String },
    CommandFailed { command: CommandId, kind: String, reason: String },
}

/// The kind of an [`Event`]: the `type` in a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
pub enum EventKind {
    #[strum(serialize = "session.qr")]
    Qr,
    #[strum(serialize = "session.code")]
    Code,
    #[strum(serialize = "session.passkey")]
    Passkey,
    #[strum(serialize = "session.connected")]
    Connected,
    #[strum(serialize = "session.duplicate")]
    Duplicate,
    #[strum(serialize = "session.wrong_phone")]
    WrongPhone,
    #[strum(serialize = "session.timeout")]
    Timeout,
    #[strum(serialize = "session.cancelled")]
    Cancelled,
    #[strum(serialize = "session.failed")]
    Failed,
    #[strum(serialize = "session.disconnected")]
    Disconnected,
    #[strum(serialize = "session.logged_out")]
    LoggedOut,
    #[strum(serialize = "session.held")]
    Held,
    #[strum(serialize = "groups.synced")]
    GroupsSynced,
    #[strum(serialize = "account.unpaired")]
    AccountUnpaired,
    #[strum(serialize = "account.deleted")]
    AccountDeleted,
    #[strum(serialize = "account.unlinked")]
    AccountUnlinked,
    #[strum(serialize = "account.unlink_abandoned")]
    UnlinkAbandoned,
    #[strum(serialize = "command.failed")]
    CommandFailed,
}

word!(EventKind);

impl EventKind {
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Qr => "a new QR code is on the row",
            Self::Code => "a new code to type on the phone is on the row",
            Self::Passkey => "WhatsApp wants a passkey assertion, or a comparison of codes",
            Self::Connected => "logged in; ends a pair attempt",
            Self::Duplicate => "the number is linked to another account of the operator; ends a pair attempt",
            Self::WrongPhone => "another phone than the expected one scanned; ends a pair attempt",
            Self::Timeout => "nobody scanned in time; ends a pair attempt",
            Self::Cancelled => "the operator ended the pair attempt, or another one took its place",
            Self::Failed => "no retry can mend it; ends a pair attempt",
            Self::Disconnected => "the connection was lost and is retried",
            Self::LoggedOut => "the phone or WhatsApp removed the device",
            Self::Held => "needs a person, or the date in `until`",
            Self::GroupsSynced => "the groups were fetched",
            Self::AccountUnpaired => "the operator unpaired the account",
            Self::AccountDeleted => "the operator deleted the account",
            Self::AccountUnlinked => "WhatsApp confirmed that an old device entry is gone from the phone",
            Self::UnlinkAbandoned => "an old device entry could not be removed in time",
            Self::CommandFailed => "a command ended without being done",
        }
    }

    /// Ends a pair attempt. Each attempt has exactly one of these.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Connected | Self::Duplicate | Self::WrongPhone | Self::Timeout | Self::Cancelled | Self::Failed => {
                true
            }
            Self::Qr
            | Self::Code
            | Self::Passkey
            | Self::Disconnected
            | Self::LoggedOut
            | Self::Held
            | Self::GroupsSynced
            | Self::AccountUnpaired
            | Self::AccountDeleted
            | Self::AccountUnlinked
            | Self::UnlinkAbandoned
            | Self::CommandFailed => false,
        }
    }
}

/// Where a passkey exchange stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PasskeyStage {
    /// WhatsApp wants an assertion; `request` holds the WebAuthn options.
    Challenge,
    /// WhatsApp wants the operator to compare a code.
    Confirm,
}

/// Who ended an attempt that was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CancelReason {
    Operator,
    Superseded,
}

/// What is known of the phone's device entry when an account is unpaired or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unlinked {
    /// WhatsApp said so.
    Confirmed,
    /// A ticket is open.
    Pending,
    /// There was no entry, or it is meant to stay.
    None,
}

impl Unlinked {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Pending => "pending",
            Self::None => "none",
        }
    }
}

impl Event {
    /// The `type` in the notification and the `kind` on the row.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Qr { .. } => EventKind::Qr,
            Self::Code { .. } => EventKind::Code,
            Self::Passkey { .. } => EventKind::Passkey,
            Self::Connected { .. } => EventKind::Connected,
            Self::Duplicate { .. } => EventKind::Duplicate,
            Self::WrongPhone { .. } => EventKind::WrongPhone,
            Self::Timeout => EventKind::Timeout,
            Self::Cancelled { .. } => EventKind::Cancelled,
            Self::Failed { .. } => EventKind::Failed,
            Self::Disconnected { .. } => EventKind::Disconnected,
            Self::LoggedOut { .. } => EventKind::LoggedOut,
            Self::Held { .. } => EventKind::Held,
            Self::GroupsSynced { .. } => EventKind::GroupsSynced,
            Self::AccountUnpaired { .. } => EventKind::AccountUnpaired,
            Self::AccountDeleted { .. } => EventKind::AccountDeleted,
            Self::AccountUnlinked { .. } => EventKind::AccountUnlinked,
            Self::UnlinkAbandoned { .. } => EventKind::UnlinkAbandoned,
            Self::CommandFailed { .. } => EventKind::CommandFailed,
        }
    }

    /// The fields besides `type`, `accountId`, `id` and `seq`. Points in time are
    /// RFC 3339, `ts` alone is milliseconds since the epoch.
    pub fn payload(&self) -> Value {
        let time = |at: &Instant| at.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        match self {
            Self::Qr { ts, expires_at } | Self::Code { ts, expires_at } => {
                json!({ "ts": ts.0, "expiresAt": time(expires_at) })
            }
            Self::Passkey { stage, request } => {
                let stage = match stage {
                    PasskeyStage::Challenge => "challenge",
                    PasskeyStage::Confirm => "confirm",
                };
                json!({ "stage": stage, "request": request })
            }
            Self::Connected { phone } => json!({ "phoneNumber": phone.as_ref().map(Phone::digits) }),
            Self::Duplicate { phone, existing_label } => {
                json!({ "phoneNumber": phone.digits(), "existingLabel": existing_label })
            }
            Self::WrongPhone { phone, expected } => {
                json!({ "phoneNumber": phone.digits(), "expectedPhone": expected.digits() })
            }
            Self::Timeout => json!({}),
            Self::Cancelled { reason } => {
                let reason = match reason {
                    CancelReason::Operator => "operator",
                    CancelReason::Superseded => "superseded",
                };
                json!({ "reason": reason })
            }
            Self::Failed { reason } | Self::LoggedOut { reason } => json!({ "reason": reason }),
            Self::AccountUnlinked { reason } | Self::UnlinkAbandoned { reason } => json!({ "reason": reason }),
            Self::Disconnected { reason, next_retry_at } => {
                json!({ "reason": reason, "nextRetryAt": time(next_retry_at) })
            }
            Self::Held { reason, until } => json!({ "reason": reason, "until": until.as_ref().map(time) }),
            Self::GroupsSynced { count } => json!({ "count": count }),
            Self::AccountUnpaired { unlinked } | Self::AccountDeleted { unlinked } => {
                json!({ "unlinked": unlinked.as_str() })
            }
            Self::CommandFailed { command, kind, reason } => {
                json!({ "commandId": command.0, "kind": kind, "reason": reason })
            }
        }
    }

    /// See [`EventKind::is_terminal`].
    pub fn is_terminal(&self) -> bool {
        self.kind().is_terminal()
    }
}
