//! The view of an account for people, derived from its row: the phase of a pair attempt, and
//! the commands that make sense.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{CommandKind, Status, StatusReason, reason::capitalized, word::word};

/// The columns that the view is derived from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    pub status: Status,
    pub reason: &'a StatusReason,
    /// Keys of a link are held or parked.
    pub has_keys: bool,
    /// A QR code is on the row.
    pub has_qr: bool,
    /// A code to type is on the row.
    pub has_code: bool,
}

/// The phase of pairing, for pages that show it step by step. The last five stay until the
/// next attempt, or until the account is unpaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    Idle,
    Starting,
    Retrying,
    Scan,
    Code,
    Passkey,
    PasskeyConfirmation,
    Linking,
    Connected,
    Offline,
    Held,
    Gone,
    Duplicate,
    WrongPhone,
    Timeout,
    Cancelled,
    Failed,
}

word!(Phase);

impl Phase {
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Idle => "no attempt is running, and none ended without a link since the account was last linked",
            Self::Starting => "a connection is being opened; the code follows in a moment",
            Self::Retrying => "a connection of the attempt failed, and the next one follows; the reason says why",
            Self::Scan => "a QR code is to be scanned",
            Self::Code => "a code is to be typed on the phone; there may also be a QR code",
            Self::Passkey => "WhatsApp wants the passkey's assertion",
            Self::PasskeyConfirmation => "the operator is to compare the codes on both screens",
            Self::Linking => "the phone has scanned, and WhatsApp is linking",
            Self::Connected => "linked and online",
            Self::Offline => "linked; the connection is down, and paird reconnects by itself",
            Self::Held => "held: needs a person or a date",
            Self::Gone => "deleted; it cannot be paired any more",
            Self::Duplicate => "the last attempt ended: the phone is linked to another account",
            Self::WrongPhone => "the last attempt ended: another phone than the expected one scanned",
            Self::Timeout => "the last attempt ended: not linked in time",
            Self::Cancelled => "the last attempt ended: it was cancelled",
            Self::Failed => "the last attempt failed, and a retry cannot succeed; the reason says why",
        }
    }
}

impl Shown<'_> {
    pub fn phase(&self) -> Phase {
        match self.status {
            Status::Pending => self.phase_of_attempt(),
            Status::Connected => Phase::Connected,
            Status::Reconnecting => Phase::Offline,
            Status::Held => Phase::Held,
            Status::Deleting => Phase::Gone,
            Status::Unpaired => self.last_end(),
        }
    }

    fn phase_of_attempt(&self) -> Phase {
        let (phase, _) = self.reason.word().phases();
        if matches!(phase, Phase::Linking | Phase::Passkey | Phase::PasskeyConfirmation | Phase::Code) {
            phase
        } else if self.has_code {
            Phase::Code
        } else if self.has_qr {
            Phase::Scan
        } else {
            phase
        }
    }

    /// What went wrong so far in the running attempt and what to do about it, as sentences for people.
    pub fn setback(&self) -> Option<String> {
        let setback = self.reason.setback().filter(|_| self.status == Status::Pending)?;
        let advice = setback.advice().map(|advice| format!(" {}.", capitalized(advice)));
        Some(format!("{}.{}", setback.told(), advice.unwrap_or_default()))
    }

    /// An attempt that ended without a link leaves its end on the row.
    fn last_end(&self) -> Phase {
        let (_, phase) = self.reason.word().phases();
        phase
    }

    /// The commands that make sense now; the first is what one most likely came for.
    pub fn actions(&self) -> Vec<CommandKind> {
        let offered = CommandKind::ALL.iter().filter_map(|kind| Some((kind.place_among_actions(self)?, *kind)));
        let mut offered: Vec<_> = offered.collect();
        offered.sort_unstable_by_key(|(place, _)| *place);
        offered.into_iter().map(|(_, kind)| kind).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Reason;

    fn shown<'a>(status: Status, reason: &'a StatusReason) -> Shown<'a> {
        Shown { status, reason, has_keys: false, has_qr: false, has_code: false }
    }

    #[test]
    fn an_attempt_is_shown_by_what_it_waits_for() {
        let reason = |text: &str| StatusReason::parse(text);
        let phase = |text: &str| shown(Status::Pending, &reason(text)).phase();
        assert_eq!(phase("opening"), Phase::Starting);
        assert_eq!(phase("socket_lost: reset"), Phase::Retrying);
        assert_eq!(phase("linking"), Phase::Linking);
        assert_eq!(phase("waiting_for_passkey_confirmation"), Phase::PasskeyConfirmation);
        assert_eq!(phase("waiting_for_code"), Phase::Code);
        let rejected = reason("scan_rejected: no multi-device");
        let row = Shown { has_qr: true, ..shown(Status::Pending, &rejected) };
        assert_eq!(row.phase(), Phase::Scan);
        assert_eq!(Shown { has_code: true, ..row }.phase(), Phase::Code);
    }

    #[test]
    fn an_unpaired_account_shows_how_its_attempt_ended() {
        let phase = |text: &str| shown(Status::Unpaired, &StatusReason::parse(text)).phase();
        assert_eq!(phase("new"), Phase::Idle);
        assert_eq!(phase("operator"), Phase::Idle);
        assert_eq!(phase("logged_out"), Phase::Idle);
        assert_eq!(phase("duplicate"), Phase::Duplicate);
        assert_eq!(phase("client_outdated: 405"), Phase::Failed);
    }

    #[test]
    fn a_setback_is_told_with_advice_while_the_attempt_runs() {
        let reason = StatusReason::parse("waiting_for_scan: code_refused: 429");
        let told = "WhatsApp issued no code to type (429). Scan the QR instead, or wait a few minutes and pair again.";
        assert_eq!(shown(Status::Pending, &reason).setback().as_deref(), Some(told));
        assert_eq!(shown(Status::Unpaired, &reason).setback(), None);
        assert_eq!(shown(Status::Pending, &StatusReason::from(Reason::WaitingForScan)).setback(), None);
    }

    #[test]
    fn resuming_is_offered_only_with_keys() {
        let reason = StatusReason::from(Reason::Operator);
        let without = shown(Status::Unpaired, &reason);
        assert_eq!(without.actions(), [CommandKind::Pair, CommandKind::Delete]);
        let with = Shown { has_keys: true, ..without };
        assert_eq!(with.actions(), [CommandKind::Resume, CommandKind::Pair, CommandKind::Delete]);
    }
}
