//! WhatsApp messages. Only the web app sees their contents: `Debug` shows the kind alone.

use std::fmt;

use serde_json::{Map, Value, json};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{Instant, MessageId, Phone, word::word};

/// Characters of a text that are kept: WhatsApp's own limit.
const TEXT_MAX: usize = 65_536;
/// Characters that are kept of a name, and of a WhatsApp id.
const NAME_MAX: usize = 200;
/// Persons that are kept of those whom a message mentions: more than a group of WhatsApp has had.
const MENTIONS_MAX: usize = 1_024;
/// Contact cards that are kept of a message, and characters of all their vCards together.
const CARDS_MAX: usize = 256;
const VCARDS_MAX: usize = 4 * TEXT_MAX;

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum MessageDirection {
    In,
    /// The account's owner, on the phone or another device.
    Echo,
    /// Whoever uses paird.
    Out,
}

word!(MessageDirection);

/// What a message is: the `type` of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum MessageKind {
    Text,
    Reaction,
    Edit,
    Revoke,
    Location,
    Contacts,
    Image,
    Video,
    Audio,
    Document,
    Sticker,
    /// Something else, which its content names.
    Unsupported,
}

word!(MessageKind);

/// Why a message cannot be read yet. The sender or the phone is asked to send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum WaitReason {
    /// It could not be decrypted.
    Undecryptable,
    /// WhatsApp sends it to the phone alone.
    Unavailable,
    /// It was decrypted once, which cannot be done again, but not written. If it was one: keys
    /// that come alone look the same.
    Lost,
}

word!(WaitReason);

impl WaitReason {
    /// For people, without its full stop.
    pub fn headline(self) -> &'static str {
        match self {
            Self::Undecryptable => "it could not be decrypted",
            Self::Unavailable => "WhatsApp sends it to the phone alone",
            Self::Lost => "it was not written when it came",
        }
    }
}

/// A chat or a sender: its jid, a LID if that is known, and the number.
#[derive(Clone, PartialEq, Eq)]
pub struct Party {
    pub jid: String,
    pub phone: Option<Phone>,
}

/// One message, incoming or an echo.
#[derive(Clone, PartialEq)]
pub struct IncomingMessage {
    pub direction: MessageDirection,
    pub chat: Party,
    pub sender: Party,
    /// The name that the sender uses.
    pub sender_name: Option<String>,
    /// WhatsApp's id, chosen by the sender: unique for a sender in a chat.
    pub wa_id: String,
    /// By WhatsApp's clock.
    pub sent_at: Instant,
    pub content: Result<MessageContent, WaitReason>,
    /// What is needed to fetch the media, sealed.
    pub media: Option<Vec<u8>>,
}

/// A message that cannot be read yet, as the phone is asked for it.
#[derive(Clone, PartialEq, Eq)]
pub struct WaitingMessage {
    pub id: MessageId,
    pub direction: MessageDirection,
    pub chat: Party,
    pub sender: Party,
    pub wa_id: String,
    pub sent_at: Instant,
}

/// A message that will never be read. If it waited for that, the wait is over.
#[derive(Clone, PartialEq, Eq)]
pub struct UnreadMessage {
    pub chat: Party,
    pub sender: Party,
    pub wa_id: String,
    pub why: UnreadReason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnreadReason {
    /// It can be read, and is for programs alone; with the protocol's name of it.
    ForPrograms(String),
    /// The phone does not have it, or not yet.
    NotOnPhone,
}

/// The contents of a message.
#[derive(Clone, PartialEq)]
pub struct MessageContent {
    pub said: Said,
    /// WhatsApp's id of the message that it answers.
    pub reply_to: Option<String>,
}

/// What a message says, by its kind. `of` is WhatsApp's id of the message that it refers to.
#[derive(Clone, PartialEq)]
pub enum Said {
    Text {
        body: String,
        mentions: Vec<String>,
    },
    /// An empty emoji removes the reaction.
    Reaction {
        of: String,
        emoji: String,
    },
    Edit {
        of: String,
        body: String,
    },
    Revoke {
        of: String,
    },
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
    },
    Contacts(Vec<ContactCard>),
    Media {
        kind: MediaKind,
        description: MediaDescription,
    },
    Unsupported {
        what: String,
    },
}

