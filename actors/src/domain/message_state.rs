//! How far a message is, as words for programs and for people.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{SendFailure, WaitReason, reason::capitalized, word::word};

/// Why messages to new chats stay queued.
const HELD_UP: [(&str, &str); 2] = [
    ("new_chat_limit", "as many new chats were begun as a day has room for"),
    ("sending_paused", "WhatsApp refused messages to new chats, so they are paused"),
];

/// The state of a message. That of one on its way out goes forward only, except that a try which
/// did not reach WhatsApp is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum MessageState {
    Received,
    Waiting,
    Queued,
    Sending,
    Sent,
    Delivered,
    Read,
    Failed,
    Cancelled,
    Expired,
}

word!(MessageState);

impl MessageState {
    /// For documents.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Received => "it came in, or the owner sent it from the phone",
            Self::Waiting => "it came in and cannot be read yet; paird asks for it again",
            Self::Queued => "it is to be sent, and `reason` says what it waits for besides its turn",
            Self::Sending => "a connection has taken it; whether WhatsApp has it is not known yet",
            Self::Sent => "WhatsApp has it, and a device of the recipient can be reached",
            Self::Delivered => "a device of the recipient has it; in a group, of one member",
            Self::Read => "the recipient has read it; in a group, one member",
            Self::Failed => "it was not sent, for the `reason`",
            Self::Cancelled => "it was cancelled before it was sent",
            Self::Expired => "its `expiresAt` passed before it was sent",
        }
    }

    /// Whether a message on its way out may still become one that was sent.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Sending)
    }

    /// Whether WhatsApp has it.
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered | Self::Read)
    }
}

/// The state as a sentence without its full stop, for people.
pub fn describe_message_state(state: &str, reason: Option<&str>, code: Option<i32>) -> String {
    let word = capitalized(&state.replace('_', " "));
    let why = match MessageState::parse(state) {
        Some(MessageState::Expired) => Some(SendFailure::Expired.meaning().to_owned()),
        Some(MessageState::Queued | MessageState::Waiting | MessageState::Failed) => reason.map(describe_reason),
        // Or a newer daemon wrote it.
        Some(_) | None => None,
    };
    match (why, code) {
        (Some(why), Some(code)) => format!("{word}: {why} ({code})"),
        (Some(why), None) => format!("{word}: {why}"),
        (None, _) => word,
    }
}

/// Why an account sends nothing to new chats, for people, without its full stop.
pub fn describe_pause(reason: &str) -> String {
    capitalized(&describe_reason(reason))
}

fn describe_reason(reason: &str) -> String {
    let word = reason.split(':').next().unwrap_or(reason);
    let failure = SendFailure::parse(word).map(SendFailure::meaning);
    let known = failure
        .or_else(|| WaitReason::parse(word).map(WaitReason::headline))
        .or_else(|| HELD_UP.iter().find(|(reason, _)| *reason == word).map(|(_, words)| *words));
    known.map_or_else(|| reason.replace('_', " "), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_as_what_is_known_and_why() {
        for (state, reason, code, text) in [
            ("queued", None, None, "Queued"),
            ("queued", Some("new_chat_limit"), None, "Queued: as many new chats were begun as a day has room for"),
            ("sending", None, None, "Sending"),
            ("read", None, None, "Read"),
            ("failed", Some("not_on_whatsapp"), None, "Failed: nobody has this number on WhatsApp"),
            ("failed", Some("refused"), Some(479), "Failed: WhatsApp refused it (479)"),
            ("failed", Some("something_new"), None, "Failed: something new"),
            ("expired", Some("expired"), None, "Expired: its time was over before it could be sent"),
            ("expired", None, None, "Expired: its time was over before it could be sent"),
            ("cancelled", None, None, "Cancelled"),
            ("waiting", Some("undecryptable"), None, "Waiting: it could not be decrypted"),
            ("received", Some("lost"), None, "Received"),
            ("of_a_newer_daemon", None, None, "Of a newer daemon"),
        ] {
            assert_eq!(describe_message_state(state, reason, code), text, "{state} {reason:?}");
        }
    }

    #[test]
    fn every_failure_has_words_of_its_own() {
        for failure in SendFailure::ALL {
            let shown = describe_message_state("failed", Some(failure.as_str()), None);
            assert_eq!(shown, format!("Failed: {}", failure.meaning()));
            assert!(!shown.ends_with(['.', ':']), "{shown}");
        }
    }
}
