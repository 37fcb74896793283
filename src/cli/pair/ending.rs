//! The outcome of an attempt, in words and as an exit code.

use paird_actors::domain::{AttemptEnd, CancelReason, EventKind, StatusReason};
use serde_json::Value;

use crate::cli::exit::Exit;

/// The end of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PairResult {
    pub(super) exit: Exit,
    pub(super) words: String,
}

impl PairResult {
    /// The outcome that a terminal event stands for; `None` for other events.
    pub(super) fn of(kind: &str, payload: &Value) -> Option<Self> {
        let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or("?");
        let (exit, words) = match EventKind::parse(kind)?.end()? {
            AttemptEnd::Connected => match payload.get("phoneNumber").and_then(Value::as_str) {
                Some(digits) => (Exit::Done, format!("connected as +{digits}")),
                None => (Exit::Done, "connected".to_owned()),
            },
            AttemptEnd::Duplicate => {
                let (digits, label) = (text("phoneNumber"), text("existingLabel"));
                (
                    Exit::Duplicate,
                    format!("refused: +{digits} is linked already, as {label:?}; the phone got no new device"),
                )
            }
            AttemptEnd::WrongPhone => {
                let (digits, expected) = (text("phoneNumber"), text("expectedPhone"));
                (Exit::WrongPhone, format!("refused: +{digits} scanned, but +{expected} was expected"))
            }
            AttemptEnd::Timeout => match StatusReason::parse(text("reason")).setback() {
                Some(before) => (Exit::Timeout, format!("timeout: not linked in time. Before that: {}", before.told())),
                None => (Exit::Timeout, "timeout: nobody scanned in time".to_owned()),
            },
            AttemptEnd::Cancelled if text("reason") == CancelReason::Superseded.as_str() => {
                (Exit::Cancelled, "cancelled: another pair command took its place".to_owned())
            }
            AttemptEnd::Cancelled => (Exit::Cancelled, "cancelled".to_owned()),
            AttemptEnd::Failed => return Some(Self::failed(text("reason"))),
        };
        Some(Self { exit, words })
    }

    /// As the terminal event is called.
    pub(super) fn outcome(&self) -> &'static str {
        if self.exit == Exit::Done { "connected" } else { self.exit.name() }
    }

    pub(super) fn failed(reason: &str) -> Self {
        Self { exit: Exit::AttemptFailed, words: format!("failed: {reason}") }
    }

    /// The operator left before a daemon could take the command.
    pub(super) fn not_begun() -> Self {
        Self { exit: Exit::Cancelled, words: "cancelled before it began; nothing is queued".to_owned() }
    }

    /// The operator did not wait for the daemon to cancel.
    pub(super) fn left() -> Self {
        Self { exit: Exit::Cancelled, words: "left; the cancel command stays queued".to_owned() }
    }
}

/// Ends an attempt.
#[cfg(feature = "sandbox")]
pub(in crate::cli) fn is_terminal(kind: &str) -> bool {
    EventKind::parse(kind).is_some_and(EventKind::is_terminal)
}

pub(super) fn is_superseded(kind: &str, payload: &Value) -> bool {
    kind == EventKind::Cancelled.as_str()
        && payload.get("reason").and_then(Value::as_str) == Some(CancelReason::Superseded.as_str())
}

#[cfg(test)]
mod tests {
    use paird_actors::domain::{Event, Instant, Phone, Reason};

    use super::*;

    fn ending(event: &Event) -> Option<PairResult> {
        PairResult::of(event.kind().as_str(), &event.payload())
    }

    #[test]
    fn each_terminal_event_has_an_exit_code_of_its_own() {
        let phone = Phone::parse("+43 660 1234567").unwrap();
        let terminal = [
            (Event::Connected { phone: Some(phone.clone()) }, 0),
            (Event::Duplicate { phone: phone.clone(), existing_label: "shop".to_owned() }, 3),
            (Event::WrongPhone { phone: phone.clone(), expected: phone }, 4),
            (Event::Timeout { after: None }, 5),
            (Event::Timeout { after: Some(Reason::NoLogin.into()) }, 5),
            (Event::Cancelled { reason: CancelReason::Operator }, 6),
            (Event::Cancelled { reason: CancelReason::Superseded }, 6),
            (Event::Failed { reason: Reason::ClientOutdated.into() }, 7),
        ];
        for (event, code) in terminal {
            assert!(event.is_terminal());
            assert_eq!(ending(&event).unwrap().exit.code(), code, "{event:?}");
        }
    }

    #[test]
    fn exactly_the_terminal_kinds_end_an_attempt() {
        for kind in EventKind::ALL {
            let ends = PairResult::of(kind.as_str(), &Value::Null).is_some();
            assert_eq!(ends, kind.is_terminal(), "{kind}");
        }
        assert_eq!(PairResult::of("session.nonsense", &Value::Null), None);
    }

    #[test]
    fn events_on_the_way_end_nothing() {
        let now = Instant(0);
        assert_eq!(ending(&Event::Qr { ts: now, expires_at: now }), None);
        assert_eq!(ending(&Event::GroupsSynced { count: 3 }), None);
    }

    #[test]
    fn a_timeout_says_what_went_wrong_before() {
        let words = |after: Option<Reason>| ending(&Event::Timeout { after: after.map(Into::into) }).unwrap().words;
        assert_eq!(words(None), "timeout: nobody scanned in time");
        let told = "timeout: not linked in time. Before that: The login after the scan did not happen";
        assert_eq!(words(Some(Reason::NoLogin)), told);
    }

    #[test]
    fn a_duplicate_is_reported_with_number_and_owning_label() {
        let phone = Phone::parse("436601234567").unwrap();
        let words = ending(&Event::Duplicate { phone, existing_label: "shop".to_owned() }).unwrap().words;
        assert!(words.contains("+436601234567") && words.contains("\"shop\""), "{words}");
    }
}
