use serde_json::Value;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{reason::capitalized, word::word};

/// An action in the audit log, done to an account, a daemon or its keys. Triggers write those
/// that change a row without a command, and those of commands that lead to no change.
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
    #[strum(serialize = "account.added")]
    Added,
    #[strum(serialize = "account.renamed")]
    Renamed,
    #[strum(serialize = "account.proxied")]
    Proxied,
    #[strum(serialize = "account.device_named")]
    DeviceNamed,
    #[strum(serialize = "account.presence_set")]
    PresenceSet,
    #[strum(serialize = "account.pace_set")]
    PaceSet,
    #[strum(serialize = "account.tagged")]
    Tagged,
    #[strum(serialize = "account.number_desired")]
    NumberDesired,
    #[strum(serialize = "account.resumed")]
    Resumed,
    #[strum(serialize = "account.reconnected")]
    Reconnected,
    #[strum(serialize = "account.restarted")]
    Restarted,
    #[strum(serialize = "account.cancelled")]
    Cancelled,
    #[strum(serialize = "account.passkey_answered")]
    PasskeyAnswered,
    #[strum(serialize = "account.pairing_link_made")]
    PairingLinkMade,
    #[strum(serialize = "account.pairing_link_opened")]
    PairingLinkOpened,
    #[strum(serialize = "account.pairing_link_used")]
    PairingLinkUsed,
    #[strum(serialize = "account.pairing_link_revoked")]
    PairingLinkRevoked,
    #[strum(serialize = "account.duplicate_refused")]
    DuplicateRefused,
    #[strum(serialize = "account.wrong_phone_refused")]
    WrongPhoneRefused,
    #[strum(serialize = "session.disconnected")]
    Disconnected,
    #[strum(serialize = "keys.rotated")]
    KeysRotated,
    #[strum(serialize = "daemon.drained")]
    Drained,
    #[strum(serialize = "daemon.undrained")]
    Undrained,
    #[strum(serialize = "daemon.swept")]
    Swept,
    #[strum(serialize = "daemon.resynced")]
    Resynced,
    #[strum(serialize = "console.logged_in")]
    ConsoleLoggedIn,
    #[strum(serialize = "console.login_failed")]
    ConsoleLoginFailed,
}

word!(AuditAction);

