//! Why an account has the status that it has.

use std::fmt;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{Phase, Status, word::word};

/// Every word that `status_reason` may begin with. [`Reason::Pairing`] alone is only in an
/// event, and [`Reason::Unknown`] is never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    New,
    // A pair attempt on its way.
    Opening,
    WaitingForScan,
    WaitingForCode,
    WaitingForPasskey,
    WaitingForPasskeyConfirmation,
    Linking,
    Reconnecting,
    DaemonRestarted,
    ScanRejected,
    CodeExpired,
    CodeRefused,
    PasskeyFailed,
    PasskeyTimeout,
    NoAnswer,
    NoLogin,
    QrExhausted,
    // The outcome of an attempt.
    Duplicate,
    WrongPhone,
    Timeout,
    Cancelled,
    // A link and its connection.
    Connected,
    Resuming,
    HoldOver,
    Released,
    Pairing,
    SocketLost,
    Unreachable,
    ProxyUnreachable,
    ProxyRefused,
    ProxyAuth,
    ProxyInvalid,
    ServerBusy,
    RateLimited,
    RestartRequired,
    NotAuthorized,
    Refused,
    StoreFailed,
    // Needs a person or a date.
    Replaced,
    TemporaryBan,
    Banned,
    ClientOutdated,
    KeysUnusable,
    RowUnreadable,
    WriteRefused,
    // No link.
    LoggedOut,
    NoKeys,
    Operator,
    Unlinking,
    Deleted,
    /// A text on the row that an older version or a person wrote; it is kept as it is.
    Unknown,
}

word!(Reason);