/// A contact card that was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactCard {
    pub name: String,
    pub vcard: String,
}

/// The media of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    Image,
    Video,
    Audio,
    Document,
    Sticker,
}

/// What a message says of its media.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MediaDescription {
    pub mime: Option<String>,
    pub bytes: Option<u64>,
    pub caption: Option<String>,
    pub file_name: Option<String>,
    pub seconds: Option<u32>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// A voice message.
    pub is_voice: bool,
}

impl IncomingMessage {
    /// `None` while the message cannot be read.
    pub fn kind(&self) -> Option<MessageKind> {
        self.content.as_ref().ok().map(|content| content.said.kind())
    }
}

impl MessageContent {
    /// WhatsApp's id of the message that this one changes, reacts to or answers.
    pub fn refers_to(&self) -> Option<&str> {
        match &self.said {
            Said::Reaction { of, .. } | Said::Edit { of, .. } | Said::Revoke { of } => Some(of),
            Said::Text { .. }
            | Said::Location { .. }
            | Said::Contacts(_)
            | Said::Media { .. }
            | Said::Unsupported { .. } => self.reply_to.as_deref(),
        }
    }

    /// As the web app reads it. The statement that writes it adds the ids of rows.
    pub fn json(&self) -> Value {
        let kind = self.said.kind();
        json!({ "type": kind, kind.as_str(): self.said.json() })
    }
}

impl Said {
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Text { .. } => MessageKind::Text,
            Self::Reaction { .. } => MessageKind::Reaction,
            Self::Edit { .. } => MessageKind::Edit,
            Self::Revoke { .. } => MessageKind::Revoke,
            Self::Location { .. } => MessageKind::Location,
            Self::Contacts(_) => MessageKind::Contacts,
            Self::Media { kind, .. } => match kind {
                MediaKind::Image => MessageKind::Image,
                MediaKind::Video => MessageKind::Video,
                MediaKind::Audio => MessageKind::Audio,
                MediaKind::Document => MessageKind::Document,
                MediaKind::Sticker => MessageKind::Sticker,
            },
            Self::Unsupported { .. } => MessageKind::Unsupported,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Text { body, mentions } if mentions.is_empty() => json!({ "body": text(body) }),
            Self::Text { body, mentions } => {
                let mentions: Vec<String> = mentions.iter().take(MENTIONS_MAX).map(|one| short(one)).collect();
                json!({ "body": text(body), "mentions": mentions })
            }
            Self::Reaction { of, emoji } => json!({ "waId": short(of), "emoji": short(emoji) }),
            Self::Edit { of, body } => json!({ "waId": short(of), "body": text(body) }),
            Self::Revoke { of } => json!({ "waId": short(of) }),
            Self::Location { latitude, longitude, name, address } => fields([
                ("latitude", Some(json!(latitude))),
                ("longitude", Some(json!(longitude))),
                ("name", name.as_deref().map(|name| text(name).into())),
                ("address", address.as_deref().map(|address| text(address).into())),
            ]),
            Self::Contacts(cards) => {
                let mut left = VCARDS_MAX;
                let card_json = |card: &ContactCard| {
                    let vcard: String = card.vcard.chars().take(left.min(TEXT_MAX)).collect();
                    left -= vcard.chars().count();
                    json!({ "name": short(&card.name), "vcard": vcard })
                };
                cards.iter().take(CARDS_MAX).map(card_json).collect()
            }
            Self::Media { description, .. } => description.json(),
            Self::Unsupported { what } => json!({ "what": short(what) }),
        }
    }
}

impl MediaDescription {
    fn json(&self) -> Value {
        let Self { mime, bytes, caption, file_name, seconds, width, height, is_voice } = self;
        fields([
            ("mime", mime.as_deref().map(|mime| short(mime).into())),
            ("bytes", bytes.map(Value::from)),
            ("caption", caption.as_deref().map(|caption| text(caption).into())),
            ("fileName", file_name.as_deref().map(|name| short(name).into())),
            ("seconds", seconds.map(Value::from)),
            ("width", width.map(Value::from)),
            ("height", height.map(Value::from)),
            ("voice", is_voice.then_some(Value::Bool(true))),
        ])
    }
}