impl AuditAction {
    /// The same as the headline of a record.
    pub fn headline(self) -> &'static str {
        match self {
            Self::Paired => "Paired",
            Self::Unpaired => "Unpaired",
            Self::Deleted => "Deleted",
            Self::LoggedOut => "Logged out by WhatsApp",
            Self::Held => "Held by WhatsApp",
            Self::Unlinked => "Device removed from the phone",
            Self::UnlinkAbandoned => "Device could not be removed from the phone",
            Self::Added => "Added",
            Self::Renamed => "Renamed",
            Self::Proxied => "Proxy changed",
            Self::DeviceNamed => "Device name changed",
            Self::PresenceSet => "Presence changed",
            Self::PaceSet => "Pace of messages set",
            Self::Tagged => "Tags changed",
            Self::NumberDesired => "Number to link changed",
            Self::Resumed => "Resumed",
            Self::Reconnected => "Connected anew",
            Self::Restarted => "Restarted",
            Self::Cancelled => "Pairing cancelled",
            Self::PasskeyAnswered => "Passkey answered",
            Self::PairingLinkMade => "Pairing link made",
            Self::PairingLinkOpened => "Pairing link opened",
            Self::PairingLinkUsed => "Pairing link used",
            Self::PairingLinkRevoked => "Pairing link revoked",
            Self::DuplicateRefused => "Phone refused: linked to another account",
            Self::WrongPhoneRefused => "Phone refused: a different one was expected",
            Self::Disconnected => "Connection lost",
            Self::KeysRotated => "Keys rotated",
            Self::Drained => "Daemon drained",
            Self::Undrained => "Drain undone",
            Self::Swept => "Abandoned attempts ended",
            Self::Resynced => "Resync requested",
            Self::ConsoleLoggedIn => "Logged in to the console",
            Self::ConsoleLoginFailed => "Wrong token for the console",
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Self::Paired => "a phone was linked",
            Self::Unpaired => "the operator unpaired the account",
            Self::Deleted => "the operator deleted the account",
            Self::LoggedOut => "the phone or WhatsApp removed the device",
            Self::Held => "the account is held, see the reason in the payload",
            Self::Unlinked => "WhatsApp confirmed that a device entry is gone from the phone",
            Self::UnlinkAbandoned => "a device entry could not be removed in time",
            Self::Added => "the account was added",
            Self::Renamed => {
                "the account's label was changed, by an operator or by a migration whose new limit `former` exceeded"
            }
            Self::Proxied => {
                "the account's proxy (`proxy`) was set or removed, or the login for it (`login`: `set` or `removed`, never the login itself)"
            }
            Self::DeviceNamed => "the name that the phone lists was set, to `deviceName`",
            Self::PresenceSet => "the account's presence was set, to `presence`",
            Self::PaceSet => {
                "the pace of the account's messages was set, to `sendRate`, `sendBurst` and `newChatsPerDay`"
            }
            Self::Tagged => "the account's tags were changed, to `tags`",
            Self::NumberDesired => "the only number that may be linked was set to `desiredPhone`, or removed",
            Self::Resumed => "the operator had the account reconnect with its stored keys",
            Self::Reconnected => "the account was reconnected by a command, or because its proxy changed",
            Self::Restarted => "the account's actor was restarted by an operator",
            Self::Cancelled => "the operator ended the pair attempt",
            Self::PasskeyAnswered => "the operator answered a passkey challenge, or confirmed the code",
            Self::PairingLinkMade => {
                "a pairing link was made: `link` is its id, and how often and until when it can be used"
            }
            Self::PairingLinkOpened => "a pairing link was opened for the first time",
            Self::PairingLinkUsed => "a phone was linked while a pairing link was live, which is a use of it",
            Self::PairingLinkRevoked => "a pairing link was revoked before it was used up or had expired",
            Self::DuplicateRefused => {
                "a phone was refused: another account of the operator, `existingLabel`, has its number"
            }
            Self::WrongPhoneRefused => "a phone was refused: a different one was expected",
            Self::Disconnected => "the connection was lost",
            Self::KeysRotated => "every key was wrapped with the new master key `key`",
            Self::Drained => "a daemon was asked to release its accounts",
            Self::Undrained => "a daemon was asked to claim accounts again",
            Self::Swept => "attempts that a crash had left behind were ended on request",
            Self::Resynced => "a daemon was asked to compare everything with the database",
            Self::ConsoleLoggedIn => "a login to the console",
            Self::ConsoleLoginFailed => {
                "wrong tokens were sent to the console or the HTTP API, `count` of them; at most one such line a minute"
            }
        }
    }
}

/// An audit record as a sentence: the action, which this version need not know, and the
/// source that its sender claims to be.
pub fn describe_action(action: &str, source: &str) -> String {
    let what = match AuditAction::parse(action) {
        Some(action) => action.headline().to_owned(),
        None => capitalized(&action.replace(['.', '_'], " ")),
    };
    let who = match source {
        "paird" => return what,
        "web" => "the web app",
        "cli" => "the command line",
        "console" => "the console",
        "api" => "the API",
        "notify" => "a notification",
        "pairing_link" => "whoever had a pairing link",
        other => other,
    };
    format!("{what}, asked by {who}")
}

/// A line of `audit_log`. Operator, label and target are added by the statement
/// that writes it, from the account's row.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The source that asked: `web`, `cli`, or `paird` if no operator did.
    pub source: String,
    pub action: AuditAction,
    /// WhatsApp's raw reason, where there is one.
    pub raw: Option<String>,
    /// Further details; an object.
    pub payload: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_names_the_action_and_its_source() {
        assert_eq!(describe_action("account.paired", "web"), "Paired, asked by the web app");
        assert_eq!(describe_action("account.held", "paird"), "Held by WhatsApp");
        assert_eq!(describe_action("account.waved_at", "crm"), "Account waved at, asked by crm");
    }
}