impl Reason {
    /// The meaning as a sentence for people, without its full stop.
    pub fn headline(self) -> &'static str {
        match self {
            Self::New => "Never paired",
            Self::Opening => "Connecting to WhatsApp",
            Self::WaitingForScan => "Waiting for the phone to scan the QR code",
            Self::WaitingForCode => "Waiting for the code to be typed on the phone",
            Self::WaitingForPasskey => "WhatsApp asks for a passkey",
            Self::WaitingForPasskeyConfirmation => "WhatsApp shows a code to compare with the phone's",
            Self::Linking => "The phone has scanned, WhatsApp is linking",
            Self::Reconnecting => "Reconnecting, as the operator asked",
            Self::DaemonRestarted => "paird was restarted and continues",
            Self::ScanRejected => "The last scan was not accepted",
            Self::CodeExpired => "The code to type is no longer valid",
            Self::CodeRefused => "WhatsApp issued no code to type",
            Self::PasskeyFailed => "The passkey exchange failed",
            Self::PasskeyTimeout => "The passkey was not answered in time",
            Self::NoAnswer => "WhatsApp did not answer",
            Self::NoLogin => "The login after the scan did not happen",
            Self::QrExhausted => "Every QR code of this connection was shown; new ones follow",
            Self::Duplicate => "The phone is linked to another account already",
            Self::WrongPhone => "Another phone than the expected one scanned",
            Self::Timeout => "Nobody scanned in time",
            Self::Cancelled => "Pairing was cancelled",
            Self::Connected => "Linked and online",
            Self::Resuming => "Connecting with the stored keys",
            Self::HoldOver => "The hold is over, reconnecting",
            Self::Released => "Handed over from one daemon to another",
            Self::Pairing => "A pair attempt replaces the link",
            Self::SocketLost => "The connection to WhatsApp was lost",
            Self::Unreachable => "WhatsApp cannot be reached",
            Self::ProxyUnreachable => "The account's proxy cannot be reached",
            Self::ProxyRefused => "The proxy does not pass connections to WhatsApp",
            Self::ProxyAuth => "The proxy rejected the user or password",
            Self::ProxyInvalid => "The proxy's address cannot be used",
            Self::ServerBusy => "WhatsApp's server is busy",
            Self::RateLimited => "WhatsApp says: too many connections",
            Self::RestartRequired => "WhatsApp asked for a new connection",
            Self::Refused => "WhatsApp refused the connection",
            Self::StoreFailed => "Keys or messages could not be read or written",
            Self::Replaced => "Another program took over the connection",
            Self::TemporaryBan => "Banned by WhatsApp for some time",
            Self::Banned => "Banned or locked by WhatsApp",
            Self::ClientOutdated => "WhatsApp no longer talks to this version of paird",
            Self::KeysUnusable => "The stored keys cannot be used",
            Self::RowUnreadable => "The account's row has a value that paird cannot read",
            Self::WriteRefused => "The database refused what paird had to write",
            Self::NotAuthorized => {
                "WhatsApp does not know the device; paird tries one more login before accepting that"
            }
            Self::LoggedOut => "Logged out by the phone or by WhatsApp",
            Self::NoKeys => "There are no stored keys",
            Self::Operator => "As the operator asked",
            Self::Unlinking => "The device is being removed from the phone",
            Self::Deleted => "Deleted",
            Self::Unknown => "This version does not know the reason",
        }
    }

    /// The pairing phase that it stands for: first for a running attempt without a code on the
    /// row, then for an account that is not paired.
    pub(super) fn phases(self) -> (Phase, Phase) {
        match self {
            Self::Linking => (Phase::Linking, Phase::Idle),
            Self::WaitingForPasskey => (Phase::Passkey, Phase::Idle),
            Self::WaitingForPasskeyConfirmation => (Phase::PasskeyConfirmation, Phase::Idle),
            Self::WaitingForCode => (Phase::Code, Phase::Idle),
            Self::Opening | Self::DaemonRestarted | Self::WaitingForScan | Self::Reconnecting => {
                (Phase::Starting, Phase::Idle)
            }
            Self::Duplicate => (Phase::Retrying, Phase::Duplicate),
            Self::WrongPhone => (Phase::Retrying, Phase::WrongPhone),
            Self::Timeout => (Phase::Retrying, Phase::Timeout),
            Self::Cancelled => (Phase::Retrying, Phase::Cancelled),
            Self::SocketLost
            | Self::Unreachable
            | Self::ProxyUnreachable
            | Self::ProxyRefused
            | Self::ProxyAuth
            | Self::ProxyInvalid
            | Self::ServerBusy
            | Self::RateLimited
            | Self::RestartRequired
            | Self::Refused
            | Self::StoreFailed
            | Self::Replaced
            | Self::TemporaryBan
            | Self::Banned
            | Self::ClientOutdated
            | Self::KeysUnusable
            | Self::QrExhausted => (Phase::Retrying, Phase::Failed),
            Self::Deleted | Self::Unlinking => (Phase::Retrying, Phase::Gone),
            Self::New
            | Self::ScanRejected
            | Self::CodeExpired
            | Self::CodeRefused
            | Self::PasskeyFailed
            | Self::PasskeyTimeout
            | Self::NoAnswer
            | Self::NoLogin
            | Self::Connected
            | Self::Resuming
            | Self::HoldOver
            | Self::Released
            | Self::Pairing
            | Self::RowUnreadable
            | Self::WriteRefused
            | Self::NotAuthorized
            | Self::LoggedOut
            | Self::NoKeys
            | Self::Operator
            | Self::Unknown => (Phase::Retrying, Phase::Idle),
        }
    }

    /// Something went wrong with a running attempt, which goes on. Not that every QR code was shown:
    /// new ones follow.
    pub(crate) fn is_setback(self) -> bool {
        match self {
            Self::ScanRejected
            | Self::CodeExpired
            | Self::CodeRefused
            | Self::PasskeyFailed
            | Self::PasskeyTimeout
            | Self::NoAnswer
            | Self::NoLogin
            | Self::SocketLost
            | Self::Unreachable
            | Self::ProxyUnreachable
            | Self::ProxyRefused
            | Self::ProxyAuth
            | Self::ProxyInvalid
            | Self::ServerBusy
            | Self::RateLimited
            | Self::RestartRequired
            | Self::NotAuthorized
            | Self::Refused
            | Self::StoreFailed
            | Self::Replaced
            | Self::TemporaryBan
            | Self::Banned
            | Self::ClientOutdated
            | Self::KeysUnusable
            | Self::LoggedOut => true,
            Self::New
            | Self::Opening
            | Self::WaitingForScan
            | Self::WaitingForCode
            | Self::WaitingForPasskey
            | Self::WaitingForPasskeyConfirmation
            | Self::Linking
            | Self::Reconnecting
            | Self::DaemonRestarted
            | Self::QrExhausted
            | Self::Duplicate
            | Self::WrongPhone
            | Self::Timeout
            | Self::Cancelled
            | Self::Connected
            | Self::Resuming
            | Self::HoldOver
            | Self::Released
            | Self::Pairing
            | Self::RowUnreadable
            | Self::WriteRefused
            | Self::NoKeys
            | Self::Operator
            | Self::Unlinking
            | Self::Deleted
            | Self::Unknown => false,
        }
    }

    /// Advice for a person; `None` if nothing is wrong.
    pub fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::SocketLost
            | Self::Unreachable
            | Self::ServerBusy
            | Self::RateLimited
            | Self::RestartRequired
            | Self::QrExhausted
            | Self::Refused
            | Self::StoreFailed
            | Self::NoAnswer
            | Self::NoLogin => "nothing yet: paird retries by itself",
            Self::ProxyUnreachable => "check that the account's proxy is running; paird retries by itself",
            Self::ProxyRefused => "let the proxy pass connections to WhatsApp; paird retries by itself",
            Self::ProxyAuth => "set the proxy's user and password: paird accounts proxy",
            Self::ProxyInvalid => "write the proxy as socks5://host:port or http://host:port: paird accounts proxy",
            Self::CodeRefused => "scan the QR instead, or wait a few minutes and pair again",
            Self::CodeExpired => "nothing yet: a new code is being requested; or scan the QR",
            Self::PasskeyFailed | Self::PasskeyTimeout => "scan again; WhatsApp then asks for the passkey again",
            Self::NotAuthorized => "nothing yet: paird logs in once more; if that fails, pair the account again",
            Self::LoggedOut => "the device was removed on the phone or by WhatsApp: pair the account again",
            Self::Replaced => "another program connects with the same keys: stop it, then resume the account",
            Self::TemporaryBan => "wait: paird reconnects when WhatsApp's ban is over",
            Self::Banned => "check WhatsApp on the phone; when the account works there again, resume it",
            Self::ClientOutdated => "update paird if this lasts; the account comes back by itself",
            Self::KeysUnusable => {
                "restore the database and the master key from the same backup, or delete the account and pair again"
            }
            Self::RowUnreadable => "correct the value that the reason names, then resume the account",
            Self::WriteRefused => "remove what makes the database refuse it, then resume the account",
            Self::Duplicate => "unpair the account that has the number first, or scan with another phone",
            Self::WrongPhone => "scan with the phone that has the expected number",
            Self::Timeout => "pair again, and scan in time",
            Self::ScanRejected => "scan again; the next scan may work",
            Self::NoKeys => "pair the account again",
            Self::New
            | Self::Opening
            | Self::WaitingForScan
            | Self::WaitingForCode
            | Self::WaitingForPasskey
            | Self::WaitingForPasskeyConfirmation
            | Self::Linking
            | Self::Reconnecting
            | Self::DaemonRestarted
            | Self::Cancelled
            | Self::Connected
            | Self::Resuming
            | Self::HoldOver
            | Self::Released
            | Self::Pairing
            | Self::Operator
            | Self::Unlinking
            | Self::Deleted
            | Self::Unknown => return None,
        })
    }
}

