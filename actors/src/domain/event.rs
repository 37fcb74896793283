use serde_json::{Value, json};

use super::{CommandId, Instant, Phone};

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
    Failed { reason: String },
    Disconnected { reason: String, next_retry_at: Instant },
    LoggedOut { reason: String },
    Held { reason: String, until: Option<Instant> },
    GroupsSynced { count: usize },
    AccountUnpaired { unlinked: Unlinked },
    AccountDeleted { unlinked: Unlinked },
    AccountUnlinked { reason: String },
    UnlinkAbandoned { reason: String },
    CommandFailed { command: CommandId, kind: String, reason: String },
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
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Qr { .. } => "session.qr",
            Self::Code { .. } => "session.code",
            Self::Passkey { .. } => "session.passkey",
            Self::Connected { .. } => "session.connected",
            Self::Duplicate { .. } => "session.duplicate",
            Self::WrongPhone { .. } => "session.wrong_phone",
            Self::Timeout => "session.timeout",
            Self::Cancelled { .. } => "session.cancelled",
            Self::Failed { .. } => "session.failed",
            Self::Disconnected { .. } => "session.disconnected",
            Self::LoggedOut { .. } => "session.logged_out",
            Self::Held { .. } => "session.held",
            Self::GroupsSynced { .. } => "groups.synced",
            Self::AccountUnpaired { .. } => "account.unpaired",
            Self::AccountDeleted { .. } => "account.deleted",
            Self::AccountUnlinked { .. } => "account.unlinked",
            Self::UnlinkAbandoned { .. } => "account.unlink_abandoned",
            Self::CommandFailed { .. } => "command.failed",
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
            Self::Failed { reason }
            | Self::LoggedOut { reason }
            | Self::AccountUnlinked { reason }
            | Self::UnlinkAbandoned { reason } => json!({ "reason": reason }),
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

    /// Ends a pair attempt. Each attempt has exactly one of these.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Connected { .. }
                | Self::Duplicate { .. }
                | Self::WrongPhone { .. }
                | Self::Timeout
                | Self::Cancelled { .. }
                | Self::Failed { .. }
        )
    }
}
