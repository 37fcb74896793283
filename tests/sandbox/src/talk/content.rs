//! Builds and reads the content of messages.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use buffa::{Message as _, MessageField};
use serde::{Deserialize, Serialize};
use waproto::whatsapp::message::protocol_message::Type;
use waproto::whatsapp::message::{ExtendedTextMessage, ProtocolMessage, ReactionMessage};
use waproto::whatsapp::{ContextInfo, Message, MessageContextInfo, MessageKey};

use crate::world::now_ms;

/// The content to send; exactly one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text(String),
    /// An answer to the message with this id.
    Reply {
        to: String,
        text: String,
    },
    /// An empty emoji takes the reaction back.
    React {
        to: String,
        emoji: String,
    },
    /// Another text for an own message.
    Edit {
        of: String,
        text: String,
    },
    /// Deletes one of the sender's messages for all participants.
    Revoke(String),
    /// Any message, as base64 of its protocol buffer.
    Raw(String),
}

/// The message that another one refers to, as its writer names it.
pub(crate) struct Target {
    /// The jid of the chat.
    pub(crate) chat: String,
    pub(crate) from_me: bool,
    /// The author.
    pub(crate) author: String,
    pub(crate) in_group: bool,
}

impl Content {
    /// The id of the message that this one refers to.
    pub(crate) fn refers_to(&self) -> Option<&str> {
        match self {
            Self::Text(_) | Self::Raw(_) => None,
            Self::Reply { to, .. } | Self::React { to, .. } => Some(to),
            Self::Edit { of, .. } => Some(of),
            Self::Revoke(of) => Some(of),
        }
    }

    /// The kind of edit for the stanza's attribute, if it is an edit.
    pub(crate) fn edit_attribute(&self) -> Option<&'static str> {
        match self {
            Self::Edit { .. } => Some("1"),
            Self::Revoke(_) => Some("7"),
            Self::Text(_) | Self::Raw(_) | Self::Reply { .. } | Self::React { .. } => None,
        }
    }

    pub(crate) fn stanza_type(&self) -> &'static str {
        if matches!(self, Self::React { .. }) { "reaction" } else { "text" }
    }

    /// `target` is what it refers to.
    pub(crate) fn message(&self, target: Option<&Target>) -> Result<Message> {
        let key = |id: &str| {
            let target = target.context("there is no such message in this chat")?;
            Ok::<_, anyhow::Error>(MessageKey {
                remote_jid: Some(target.chat.clone()),
                from_me: Some(target.from_me),
                id: Some(id.to_owned()),
                participant: target.in_group.then(|| target.author.clone()),
            })
        };
        let mut message = match self {
            Self::Text(text) => Message { conversation: Some(text.clone()), ..Default::default() },
            Self::Reply { to, text } => {
                let target = target.context("there is no such message in this chat")?;
                let context = ContextInfo {
                    stanza_id: Some(to.clone()),
                    participant: Some(target.author.clone()),
                    ..Default::default()
                };
                let text = ExtendedTextMessage {
                    text: Some(text.clone()),
                    context_info: MessageField::some(context),
                    ..Default::default()
                };
                Message { extended_text_message: MessageField::some(text), ..Default::default() }
            }
            Self::React { to, emoji } => {
                let reaction = ReactionMessage {
                    key: MessageField::some(key(to)?),
                    text: Some(emoji.clone()),
                    sender_timestamp_ms: i64::try_from(now_ms()).ok(),
                    ..Default::default()
                };
                Message { reaction_message: MessageField::some(reaction), ..Default::default() }
            }
            Self::Edit { of, text } => protocol(ProtocolMessage {
                key: MessageField::some(key(of)?),
                r#type: Some(Type::MESSAGE_EDIT),
                edited_message: MessageField::some(Message { conversation: Some(text.clone()), ..Default::default() }),
                timestamp_ms: i64::try_from(now_ms()).ok(),
                ..Default::default()
            }),
            Self::Revoke(of) => protocol(ProtocolMessage {
                key: MessageField::some(key(of)?),
                r#type: Some(Type::REVOKE),
                ..Default::default()
            }),
            Self::Raw(base64) => Message::decode_from_slice(&BASE64_STANDARD.decode(base64)?)?,
        };
        if message.message_context_info.as_option().is_none() {
            let secret: [u8; 32] = rand::random();
            let context = MessageContextInfo { message_secret: Some(secret.to_vec()), ..Default::default() };
            message.message_context_info = MessageField::some(context);
        }
        Ok(message)
    }
}

fn protocol(message: ProtocolMessage) -> Message {
    Message { protocol_message: MessageField::some(message), ..Default::default() }
}

/// A message as a phone shows it.
pub(crate) struct Read {
    pub(crate) kind: &'static str,
    pub(crate) text: Option<String>,
    pub(crate) refers_to: Option<String>,
    pub(crate) secret: Option<String>,
}

impl Read {
    pub(crate) fn of(message: &Message) -> Self {
        let context = message.message_context_info.as_option();
        let secret = context.and_then(|context| context.message_secret.as_deref()).map(hex);
        let (kind, text, refers_to) = Self::body(message);
        Self { kind, text, refers_to, secret }
    }

    fn body(message: &Message) -> (&'static str, Option<String>, Option<String>) {
        let id = |key: Option<&MessageKey>| key.and_then(|key| key.id.clone());
        if let Some(text) = &message.conversation {
            return ("text", Some(text.clone()), None);
        }
        if let Some(text) = message.extended_text_message.as_option() {
            let answers = text.context_info.as_option().and_then(|context| context.stanza_id.clone());
            return ("text", text.text.clone(), answers);
        }
        if let Some(reaction) = message.reaction_message.as_option() {
            return ("reaction", reaction.text.clone(), id(reaction.key.as_option()));
        }
        if let Some(protocol) = message.protocol_message.as_option() {
            let of = id(protocol.key.as_option());
            if protocol.r#type == Some(Type::REVOKE) {
                return ("revoke", None, of);
            }
            if protocol.r#type == Some(Type::MESSAGE_EDIT) {
                let text = protocol.edited_message.as_option().and_then(|edited| Self::body(edited).1);
                return ("edit", text, of);
            }
        }
        ("other", None, None)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &Content) -> (&'static str, Option<String>, Option<String>) {
        let target = Target { chat: "1@lid".to_owned(), from_me: true, author: "2@lid".to_owned(), in_group: false };
        let Read { kind, text, refers_to, secret } = Read::of(&content.message(Some(&target)).unwrap());
        assert_eq!(secret.unwrap().len(), 64);
        (kind, text, refers_to)
    }

    #[test]
    fn content_round_trips() {
        let [id, text] = ["3EB0", "grüß 🌍"].map(str::to_owned);
        assert_eq!(read(&Content::Text(text.clone())), ("text", Some(text.clone()), None));
        let some = |kind, text: &str| (kind, Some(text.to_owned()), Some(id.clone()));
        assert_eq!(read(&Content::Reply { to: id.clone(), text: text.clone() }), some("text", &text));
        assert_eq!(read(&Content::React { to: id.clone(), emoji: "👍".to_owned() }), some("reaction", "👍"));
        assert_eq!(read(&Content::Edit { of: id.clone(), text: text.clone() }), some("edit", &text));
        assert_eq!(read(&Content::Revoke(id.clone())), ("revoke", None, Some(id)));
    }

    #[test]
    fn a_reference_to_a_missing_message_is_refused() {
        let error = Content::Revoke("3EB0".to_owned()).message(None).unwrap_err();
        assert_eq!(error.to_string(), "there is no such message in this chat");
    }
}