/// A reason, and what WhatsApp or another part said of it. Its text is the word, or the word,
/// a colon and what was said; [`StatusReason::parse`] takes any text, and what it takes it
/// gives back unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatusReason {
    word: Reason,
    raw: Option<String>,
}

impl StatusReason {
    /// With nothing to say besides the word if `raw` is empty.
    pub fn new(word: Reason, raw: impl Into<String>) -> Self {
        let raw = raw.into();
        Self { word, raw: (!raw.is_empty()).then_some(raw) }
    }

    /// Reads a row's text. One that does not begin with a word of ours is [`Reason::Unknown`].
    pub fn parse(text: &str) -> Self {
        let (word, raw) = match text.split_once(": ") {
            Some((word, raw)) => (word, raw),
            None => (text, ""),
        };
        let read = Reason::parse(word).filter(|word| *word != Reason::Unknown).map(|word| Self::new(word, raw));
        read.filter(|read| read.to_string() == text).unwrap_or_else(|| Self::new(Reason::Unknown, text))
    }

    /// A word with what went wrong before, if anything did: `waiting_for_scan: scan_rejected: bad signature`.
    pub fn after(word: Reason, before: Option<&Self>) -> Self {
        Self::new(word, before.map(Self::to_string).unwrap_or_default())
    }

