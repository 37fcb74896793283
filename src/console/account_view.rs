//! The account as the API shows it: in lists, by itself, and in the live stream.

use chrono::{DateTime, FixedOffset, Utc};
use paird_actors::domain::{CommandKind, Phase, Reason, Shown, Status, StatusReason, describe_pause};
use paird_sql::queries::console::ShownAccount;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::vocabulary;
use crate::proxy_address::ProxyAddress;

/// An account.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub id: Uuid,
    pub operator_id: Uuid,
    pub label: String,
    /// Digits only; set while the account holds, or is completing, a link.
    pub phone_number: Option<String>,
    pub last_phone_number: Option<String>,
    #[schema(schema_with = vocabulary::status)]
    pub status: String,
    /// A word, and after a colon WhatsApp's own. `statusWord` and `statusRaw` are its parts.
    pub status_reason: String,
    #[schema(schema_with = vocabulary::reason_word)]
    pub status_word: Reason,
    /// Details of the reason, from WhatsApp or another part.
    pub status_raw: Option<String>,
    /// Status and reason as one sentence for people, without its full stop.
    pub status_text: String,
    pub status_since: DateTime<Utc>,
    pub next_retry_at: Option<DateTime<Utc>>,
    #[schema(schema_with = vocabulary::phase)]
    pub phase: Phase,
    #[schema(schema_with = vocabulary::actions)]
    pub actions: Vec<CommandKind>,
    /// It holds or has parked the keys of a link: `account.resume` can connect it.
    pub has_keys: bool,
    #[schema(schema_with = vocabulary::desired)]
    pub desired: String,
    /// When a QR code is showing; its picture is at `/api/accounts/{id}/qr`.
    pub qr: Option<QrTimes>,
    /// Only when one account is asked for, and only while it is pending.
    pub pair_code: Option<String>,
    pub pair_deadline: Option<DateTime<Utc>>,
    pub expect_phone: Option<String>,
    /// The only number that an attempt may link, unless `account.pair` names one: digits.
    pub desired_phone: Option<String>,
    /// What went wrong so far in the running attempt and what to do about it, as sentences for people.
    pub setback: Option<String>,
    pub created_at: DateTime<Utc>,
    /// The daemon that runs it.
    pub owner: Option<Owner>,
    /// Advice for a person about the reason; null if nothing is wrong.
    pub advice: Option<String>,
    /// The proxy of all its traffic, without its login; null: it connects directly.
    pub proxy: Option<String>,
    /// User and password are set for the proxy. They are never returned.
    pub proxy_has_login: bool,
    /// The name under "Linked devices" on the phone, from the next pairing on; null: the daemon's.
    pub device_name: Option<String>,
    /// Whether it looks online while it is linked: `silent` or `available`.
    pub presence: String,
    /// Its operator's words for it, none twice in whatever case.
    pub tags: Vec<String>,
    /// Until then nothing is sent to new chats, for WhatsApp refuses it; null: no such thing.
    pub sending_paused_until: Option<DateTime<Utc>>,
    /// Why, as a sentence without its full stop.
    pub sending_paused_text: Option<String>,
    /// Device entries that must still leave a phone.
    pub open_tickets: i64,
}

/// The time in which a QR code is valid.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QrTimes {
    pub at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A running daemon.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub struct Owner {
    pub host: String,
    pub pid: i32,
    pub version: String,
}

impl Account {
    pub fn is_pending(&self) -> bool {
        self.status == Status::Pending.as_str()
    }
}

impl From<ShownAccount> for Account {
    fn from(row: ShownAccount) -> Self {
        let owner = match (row.owner_host, row.owner_pid, row.owner_version) {
            (Some(host), Some(pid), Some(version)) => Some(Owner { host, pid, version }),
            (_, _, _) => None,
        };
        let reason = StatusReason::parse(&row.status_reason);
        let account = Shown {
            // A word that a newer version or a person wrote: the daemon holds such an account.
            status: Status::parse(&row.status).unwrap_or(Status::Held),
            reason: &reason,
            has_keys: row.has_keys,
            has_qr: row.last_qr_at.is_some(),
            has_code: row.has_pair_code,
        };
        Self {
            id: row.id,
            operator_id: row.operator_id,
            label: row.label,
            phone_number: row.phone_number,
            last_phone_number: row.last_phone_number,
            status: row.status,
            status_reason: row.status_reason,
            status_word: reason.word(),
            status_raw: reason.raw().map(str::to_owned),
            status_text: reason.text(account.status),
            phase: account.phase(),
            actions: account.actions(),
            has_keys: row.has_keys,
            setback: account.setback(),
            advice: reason.advice().map(str::to_owned),
            status_since: row.status_since.to_utc(),
            next_retry_at: utc(row.next_retry_at),
            desired: row.desired,
            qr: row.last_qr_at.map(|at| QrTimes { at: at.to_utc(), expires_at: utc(row.qr_expires_at) }),
            pair_code: None,
            pair_deadline: utc(row.pair_deadline),
            expect_phone: row.expect_phone,
            desired_phone: row.desired_phone,
            created_at: row.created_at.to_utc(),
            owner,
            proxy: row.proxy.as_deref().map(ProxyAddress::shown),
            proxy_has_login: row.has_proxy_login,
            device_name: row.device_name,
            presence: row.presence,
            tags: row.tags,
            sending_paused_until: utc(row.sending_paused_until),
            sending_paused_text: row.sending_paused_reason.as_deref().map(describe_pause),
            open_tickets: row.open_tickets,
        }
    }
}

pub fn utc(at: Option<DateTime<FixedOffset>>) -> Option<DateTime<Utc>> {
    at.map(|at| at.to_utc())
}
