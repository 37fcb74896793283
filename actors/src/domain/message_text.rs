//! A message as words for people: what it says, or what it is.

use serde_json::Value;

use super::{MessageDirection, MessageKind, SendFailure};

/// What a list shows of a message. `kind` is null while the message cannot be read, and `content`
/// is null when it is not kept any more.
pub fn describe_message(kind: Option<&str>, content: Option<&Value>) -> String {
    let Some(word) = kind else {
        return "(cannot be read yet)".to_owned();
    };
    let Some(said) = content.and_then(|content| content.get(word)) else {
        return format!("({word}, no longer kept)");
    };
    match MessageKind::parse(word) {
        Some(kind) => kind.words(said),
        // A newer daemon wrote it.
        None => format!("({word})"),
    }
}

impl MessageDirection {
    /// For documents.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::In => "somebody sent it to the account, or to a group that the account is in",
            Self::Echo => "the account's owner sent it from the phone or another device",
            Self::Out => "it was sent, or is to be sent, with `send_message`",
        }
    }
}

impl MessageKind {
    /// For documents.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Reaction => "a reaction to a message, or that it was taken back",
            Self::Edit => "a message's new text",
            Self::Revoke => "a message was deleted for everyone",
            Self::Location => "a place",
            Self::Contacts => "contact cards",
            Self::Image => "a picture",
            Self::Video => "a video",
            Self::Audio => "a voice message or other sound",
            Self::Document => "a file",
            Self::Sticker => "a sticker",
            Self::Unsupported => "something else, which its content names",
        }
    }

    fn words(self, said: &Value) -> String {
        let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let caption = || text("caption").or(text("fileName"));
        match self {
            Self::Text => text("body").unwrap_or_default().to_owned(),
            Self::Reaction => match text("emoji") {
                Some(emoji) => format!("(reaction) {emoji}"),
                None => "(reaction taken back)".to_owned(),
            },
            Self::Edit => labelled("edited", text("body")),
            Self::Revoke => "(deleted a message)".to_owned(),
            Self::Location => {
                let number = |name: &str| said.get(name).and_then(Value::as_f64);
                let place = number("latitude").zip(number("longitude"));
                let place = place.map(|(latitude, longitude)| format!("{latitude}, {longitude}"));
                let named: Vec<&str> =
                    text("name").into_iter().chain(text("address")).chain(place.as_deref()).collect();
                labelled("location", Some(named.join(", ").as_str()).filter(|named| !named.is_empty()))
            }
            Self::Contacts => {
                let cards = said.as_array().map(Vec::as_slice).unwrap_or_default();
                let names: Vec<&str> =
                    cards.iter().filter_map(|card| card.get("name").and_then(Value::as_str)).collect();
                labelled("contact", Some(names.join(", ").as_str()).filter(|names| !names.is_empty()))
            }
            Self::Image => labelled("image", caption()),
            Self::Video => labelled("video", caption()),
            Self::Audio if said.get("voice") == Some(&Value::Bool(true)) => labelled("voice message", caption()),
            Self::Audio => labelled("audio", caption()),
            Self::Document => labelled("document", caption()),
            Self::Sticker => labelled("sticker", caption()),
            Self::Unsupported => labelled("not supported", text("what")),
        }
    }
}

impl SendFailure {
    /// For people, and for documents.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NotOnWhatsapp => "nobody has this number on WhatsApp",
            Self::NoRecipientDevice => "none of the recipient's devices could be reached",
            Self::Refused => "WhatsApp refused it",
            Self::ReachoutTimelocked => "WhatsApp lets the account write to no new chats for the time being",
            Self::NoAck => "WhatsApp never said that it has the message; it may have arrived",
            Self::Expired => "its time was over before it could be sent",
            Self::TargetMissing => "the message that it refers to is gone",
        }
    }
}

fn labelled(what: &str, words: Option<&str>) -> String {
    match words {
        Some(words) => format!("({what}) {words}"),
        None => format!("({what})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_message_reads_as_what_it_says() {
        for (kind, said, words) in [
            ("text", json!({"body": "hello"}), "hello"),
            ("reaction", json!({"messageId": 1, "emoji": "👍"}), "(reaction) 👍"),
            ("reaction", json!({"messageId": 1, "emoji": ""}), "(reaction taken back)"),
            ("edit", json!({"messageId": 1, "body": "better"}), "(edited) better"),
            ("revoke", json!({"messageId": 1}), "(deleted a message)"),
            (
                "location",
                json!({"latitude": 48.2, "longitude": 16.4, "name": "Vienna"}),
                "(location) Vienna, 48.2, 16.4",
            ),
            ("contacts", json!([{"name": "Carl"}, {"name": "Dora"}]), "(contact) Carl, Dora"),
            ("image", json!({"caption": "look", "mime": "image/jpeg"}), "(image) look"),
            ("video", json!({}), "(video)"),
            ("audio", json!({"voice": true}), "(voice message)"),
            ("audio", json!({"seconds": 3}), "(audio)"),
            ("document", json!({"fileName": "offer.pdf"}), "(document) offer.pdf"),
            ("sticker", json!({}), "(sticker)"),
            ("unsupported", json!({"what": "poll_creation"}), "(not supported) poll_creation"),
        ] {
            let content = json!({"type": kind, kind: said});
            assert_eq!(describe_message(Some(kind), Some(&content)), words);
        }
        let kinds: Vec<&str> = MessageKind::ALL.iter().map(|kind| kind.as_str()).collect();
        for kind in kinds {
            assert_eq!(describe_message(Some(kind), None), format!("({kind}, no longer kept)"));
            // A row that somebody wrote by hand.
            for odd in [json!(null), json!(7), json!([1]), json!({"body": 7, "caption": [], "what": {}})] {
                describe_message(Some(kind), Some(&json!({"type": kind, kind: odd})));
            }
        }
        assert_eq!(describe_message(None, None), "(cannot be read yet)");
        assert_eq!(describe_message(Some("poll"), Some(&json!({"poll": {}}))), "(poll)");
    }
}