    pub fn word(&self) -> Reason {
        self.word
    }

    /// What went wrong with the attempt: the reason itself, or what it says of the time before. Of an attempt
    /// that waits or timed out it is the last try that came to nothing.
    pub fn setback(&self) -> Option<Self> {
        if self.word.is_setback() {
            return Some(self.clone());
        }
        let is_after = matches!(self.word, Reason::WaitingForScan | Reason::WaitingForCode | Reason::Timeout);
        let before = Self::parse(self.raw.as_deref().filter(|_| is_after)?);
        before.word.is_setback().then_some(before)
    }

    /// WhatsApp or the phone refused what its owner tried, before anything was linked.
    pub(crate) fn is_refusal(&self) -> bool {
        // Codes that nobody typed are replaced in their time.
        let was_typed = self.word == Reason::CodeExpired && self.raw.is_some();
        was_typed || matches!(self.word, Reason::ScanRejected | Reason::CodeRefused)
    }

    /// As a sentence with the details in parentheses, without its full stop.
    pub fn told(&self) -> String {
        match (self.word, &self.raw) {
            (Reason::Unknown, Some(text)) => capitalized(text),
            (word, Some(raw)) => format!("{} ({raw})", word.headline()),
            (word, None) => word.headline().to_owned(),
        }
    }

    /// Advice for a person; `None` if nothing is wrong.
    pub fn advice(&self) -> Option<&'static str> {
        match (self.word, self.setback().map(|before| before.word)) {
            (Reason::Timeout, Some(Reason::CodeRefused)) => Reason::CodeRefused.advice(),
            (Reason::Timeout, Some(_)) => Some("pair again"),
            (word, _) => word.advice(),
        }
    }

    /// The detail after the word, mostly WhatsApp's own; the whole text of an unknown reason.
    pub fn raw(&self) -> Option<&str> {
        self.raw.as_deref()
    }

    /// Status and reason as one sentence for people, without its full stop.
    pub fn text(&self, status: Status) -> String {
        match (status, self.word, &self.raw) {
            (Status::Unpaired, Reason::Operator, _) => "Unpaired by the operator".to_owned(),
            (Status::Deleting, Reason::Operator, _) => "Being deleted".to_owned(),
            (_, Reason::Unknown, Some(text)) => capitalized(text),
            (_, Reason::Timeout, Some(_)) => match self.setback() {
                Some(before) => format!("Not linked in time. Before that: {}", before.told()),
                None => Reason::Timeout.headline().to_owned(),
            },
            (_, word, _) => word.headline().to_owned(),
        }
    }
}

/// As the beginning of a sentence.
pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

impl From<Reason> for StatusReason {
    fn from(word: Reason) -> Self {
        Self { word, raw: None }
    }
}

