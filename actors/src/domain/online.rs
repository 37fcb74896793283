//! What is asked of a live connection and leaves nothing behind on the account's row, and what comes
//! of it. `Debug` shows nobody's number.

use std::fmt;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use thiserror::Error;

use super::{CheckedContact, CommandId, CommandKind, Event, Instant, MessageId, Phone, StoreError, word::word};

/// A person's jid or a group's: what a chat is called.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ChatJid(String);

/// It is not the name of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("must be a phone number with its country code, or the jid of a person or a group")]
pub struct ChatJidError;

impl ChatJid {
    /// Reads a jid, or a number as people write it. `recipient_jid` of the schema reads both for
    /// `send_message`.
    ///
    /// # Errors
    /// It is neither; the text is not repeated.
    pub fn parse(text: &str) -> Result<Self, ChatJidError> {
        let Some((user, server)) = text.split_once('@') else {
            let phone = Phone::parse(text).map_err(|_| ChatJidError)?;
            return Ok(Self(format!("{}@s.whatsapp.net", phone.digits())));
        };
        let is_number = |text: &str| (1..=30).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_jid = match server {
            "lid" => is_number(user),
            "g.us" => user.split_once('-').map_or_else(|| is_number(user), |(a, b)| is_number(a) && is_number(b)),
            "s.whatsapp.net" => Phone::from_digits(user).is_ok(),
            _ => false,
        };
        if is_jid { Ok(Self(text.to_owned())) } else { Err(ChatJidError) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ChatJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChatJid(…)")
    }
}

/// What the others of a chat are shown of this account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum TypingState {
    /// "typing…"
    Composing,
    /// "recording audio…"
    Recording,
    /// Neither any more.
    Paused,
}

word!(TypingState);

/// What is asked of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OnlineRequest {
    /// Read receipts for what came in with this chat up to this message, and has none yet.
    ReadChat {
        chat: ChatJid,
        up_to: MessageId,
    },
    ShowTyping {
        chat: ChatJid,
        state: TypingState,
    },
    /// Which of these numbers are on WhatsApp; at least one, at most [`super::CONTACTS_PER_CHECK`].
    CheckContacts {
        phones: Vec<Phone>,
    },
}

impl OnlineRequest {
    pub fn kind(&self) -> CommandKind {
        match self {
            Self::ReadChat { .. } => CommandKind::ReadChat,
            Self::ShowTyping { .. } => CommandKind::ShowTyping,
            Self::CheckContacts { .. } => CommandKind::CheckContacts,
        }
    }

    /// Whether it means anything later than at its moment: then it waits for a connection that is
    /// being made, and is asked again of the next one.
    pub fn can_wait(&self) -> bool {
        match self {
            Self::ReadChat { .. } | Self::CheckContacts { .. } => true,
            Self::ShowTyping { .. } => false,
        }
    }
}

/// What a connection made of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnlineAnswer {
    /// WhatsApp has the receipts of so many messages.
    Read { messages: usize },
    /// The state has left.
    TypingShown,
    /// Each number once.
    Checked { contacts: Vec<CheckedContact> },
}

impl OnlineAnswer {
    /// For people.
    pub fn text(&self) -> String {
        match self {
            Self::Read { messages: 0 } => "all of it was marked as read before".to_owned(),
            Self::Read { messages: 1 } => "1 message was marked as read".to_owned(),
            Self::Read { messages } => format!("{messages} messages were marked as read"),
            Self::TypingShown => "sent".to_owned(),
            Self::Checked { contacts } => {
                let found = contacts.iter().filter(|contact| contact.chat.is_some()).count();
                format!("{found} of {} on WhatsApp", contacts.len())
            }
        }
    }

    /// What consumers hear of it, besides the end of the command.
    pub fn event(&self, command: CommandId) -> Option<Event> {
        match self {
            Self::Read { .. } | Self::TypingShown => None,
            Self::Checked { contacts } => Some(Event::ContactsChecked { command, contacts: contacts.clone() }),
        }
    }
}

/// Why a connection made nothing of a request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OnlineError {
    /// The next connection may do it.
    #[error("the connection ended before WhatsApp had it")]
    ConnectionOver,
    #[error("WhatsApp did not answer in time")]
    NoAnswer,
    #[error("it came too late to be sent")]
    TooLate,
    #[error("upTo: there is no such message in this chat")]
    NoSuchMessage,
    /// See [`super::ContactCheckPolicy`].
    #[error("this account has asked for as many numbers as it may in a day; ask for these again after {}", .until.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true))]
    OverBudget { until: Instant },
    /// WhatsApp refused the query; its own words.
    #[error("WhatsApp did not say: {0}")]
    Refused(String),
    #[error("the database did not take it: {0}")]
    Store(#[from] StoreError),
}

/// A request under way: at the latest at `until` it is over.
#[derive(Clone, Debug, PartialEq)]
pub struct OnlineOrder {
    pub request: OnlineRequest,
    pub until: Instant,
}

/// A message that came in and is not marked as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadChatMessage {
    pub id: MessageId,
    /// WhatsApp's id of it.
    pub wa_id: String,
    pub sender: super::Party,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_a_number_or_a_jid() {
        for (text, jid) in [
            ("+43 660 1234567", "436601234567@s.whatsapp.net"),
            ("0043 (660) 123-45.67", "436601234567@s.whatsapp.net"),
            ("436601234567@s.whatsapp.net", "436601234567@s.whatsapp.net"),
            ("100000012345678@lid", "100000012345678@lid"),
            ("120363000000000077@g.us", "120363000000000077@g.us"),
            ("436601234567-1400000000@g.us", "436601234567-1400000000@g.us"),
        ] {
            assert_eq!(ChatJid::parse(text).map(|chat| chat.as_str().to_owned()), Ok(jid.to_owned()), "{text}");
        }
        for text in [
            "",
            "@",
            "@lid",
            "0660 1234567",
            "call me",
            "1@s.whatsapp.net",
            "status@broadcast",
            "1@newsletter",
            "12:3@lid",
            "1@lid@lid",
            "1-2-3@g.us",
            "x@g.us",
            "+43 660 1234567@s.whatsapp.net",
        ] {
            assert_eq!(ChatJid::parse(text), Err(ChatJidError), "{text}");
        }
    }

    #[test]
    fn a_chat_never_shows_in_debug() {
        let chat = ChatJid::parse("+43 660 1234567").unwrap();
        assert!(!format!("{chat:?}").contains("660"));
    }
}