/// Text of strangers is cut.
fn short(text: &str) -> String {
    text.chars().take(NAME_MAX).collect()
}

fn text(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

fn fields<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let there = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A jid often contains the number.
        f.write_str("[party]")
    }
}

impl fmt::Debug for MessageContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.said.kind())
    }
}

impl fmt::Debug for WaitingMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingMessage").field("direction", &self.direction).finish_non_exhaustive()
    }
}

impl fmt::Debug for UnreadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnreadMessage").field("why", &self.why).finish_non_exhaustive()
    }
}

impl fmt::Debug for IncomingMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { direction, content, .. } = self;
        f.debug_struct("IncomingMessage")
            .field("direction", direction)
            .field("content", content)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(said: Said) -> MessageContent {
        MessageContent { said, reply_to: None }
    }

    #[test]
    fn a_text_reads_as_it_is_sent() {
        let said = Said::Text { body: "hello".to_owned(), mentions: Vec::new() };
        assert_eq!(content(said).json(), json!({"type": "text", "text": {"body": "hello"}}));
        let said = Said::Text { body: "hi".to_owned(), mentions: vec!["43660".to_owned()] };
        assert_eq!(content(said).json()["text"]["mentions"], json!(["43660"]));
    }

    #[test]
    fn what_a_stranger_writes_is_bounded() {
        let said = Said::Reaction { of: "A".repeat(9_000), emoji: "👍".repeat(9_000) };
        let json = content(said).json();
        assert_eq!(json["reaction"]["waId"].as_str().unwrap().len(), NAME_MAX);
        assert_eq!(json["reaction"]["emoji"].as_str().unwrap().chars().count(), NAME_MAX);
        let said = Said::Text { body: "ä".repeat(TEXT_MAX + 7), mentions: Vec::new() };
        assert_eq!(content(said).json()["text"]["body"].as_str().unwrap().chars().count(), TEXT_MAX);
        let said = Said::Text { body: "all".to_owned(), mentions: vec!["4".repeat(9_000); 9_000] };
        let json = content(said).json();
        let mentions = json["text"]["mentions"].as_array().unwrap();
        assert_eq!((mentions.len(), mentions[0].as_str().unwrap().len()), (MENTIONS_MAX, NAME_MAX));
        let card = ContactCard { name: "n".repeat(9_000), vcard: "ä".repeat(TEXT_MAX + 7) };
        let json = content(Said::Contacts(vec![card; 9_000])).json();
        let cards = json["contacts"].as_array().unwrap();
        assert_eq!((cards.len(), cards[0]["name"].as_str().unwrap().len()), (CARDS_MAX, NAME_MAX));
        let vcards = cards.iter().map(|card| card["vcard"].as_str().unwrap().chars().count());
        assert_eq!(vcards.collect::<Vec<_>>(), [[TEXT_MAX; 4].as_slice(), &[0; CARDS_MAX - 4]].concat());
    }

    #[test]
    fn what_is_said_is_not_in_the_debug_form() {
        let message = IncomingMessage {
            direction: MessageDirection::In,
            chat: Party { jid: "436601234567@s.whatsapp.net".to_owned(), phone: None },
            sender: Party { jid: "436601234567@s.whatsapp.net".to_owned(), phone: None },
            sender_name: Some("Mallory".to_owned()),
            wa_id: "3EB0".to_owned(),
            sent_at: Instant(0),
            content: Ok(content(Said::Text { body: "secret".to_owned(), mentions: Vec::new() })),
            media: None,
        };
        let shown = format!("{message:?}");
        assert!(!["secret", "Mallory", "43660"].iter().any(|said| shown.contains(said)), "{shown}");
    }

    #[test]
    fn a_message_refers_to_what_it_is_about_or_answers() {
        let about = content(Said::Revoke { of: "A".to_owned() });
        assert_eq!(about.refers_to(), Some("A"));
        let said = Said::Text { body: String::new(), mentions: Vec::new() };
        let answer = MessageContent { said, reply_to: Some("B".to_owned()) };
        assert_eq!(answer.refers_to(), Some("B"));
    }
}