impl fmt::Display for StatusReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.word, &self.raw) {
            (Reason::Unknown, raw) => f.write_str(raw.as_deref().unwrap_or_default()),
            (word, Some(raw)) => write!(f, "{word}: {raw}"),
            (word, None) => f.write_str(word.as_str()),
        }
    }
}

impl serde::Serialize for StatusReason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_and_what_follows_its_colon_are_read_apart() {
        let banned = StatusReason::parse("banned: failure 403");
        assert_eq!((banned.word(), banned.raw()), (Reason::Banned, Some("failure 403")));
        assert_eq!(StatusReason::parse("opening"), Reason::Opening.into());
    }

    #[test]
    fn an_unknown_reason_is_kept_and_read_as_a_sentence() {
        for text in ["no answer from WhatsApp", "", "unknown", "unknown: x", "banned:", "banned: ", "Banned"] {
            let read = StatusReason::parse(text);
            assert_eq!((read.word(), read.to_string().as_str()), (Reason::Unknown, text));
        }
        assert_eq!(StatusReason::parse("élan lost").text(Status::Held), "Élan lost");
    }

    #[test]
    fn what_went_wrong_is_kept_behind_a_wait_and_an_end() {
        for (text, told) in [
            ("scan_rejected: bad signature", Some("The last scan was not accepted (bad signature)")),
            ("waiting_for_scan: code_refused: 429", Some("WhatsApp issued no code to type (429)")),
            ("waiting_for_code: restart_required", Some("WhatsApp asked for a new connection")),
            ("timeout: no_login", Some("The login after the scan did not happen")),
            ("waiting_for_scan", None),
            ("waiting_for_scan: of another version", None),
            ("timeout: timeout", None),
            ("qr_exhausted", None),
            ("linking: scan_rejected", None),
        ] {
            assert_eq!(StatusReason::parse(text).setback().map(|before| before.told()).as_deref(), told, "{text}");
        }
        let ended = StatusReason::parse("timeout: code_refused: 429");
        let text = "Not linked in time. Before that: WhatsApp issued no code to type (429)";
        assert_eq!(ended.text(Status::Unpaired), text);
        assert_eq!(ended.advice(), Reason::CodeRefused.advice());
        assert_eq!(StatusReason::parse("timeout").text(Status::Unpaired), "Nobody scanned in time");
        assert_eq!(StatusReason::parse("timeout: no_login").advice(), Some("pair again"));
    }

    #[test]
    fn one_word_reads_differently_by_status() {
        let reason = StatusReason::from(Reason::Operator);
        assert_eq!(reason.text(Status::Unpaired), "Unpaired by the operator");
        assert_eq!(reason.text(Status::Deleting), "Being deleted");
    }

    #[test]
    fn a_reason_of_nothing_but_a_word_has_no_colon() {
        assert_eq!(StatusReason::new(Reason::Refused, "").to_string(), "refused");
    }

    #[test]
    fn each_word_is_one_word_with_a_headline_of_its_own() {
        for word in Reason::ALL {
            assert!(word.as_str().chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{word}");
            assert_eq!(Reason::parse(word.as_str()), Some(*word));
            assert!(!word.headline().ends_with('.'), "{word}");
        }
        let headlines: std::collections::HashSet<_> = Reason::ALL.iter().map(|word| word.headline()).collect();
        assert_eq!(headlines.len(), Reason::ALL.len());
    }

    proptest! {
        #[test]
        fn every_text_of_a_row_is_given_back_unchanged(
            text in prop_oneof!["[a-z_]{0,12}(: ?.{0,12})?", ".{0,40}", (0..Reason::ALL.len(), ".{0,8}").prop_map(
                |(nth, rest)| format!("{}{rest}", Reason::ALL[nth])
            )]
        ) {
            prop_assert_eq!(StatusReason::parse(&text).to_string(), text);
        }
    }
}
