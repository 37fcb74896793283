//! What the page of a link is told: of one account, what it takes to pair it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use paird_actors::domain::{Phase, Shown, Status, StatusReason};
use paird_sql::queries::pairing_links::ViewedPairingLink;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::console::account_view::utc;
use crate::qr::modules_of;

/// Digits of a number that are told: enough to recognize one's own.
const SHOWN_DIGITS: usize = 3;

/// How the pairing is. No number, no other account, nothing of the daemon is in it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PairingState {
    label: String,
    phase: Phase,
    /// An attempt may be begun.
    can_pair: bool,
    /// It was asked for, and begins in a moment.
    is_asked: bool,
    /// SVG.
    qr: Option<String>,
    qr_at: Option<DateTime<Utc>>,
    qr_expires_at: Option<DateTime<Utc>>,
    code: Option<String>,
    deadline: Option<DateTime<Utc>>,
    setback: Option<String>,
    /// The last digits of the only number that is accepted.
    expects: Option<String>,
    expires_at: DateTime<Utc>,
}

impl From<ViewedPairingLink> for PairingState {
    fn from(row: ViewedPairingLink) -> Self {
        let reason = StatusReason::parse(&row.status_reason);
        let account = Shown {
            status: Status::parse(&row.status).unwrap_or(Status::Held),
            reason: &reason,
            has_keys: false,
            has_qr: row.qr_png.is_some(),
            has_code: row.pair_code.is_some(),
        };
        // Of a link that is used up nothing is told but that.
        let phase = if row.is_live { account.phase() } else { Phase::Connected };
        let is_pending = phase != Phase::Connected && account.status == Status::Pending;
        let can_pair = row.is_live && matches!(account.status, Status::Unpaired | Status::Pending);
        Self {
            phase,
            can_pair,
            is_asked: row.is_live && row.is_asked,
            qr: row.qr_png.as_deref().and_then(|png| Some(modules_of(png).ok()?.svg())),
            qr_at: utc(row.qr_at).filter(|_| is_pending),
            qr_expires_at: utc(row.qr_expires_at).filter(|_| is_pending),
            deadline: utc(row.pair_deadline).filter(|_| is_pending),
            setback: account.setback().filter(|_| is_pending),
            expects: row.expect_phone.filter(|_| can_pair).map(|digits| last_digits(&digits)),
            code: row.pair_code,
            label: row.label,
            expires_at: row.expires_at.to_utc(),
        }
    }
}

fn last_digits(digits: &str) -> String {
    digits.chars().skip(digits.chars().count().saturating_sub(SHOWN_DIGITS)).collect()
}

/// Another one whenever the page would look otherwise. Of the row, since a picture takes time to draw.
pub(super) fn etag(row: &ViewedPairingLink) -> String {
    let ViewedPairingLink {
        is_live,
        label,
        status,
        status_reason,
        qr_png,
        qr_at,
        qr_expires_at,
        pair_code,
        pair_deadline,
        expect_phone,
        expires_at,
        is_asked,
    } = row;
    let seen = format!(
        "{is_live}\0{label}\0{status}\0{status_reason}\0{qr_png:?}\0{qr_at:?}\0{qr_expires_at:?}\0{pair_code:?}\0\
         {pair_deadline:?}\0{expect_phone:?}\0{expires_at}\0{is_asked}"
    );
    let hash = Sha256::digest(seen);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash.get(..12).unwrap_or_default()))
}
