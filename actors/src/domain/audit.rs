use serde_json::Value;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::word::word;

/// What the audit log says was done to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
pub enum AuditAction {
    #[strum(serialize = "account.paired")]
    Paired,
    #[strum(serialize = "account.unpaired")]
    Unpaired,
    #[strum(serialize = "account.deleted")]
    Deleted,
    #[strum(serialize = "account.logged_out")]
    LoggedOut,
    #[strum(serialize = "account.held")]
    Held,
    #[strum(serialize = "account.unlinked")]
    Unlinked,
    #[strum(serialize = "account.unlink_abandoned")]
    UnlinkAbandoned,
    #[strum(serialize = "account.renamed")]
    Renamed,
    #[strum(serialize = "session.disconnected")]
    Disconnected,
}

word!(AuditAction);

impl AuditAction {
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Paired => "a phone was linked",
            Self::Unpaired => "the operator unpaired the account",
            Self::Deleted => "the operator deleted the account",
            Self::LoggedOut => "the phone or WhatsApp removed the device",
            Self::Held => "the account is held, see the reason in the payload",
            Self::Unlinked => "WhatsApp confirmed that a device entry is gone from the phone",
            Self::UnlinkAbandoned => "a device entry could not be removed in time",
            Self::Renamed => "a migration gave the account another label: the former broke a new limit",
            Self::Disconnected => "the connection was lost",
        }
    }
}

/// A line of `audit_log`. Operator, label and target are added by the statement
/// that writes it, from the account's row.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Who asked: `web`, `cli`, `paird` for what nobody asked.
    pub source: String,
    pub action: AuditAction,
    /// WhatsApp's raw reason, where there is one.
    pub raw: Option<String>,
    /// What else belongs to it; an object.
    pub payload: Value,
}
