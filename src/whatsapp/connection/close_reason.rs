//! What WhatsApp and the library say when a connection ends, translated into one close reason
//! each. What fails on the way to WhatsApp gets its reason where it is dialled.

use std::time::Duration;

use paird_actors::{
    clock,
    domain::{CloseReason, Instant},
};
use wacore::types::events::{ConnectFailure, ConnectFailureReason, LoggedOut, TemporaryBan};
use wacore_binary::Node;

/// Characters that are kept of a reason that WhatsApp sent.
const LONGEST: usize = 300;

/// The reason in a `<stream:error code>` that no event of the library stands for.
pub(super) fn stream_error(code: &str) -> CloseReason {
    let raw = shortened(format!("stream:error {code}"));
    match code {
        "503" | "500" => CloseReason::ServerBusy(raw),
        "429" => CloseReason::RateLimited(raw),
        "515" => CloseReason::RestartRequired,
        "401" | "516" => CloseReason::NotAuthorized(raw),
        "409" | "440" => CloseReason::Replaced(raw),
        "402" => CloseReason::TemporaryBan { until: None, raw },
        "403" | "406" => CloseReason::Banned(raw),
        "405" => CloseReason::ClientOutdated(raw),
        _ => CloseReason::SocketLost(raw),
    }
}

/// The library reports `LoggedOut` for 401, 403 and 406, and for a device that was removed.
pub(super) fn logged_out(event: &LoggedOut) -> CloseReason {
    let raw = event.raw.as_ref().map_or_else(|| "logged out".to_owned(), words);
    let is_removed = |node: &Node| {
        let conflict = node.get_optional_child("conflict");
        conflict.is_some_and(|conflict| {
            conflict.attrs().optional_string("type").is_some_and(|kind| kind == "device_removed")
        })
    };
    if event.raw.as_ref().is_some_and(is_removed) {
        return CloseReason::LoggedOut(raw);
    }
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
        ConnectFailureReason::LoggedOut | ConnectFailureReason::Unknown(516) => CloseReason::NotAuthorized(raw),
        ConnectFailureReason::AccountLocked | ConnectFailureReason::UnknownLogout => CloseReason::Banned(raw),
        // Without a readable `code` or `expire` the length of the ban is unknown.
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

/// A stanza in words that may be shown: its tag, the attributes that name the cause, and
/// the kind of a conflict. The stanza of a locked account also has a one-time appeal token
/// as an attribute, which must not be shown.
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
    shortened(words)
}

/// Limits text that WhatsApp sent, because rows, events and log lines contain it.
fn shortened(mut words: String) -> String {
    if let Some((end, _)) = words.char_indices().nth(LONGEST) {
        words.truncate(end);
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use wacore_binary::builder::NodeBuilder;

    use super::*;

    fn failure_node(reason: &'static str) -> Node {
        NodeBuilder::new("failure")
            .attr("reason", reason)
            .attr("location", "rva")
            .attr("appeal_token", "hidden")
            .build()
    }

    fn refused_with(reason: ConnectFailureReason) -> CloseReason {
        failure(reason, "raw".to_owned())
    }

    #[test]
    fn every_failure_code_has_its_reason() {
        let raw = || "raw".to_owned();
        for (code, reason) in [
            (400, CloseReason::Refused(raw())),
            (401, CloseReason::NotAuthorized(raw())),
            (402, CloseReason::TemporaryBan { until: None, raw: raw() }),
            (403, CloseReason::Banned(raw())),
            (405, CloseReason::ClientOutdated(raw())),
            (406, CloseReason::Banned(raw())),
            (409, CloseReason::Replaced(raw())),
            (413, CloseReason::Refused(raw())),
            (429, CloseReason::RateLimited(raw())),
            (440, CloseReason::Replaced(raw())),
            (500, CloseReason::ServerBusy(raw())),
            (503, CloseReason::ServerBusy(raw())),
            (516, CloseReason::NotAuthorized(raw())),
            (599, CloseReason::Refused(raw())),
        ] {
            assert_eq!(refused_with(ConnectFailureReason::from(code)), reason, "{code}");
        }
    }

    #[test]
    fn a_stanza_is_described_without_its_one_time_token() {
        assert_eq!(words(&failure_node("403")), "failure 403 location=rva");
        let removed = NodeBuilder::new("stream:error")
            .attr("code", "401")
            .children([NodeBuilder::new("conflict").attr("type", "device_removed").build()])
            .build();
        assert_eq!(words(&removed), "stream:error 401 conflict device_removed");
    }

    #[test]
    fn a_ban_ends_that_long_from_now() {
        assert_eq!(ban_end(3600, Instant(1_000)), Some(Instant(3_601_000)));
        assert_eq!(ban_end(-1, Instant(1_000)), None);
    }

    #[test]
    fn every_stream_error_code_has_its_reason() {
        let raw = |code: &str| format!("stream:error {code}");
        for (code, reason) in [
            ("503", CloseReason::ServerBusy(raw("503"))),
            ("429", CloseReason::RateLimited(raw("429"))),
            ("515", CloseReason::RestartRequired),
            ("401", CloseReason::NotAuthorized(raw("401"))),
            ("516", CloseReason::NotAuthorized(raw("516"))),
            ("440", CloseReason::Replaced(raw("440"))),
            ("402", CloseReason::TemporaryBan { until: None, raw: raw("402") }),
            ("403", CloseReason::Banned(raw("403"))),
            ("405", CloseReason::ClientOutdated(raw("405"))),
            ("599", CloseReason::SocketLost(raw("599"))),
        ] {
            assert_eq!(stream_error(code), reason, "{code}");
        }
    }
}
