//! An account as the console shows it: in lists, by itself, and in the live stream.

use chrono::{DateTime, FixedOffset, Utc};
use paird_actors::domain::advice;
use paird_sql::queries::console::ShownAccount;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::whatsapp::proxy::ProxyAddress;

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
    /// unpaired, pending, connected, reconnecting, held or deleting.
    pub status: String,
    /// A word, and after a colon WhatsApp's own.
    pub status_reason: String,
    pub status_since: DateTime<Utc>,
    pub next_retry_at: Option<DateTime<Utc>>,
    /// What the operator wants: unpaired, paired or deleted.
    pub desired: String,
    /// When a QR code is showing; its picture is at `/api/accounts/{id}/qr`.
    pub qr: Option<QrTimes>,
    /// Only when one account is asked for, and only while it is pending.
    pub pair_code: Option<String>,
    pub pair_deadline: Option<DateTime<Utc>>,
    pub expect_phone: Option<String>,
    pub created_at: DateTime<Utc>,
    /// The daemon that runs it.
    pub owner: Option<Owner>,
    /// What the reason means and what a person can do about it.
    pub advice: Option<String>,
    /// What everything of it goes through, without its login; null: it connects directly.
    pub proxy: Option<String>,
    /// User and password are set for the proxy. They are never told.
    pub proxy_has_login: bool,
    /// What the phone shows under "Linked devices", from the next pairing on; null: the daemon's.
    pub device_name: Option<String>,
    /// Device entries that must still leave a phone.
    pub open_tickets: i64,
}

/// How long a QR code is good.
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
        self.status == "pending"
    }
}

impl From<ShownAccount> for Account {
    fn from(row: ShownAccount) -> Self {
        let owner = match (row.owner_host, row.owner_pid, row.owner_version) {
            (Some(host), Some(pid), Some(version)) => Some(Owner { host, pid, version }),
            (_, _, _) => None,
        };
        Self {
            id: row.id,
            operator_id: row.operator_id,
            label: row.label,
            phone_number: row.phone_number,
            last_phone_number: row.last_phone_number,
            advice: advice(&row.status_reason).map(str::to_owned),
            status: row.status,
            status_reason: row.status_reason,
            status_since: row.status_since.to_utc(),
            next_retry_at: utc(row.next_retry_at),
            desired: row.desired,
            qr: row.last_qr_at.map(|at| QrTimes { at: at.to_utc(), expires_at: utc(row.qr_expires_at) }),
            pair_code: None,
            pair_deadline: utc(row.pair_deadline),
            expect_phone: row.expect_phone,
            created_at: row.created_at.to_utc(),
            owner,
            proxy: row.proxy.as_deref().map(ProxyAddress::shown),
            proxy_has_login: row.has_proxy_login,
            device_name: row.device_name,
            open_tickets: row.open_tickets,
        }
    }
}

pub fn utc(at: Option<DateTime<FixedOffset>>) -> Option<DateTime<Utc>> {
    at.map(|at| at.to_utc())
}
