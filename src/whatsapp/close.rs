//! Why a connection ended: every way WhatsApp and the library have of saying it, in one place.

use std::time::Duration;

use paird_actors::{
    clock,
    domain::{CloseReason, Instant},
};
use tokio::sync::watch;
use wacore::types::events::{ConnectFailure, ConnectFailureReason, LoggedOut, TemporaryBan};
use wacore_binary::Node;

/// What was seen of one run of a connection. The library ends some runs with an
/// event and some in silence; the sum of the signs says why.
pub(super) struct Signs {
    seen: watch::Sender<Seen>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    /// A reason that needs no second guess; the first one counts.
    said: Option<CloseReason>,
    /// `<stream:error code>`; empty for one without a code.
    stream_error: Option<String>,
    /// The socket's end as the library told it.
    lost: Option<String>,
    /// The socket never came about.
    unreachable: Option<CloseReason>,
    /// A stanza came in, so the handshake was through.
    heard: bool,
}

impl Signs {
    pub(super) fn new() -> Self {
        Self { seen: watch::Sender::new(Seen::default()) }
    }

    /// Forgets the signs of the run before.
    pub(super) fn start(&self) {
        self.seen.send_replace(Seen::default());
    }

    pub(super) fn say(&self, reason: CloseReason) {
        self.seen.send_if_modified(|seen| {
            let first = seen.said.is_none();
            seen.said.get_or_insert(reason);
            first
        });
    }

    pub(super) fn stream_error(&self, code: &str) {
        self.seen.send_modify(|seen| seen.stream_error = Some(code.to_owned()));
    }

    pub(super) fn lost(&self, how: String) {
        self.seen.send_modify(|seen| seen.lost = Some(how));
    }

    pub(super) fn unreachable(&self, why: CloseReason) {
        self.seen.send_modify(|seen| seen.unreachable = Some(why));
    }

    pub(super) fn heard(&self) {
        self.seen.send_if_modified(|seen| !std::mem::replace(&mut seen.heard, true));
    }

