use strum::{EnumIter, IntoEnumIterator as _};

use super::{Instant, Reason, StatusReason};

/// Why a connection ended, in one vocabulary for every way WhatsApp says it.
///
/// Codes are those of `<failure reason=…>` and `<stream:error code=…>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EnumIter)]
pub enum CloseReason {
    /// The socket went away, or nothing was heard for too long.
    SocketLost(String),
    /// No connection came about: DNS, TCP, TLS or the version lookup failed.
    Unreachable(String),
    /// The account's proxy does not answer.
    ProxyUnreachable(String),
    /// The proxy is there and does not let us through to WhatsApp.
    ProxyRefused(String),
    /// The proxy wants another login.
    ProxyAuth(String),
    /// The proxy's address cannot be used as it is: nothing is dialled.
    ProxyInvalid(String),
    /// 500, 503: WhatsApp cannot serve us now.
    ServerBusy(String),
    /// 429: too many connections.
    RateLimited(String),
    /// 515: WhatsApp asks for a new connection; a step of pairing.
    RestartRequired,
    /// Conflict `device_removed`, or [`Self::NotAuthorized`] at two logins in a row: the device is
    /// no longer on the phone's list.
    LoggedOut(String),
    /// 401, 516: WhatsApp does not know the device, and does not say that it was removed. It
    /// was seen to say so once, and to let the same device in at its next login.
    NotAuthorized(String),
    /// 409, 440, conflict `replaced`: another connection of the same device took over.
    Replaced(String),
    /// 402: banned until the given moment, or for an unknown time.
    TemporaryBan { until: Option<Instant>, raw: String },
    /// 403, 406: banned or locked, by WhatsApp's word without an end.
    Banned(String),
    /// 405: WhatsApp no longer talks to this client version.
    ClientOutdated(String),
    /// Every QR ref of this socket was shown and none was scanned.
    QrExhausted,
    /// Anything else WhatsApp refused a connection with; kept raw.
    Refused(String),
    /// The credential store could not be read or written: never the same as "no keys".
    StoreFailed(String),
    /// The stored keys are there and cannot be used: missing records, a broken seal.
    KeysUnusable(String),
}

/// What is wrong with an account's proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    Invalid,
    Unreachable,
    Auth,
    Refused,
}

/// The consequence of a close for a linked account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Connect again, after a backoff.
    Retry,
    /// Connect again at once.
    RestartNow,
    /// The link is gone: erase the keys, never pair by itself.
    LinkGone,
    /// The link may be gone: a second login decides.
    LookAgain,
    /// Needs a person, or the given date.
    Hold { until: Option<Instant>, cause: HoldCause },
}

/// Why an account is held, as far as that decides what it does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldCause {
    /// WhatsApp refuses the client, whoever logs in with it: now and then the account tries
    /// whether it still does, and is held meanwhile.
    OutdatedClient,
    /// Its proxy cannot be used: with another one it connects again.
    UnusableProxy,
    /// Something that only a person, or a date, changes.
    Other,
}

impl HoldCause {
    /// Of an account that a former life held; its row says no more than the reason.
    pub fn of_row(reason: &StatusReason) -> Self {
        if reason.word() == Reason::ClientOutdated {
            Self::OutdatedClient
        } else if reason.word() == Reason::ProxyInvalid {
            Self::UnusableProxy
        } else {
            Self::Other
        }
    }
}