    /// Waits for the word that the device is gone, at most `patience`.
    pub(super) async fn logged_out(&self, patience: Duration) -> Option<String> {
        let mut seen = self.seen.subscribe();
        let told = seen.wait_for(|seen| matches!(seen.said, Some(CloseReason::LoggedOut(_))));
        match tokio::time::timeout(patience, told).await {
            Ok(Ok(seen)) => seen.said.as_ref().and_then(CloseReason::raw).map(str::to_owned),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Waits for the word that ends this run, for the ends that the library does not draw itself.
    pub(super) async fn told(&self) {
        let mut seen = self.seen.subscribe();
        // The sender lives in `self`: the wait ends with the word alone.
        let _ = seen.wait_for(|seen| seen.said.is_some()).await;
    }

    /// Why this run ended.
    pub(super) fn reason(&self) -> CloseReason {
        let seen = self.seen.borrow().clone();
        if let Some(said) = seen.said {
            return said;
        }
        if let Some(reason) = seen.stream_error.as_deref().and_then(stream_error) {
            return reason;
        }
        match (seen.lost, seen.unreachable, seen.heard) {
            (Some(lost), _, _) => CloseReason::SocketLost(lost),
            (None, Some(unreachable), _) => unreachable,
            (None, None, true) => CloseReason::SocketLost("the stream ended".to_owned()),
            (None, None, false) => CloseReason::Unreachable("the noise handshake did not finish".to_owned()),
        }
    }
}

/// The reason in a `<stream:error code>` that no event of the library stands for.
fn stream_error(code: &str) -> Option<CloseReason> {
    let raw = format!("stream:error {code}");
    match code {
        "503" | "500" => Some(CloseReason::ServerBusy(raw)),
        "429" => Some(CloseReason::RateLimited(raw)),
        "515" => Some(CloseReason::RestartRequired),
        "401" | "516" => Some(CloseReason::LoggedOut(raw)),
        "409" | "440" => Some(CloseReason::Replaced(raw)),
        "402" => Some(CloseReason::TemporaryBan { until: None, raw }),
        "403" | "406" => Some(CloseReason::Banned(raw)),
        "405" => Some(CloseReason::ClientOutdated(raw)),
        "" => None,
        _ => Some(CloseReason::SocketLost(raw)),
    }
}

/// `LoggedOut` is the library's word for 401, 403 and 406, and for a device that was removed.
pub(super) fn logged_out(event: &LoggedOut) -> CloseReason {
    let raw = event.raw.as_ref().map_or_else(|| "logged out".to_owned(), words);
    failure(event.reason, raw)
}

/// `<failure>` that the library has no event of its own for.
pub(super) fn connect_failure(event: &ConnectFailure) -> CloseReason {
    let raw = event.raw.as_ref().map_or_else(|| format!("failure {}", event.reason.code()), words);
    failure(event.reason, raw)
}

/// `expire` is a duration in seconds, not a date.
pub(super) fn temporary_ban(event: &TemporaryBan) -> CloseReason {
    let until = ban_end(event.expire.num_seconds(), clock::now());
    let raw = event.raw.as_ref().map_or_else(|| format!("failure 402 code={}", event.code.code()), words);
    CloseReason::TemporaryBan { until, raw }
}

fn ban_end(seconds: i64, now: Instant) -> Option<Instant> {
    u64::try_from(seconds).ok().map(|seconds| now.after(Duration::from_secs(seconds)))
}

fn failure(reason: ConnectFailureReason, raw: String) -> CloseReason {
    match reason {
        ConnectFailureReason::LoggedOut | ConnectFailureReason::Unknown(516) => CloseReason::LoggedOut(raw),
        ConnectFailureReason::AccountLocked | ConnectFailureReason::UnknownLogout => CloseReason::Banned(raw),
        // Without a readable `code` or `expire`: banned, nobody knows for how long.
        ConnectFailureReason::TempBanned => CloseReason::TemporaryBan { until: None, raw },
        ConnectFailureReason::ClientOutdated => CloseReason::ClientOutdated(raw),
        ConnectFailureReason::BadUserAgent | ConnectFailureReason::Unknown(440) => CloseReason::Replaced(raw),
        ConnectFailureReason::InternalServerError | ConnectFailureReason::ServiceUnavailable => {
            CloseReason::ServerBusy(raw)
        }
        ConnectFailureReason::Unknown(429) => CloseReason::RateLimited(raw),
        ConnectFailureReason::Unknown(515) => CloseReason::RestartRequired,
        ConnectFailureReason::Generic
        | ConnectFailureReason::CatExpired
        | ConnectFailureReason::CatInvalid
        | ConnectFailureReason::NotFound
        | ConnectFailureReason::ClientUnknown
        | ConnectFailureReason::Experimental
        | ConnectFailureReason::Unknown(_) => CloseReason::Refused(raw),
    }
}

/// A stanza in words that may be shown: its tag, the attributes that tell the
/// cause, and what a conflict is about. A lock carries a one-time appeal token
/// as an attribute; that one is nobody's to read here.
pub(super) fn words(node: &Node) -> String {
    let mut words = node.tag.to_string();
    let mut attrs = node.attrs();
    for name in ["reason", "code"] {
        if let Some(value) = attrs.optional_string(name) {
            words = format!("{words} {value}");
        }
    }
    if let Some(conflict) = node.get_optional_child("conflict") {
        let kind = conflict.attrs().optional_string("type").map(|kind| kind.to_string()).unwrap_or_default();
        words = format!("{words} conflict {kind}");
    }
    for name in ["expire", "location", "message"] {
        if let Some(value) = attrs.optional_string(name) {
            words = format!("{words} {name}={value}");
        }
    }
    words
}

#[cfg(test)]
mod tests;