impl CloseReason {
    /// One of each, with nothing said of it.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// The consequence for a linked account: the table in sql/README.md, "Statuses".
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::SocketLost(_)
            | Self::Unreachable(_)
            | Self::ProxyUnreachable(_)
            | Self::ProxyRefused(_)
            | Self::ProxyAuth(_)
            | Self::ServerBusy(_)
            | Self::RateLimited(_)
            | Self::QrExhausted
            | Self::Refused(_)
            | Self::StoreFailed(_) => Verdict::Retry,
            Self::RestartRequired => Verdict::RestartNow,
            Self::LoggedOut(_) => Verdict::LinkGone,
            Self::NotAuthorized(_) => Verdict::LookAgain,
            Self::TemporaryBan { until, .. } => Verdict::Hold { until: *until, cause: HoldCause::Other },
            Self::ClientOutdated(_) => Verdict::Hold { until: None, cause: HoldCause::OutdatedClient },
            Self::ProxyInvalid(_) => Verdict::Hold { until: None, cause: HoldCause::UnusableProxy },
            Self::Replaced(_) | Self::Banned(_) | Self::KeysUnusable(_) => {
                Verdict::Hold { until: None, cause: HoldCause::Other }
            }
        }
    }

    /// No further try of a pair attempt can mend this.
    pub fn ends_an_attempt(&self) -> bool {
        match self {
            Self::ClientOutdated(_) | Self::Banned(_) | Self::TemporaryBan { .. } | Self::ProxyInvalid(_) => true,
            Self::SocketLost(_)
            | Self::Unreachable(_)
            | Self::ProxyUnreachable(_)
            | Self::ProxyRefused(_)
            | Self::ProxyAuth(_)
            | Self::ServerBusy(_)
            | Self::RateLimited(_)
            | Self::RestartRequired
            | Self::LoggedOut(_)
            | Self::NotAuthorized(_)
            | Self::Replaced(_)
            | Self::QrExhausted
            | Self::Refused(_)
            | Self::StoreFailed(_)
            | Self::KeysUnusable(_) => false,
        }
    }

    /// Whether a first login is tried again at once after a socket between the confirmed link
    /// and that login ended like this: 515 always, and whatever another socket may mend.
    pub fn may_log_in_again(&self) -> bool {
        match self {
            Self::RestartRequired
            | Self::SocketLost(_)
            | Self::Unreachable(_)
            | Self::ProxyUnreachable(_)
            | Self::ProxyRefused(_)
            | Self::ServerBusy(_) => true,
            Self::RateLimited(_)
            | Self::LoggedOut(_)
            | Self::NotAuthorized(_)
            | Self::Replaced(_)
            | Self::TemporaryBan { .. }
            | Self::Banned(_)
            | Self::ClientOutdated(_)
            | Self::QrExhausted
            | Self::ProxyAuth(_)
            | Self::ProxyInvalid(_)
            | Self::Refused(_)
            | Self::StoreFailed(_)
            | Self::KeysUnusable(_) => false,
        }
    }

    /// What is wrong with the account's proxy; `None` if the fault lies beyond it.
    pub fn proxy_fault(&self) -> Option<ProxyFault> {
        match self {
            Self::ProxyInvalid(_) => Some(ProxyFault::Invalid),
            Self::ProxyUnreachable(_) => Some(ProxyFault::Unreachable),
            Self::ProxyAuth(_) => Some(ProxyFault::Auth),
            Self::ProxyRefused(_) => Some(ProxyFault::Refused),
            Self::SocketLost(_)
            | Self::Unreachable(_)
            | Self::ServerBusy(_)
            | Self::RateLimited(_)
            | Self::RestartRequired
            | Self::LoggedOut(_)
            | Self::NotAuthorized(_)
            | Self::Replaced(_)
            | Self::TemporaryBan { .. }
            | Self::Banned(_)
            | Self::ClientOutdated(_)
            | Self::QrExhausted
            | Self::Refused(_)
            | Self::StoreFailed(_)
            | Self::KeysUnusable(_) => None,
        }
    }

    /// WhatsApp judged the account, so it accepted the client: with one that it refuses it does
    /// not get that far.
    pub fn proves_client_accepted(&self) -> bool {
        match self {
            Self::LoggedOut(_)
            | Self::NotAuthorized(_)
            | Self::Replaced(_)
            | Self::TemporaryBan { .. }
            | Self::Banned(_) => true,
            Self::SocketLost(_)
            | Self::Unreachable(_)
            | Self::ProxyUnreachable(_)
            | Self::ProxyRefused(_)
            | Self::ProxyAuth(_)
            | Self::ProxyInvalid(_)
            | Self::ServerBusy(_)
            | Self::RateLimited(_)
            | Self::RestartRequired
            | Self::ClientOutdated(_)
            | Self::QrExhausted
            | Self::Refused(_)
            | Self::StoreFailed(_)
            | Self::KeysUnusable(_) => false,
        }
    }

    /// The word on the row and in events.
    pub fn code(&self) -> &'static str {
        Reason::from(self).as_str()
    }

    /// The word and the raw words, as the row and the events keep them.
    pub fn reason(&self) -> StatusReason {
        StatusReason::new(self.into(), self.raw().unwrap_or_default())
    }

    /// [`CloseReason::reason`] as text.
    pub fn describe(&self) -> String {
        self.reason().to_string()
    }

    /// WhatsApp's own words, where it said any.
    pub fn raw(&self) -> Option<&str> {
        match self {
            Self::SocketLost(raw)
            | Self::Unreachable(raw)
            | Self::ProxyUnreachable(raw)
            | Self::ProxyRefused(raw)
            | Self::ProxyAuth(raw)
            | Self::ProxyInvalid(raw)
            | Self::ServerBusy(raw)
            | Self::RateLimited(raw)
            | Self::LoggedOut(raw)
            | Self::NotAuthorized(raw)
            | Self::Replaced(raw)
            | Self::TemporaryBan { raw, .. }
            | Self::Banned(raw)
            | Self::ClientOutdated(raw)
            | Self::Refused(raw)
            | Self::StoreFailed(raw)
            | Self::KeysUnusable(raw) => Some(raw),
            Self::RestartRequired | Self::QrExhausted => None,
        }
    }
}

impl From<&CloseReason> for Reason {
    fn from(close: &CloseReason) -> Self {
        match close {
            CloseReason::SocketLost(_) => Self::SocketLost,
            CloseReason::Unreachable(_) => Self::Unreachable,
            CloseReason::ProxyUnreachable(_) => Self::ProxyUnreachable,
            CloseReason::ProxyRefused(_) => Self::ProxyRefused,
            CloseReason::ProxyAuth(_) => Self::ProxyAuth,
            CloseReason::ProxyInvalid(_) => Self::ProxyInvalid,
            CloseReason::ServerBusy(_) => Self::ServerBusy,
            CloseReason::RateLimited(_) => Self::RateLimited,
            CloseReason::RestartRequired => Self::RestartRequired,
            CloseReason::LoggedOut(_) => Self::LoggedOut,
            CloseReason::NotAuthorized(_) => Self::NotAuthorized,
            CloseReason::Replaced(_) => Self::Replaced,
            CloseReason::TemporaryBan { .. } => Self::TemporaryBan,
            CloseReason::Banned(_) => Self::Banned,
            CloseReason::ClientOutdated(_) => Self::ClientOutdated,
            CloseReason::QrExhausted => Self::QrExhausted,
            CloseReason::Refused(_) => Self::Refused,
            CloseReason::StoreFailed(_) => Self::StoreFailed,
            CloseReason::KeysUnusable(_) => Self::KeysUnusable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_word_of_its_own_and_advice_for_a_person() {
        let words: std::collections::HashSet<_> = CloseReason::all().map(|reason| reason.code()).collect();
        assert_eq!(words.len(), CloseReason::all().count());
        for reason in CloseReason::all() {
            let told = StatusReason::parse(&reason.describe());
            assert_eq!(told, reason.reason());
            assert!(told.word().advice().is_some(), "{}", reason.code());
        }
    }

    #[test]
    fn a_first_login_is_repeated_after_what_another_socket_mends() {
        let repeated: Vec<_> =
            CloseReason::all().filter(CloseReason::may_log_in_again).map(|reason| reason.code()).collect();
        let expected =
            ["socket_lost", "unreachable", "proxy_unreachable", "proxy_refused", "server_busy", "restart_required"];
        assert_eq!(repeated, expected);
    }

    #[test]
    fn only_a_judgement_on_the_account_proves_the_client_good() {
        let proofs: Vec<_> =
            CloseReason::all().filter(CloseReason::proves_client_accepted).map(|reason| reason.code()).collect();
        assert_eq!(proofs, ["logged_out", "not_authorized", "replaced", "temporary_ban", "banned"]);
    }

    #[test]
    fn a_row_says_the_cause_that_the_close_had() {
        for reason in CloseReason::all() {
            if let Verdict::Hold { cause, .. } = reason.verdict() {
                assert_eq!(HoldCause::of_row(&reason.reason()), cause, "{}", reason.code());
            }
        }
    }
}
