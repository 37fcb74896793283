//! Translates messages of the protocol into those of the domain.

use std::io;

use paird_actors::domain::{
    ContactCard, IncomingMessage, Instant, MediaDescription, MediaKind, MessageContent, MessageDirection, Party, Phone,
    Said, StoreError, UnreadMessage, UnreadReason, WaitReason, WaitingMessage,
};
use serde::Serialize;
use serde_json::ser::Formatter;
use wacore::{
    proto_helpers::MessageExt as _,
    types::events::InboundMessage,
    types::message::{MessageCategory, MessageInfo, MessageSource},
};
use wacore_binary::{Jid, JidExt as _};
use waproto::{
    buffa::MessageField,
    whatsapp::{
        self as wa, ContextInfo,
        message::{LocationMessage, PeerDataOperationRequestResponseMessage, ProtocolMessage, protocol_message},
    },
};
use whatsapp_rust::Client;
use zeroize::Zeroizing;

/// Fields of a message that are not part of its contents.
const NOT_SAID: [&str; 3] = ["message_context_info", "sender_key_distribution_message", "device_sent_message"];

/// Whether a stanza is a message between people, and not one between the devices of an account,
/// a status update or a message of a channel.
pub(super) fn is_between_people(info: &MessageInfo) -> bool {
    let chat = &info.source.chat;
    info.category != MessageCategory::Peer && !chat.is_status_broadcast() && !chat.is_newsletter()
}

/// The phone's answer to a request for messages, if this is one.
pub(super) fn answer_of_the_phone(message: &InboundMessage) -> Option<&PeerDataOperationRequestResponseMessage> {
    let is_of_the_owner = message.info.category == MessageCategory::Peer && message.info.source.is_from_me;
    let protocol = message.message.protocol_message.as_option().filter(|_| is_of_the_owner)?;
    protocol.peer_data_operation_request_response_message.as_option()
}

/// Whether it is the phone's word that there is a history to be read. The library has taken out what
/// it says of it.
pub(super) fn announces_history(message: &InboundMessage) -> bool {
    let is_of_the_owner = message.info.category == MessageCategory::Peer && message.info.source.is_from_me;
    let protocol = message.message.protocol_message.as_option().filter(|_| is_of_the_owner);
    protocol.is_some_and(|protocol| protocol.r#type == Some(protocol_message::Type::HISTORY_SYNC_NOTIFICATION))
}

/// The messages that the phone was asked for and does not have.
pub(super) fn not_on_phone(answer: &PeerDataOperationRequestResponseMessage) -> Vec<MessageInfo> {
    let results = answer.peer_data_operation_result.iter();
    let answers = results.filter_map(|result| result.placeholder_message_resend_response.as_option());
    let bytes = answers.filter_map(|answer| answer.web_message_info_bytes.as_deref());
    let messages = bytes.filter_map(|bytes| waproto::codec::web_message_info_decode(bytes).ok());
    let missing = messages.filter(|message| !message.message.is_set());
    let infos = missing.filter_map(|message| info_of_key(message.key.as_option()?));
    infos.filter(is_between_people).collect()
}

/// What a message's key says of it.
fn info_of_key(key: &wa::MessageKey) -> Option<MessageInfo> {
    let chat: Jid = key.remote_jid.as_deref()?.parse().ok()?;
    let sender = match key.participant.as_deref() {
        Some(participant) => participant.parse().ok()?,
        None => chat.clone(),
    };
    let (is_from_me, is_group) = (key.from_me.unwrap_or_default(), chat.is_group());
    let source = MessageSource { chat, sender, is_from_me, is_group, ..MessageSource::default() };
    Some(MessageInfo { source, id: key.id.clone()?, ..MessageInfo::default() })
}

/// The protocol's name of a message for programs.
pub(super) fn name_among_programs(message: &wa::Message) -> String {
    let message = message.get_base_message();
    let kind = message.protocol_message.as_option().and_then(|protocol| protocol.r#type);
    kind.map_or_else(|| name_of(message), |kind| format!("{kind:?}").to_lowercase())
}

/// The contents of a message; `None` if it is for programs alone.
pub(super) fn content(message: &wa::Message) -> Option<MessageContent> {
    let message = message.get_base_message();
    let said = said(message)?;
    let reply_to = context(message).and_then(|context| context.stanza_id.clone()).filter(|id| !id.is_empty());
    Some(MessageContent { said, reply_to })
}

fn said(message: &wa::Message) -> Option<Said> {
    if let Some(protocol) = message.protocol_message.as_option() {
        return said_of_another(protocol);
    }
    if let Some(body) = message.text_content() {
        let mentions = context(message).map(|context| context.mentioned_jid.clone()).unwrap_or_default();
        return Some(Said::Text { body: body.to_owned(), mentions: mentions.iter().map(|jid| mention(jid)).collect() });
    }
    if let Some(reaction) = message.reaction_message.as_option() {
        let of = reaction.key.as_option().and_then(|key| key.id.clone()).unwrap_or_default();
        return Some(Said::Reaction { of, emoji: reaction.text.clone().unwrap_or_default() });
    }
    if let Some(location) = message.location_message.as_option() {
        return Some(said_location(location));
    }
    if let Some(card) = message.contact_message.as_option() {
        return Some(Said::Contacts(vec![contact_card(card)]));
    }
    if let Some(cards) = message.contacts_array_message.as_option() {
        return Some(Said::Contacts(cards.contacts.iter().map(contact_card).collect()));
    }
    Some(media(message).unwrap_or_else(|| Said::Unsupported { what: name_of(message) }))
}

/// Only these two protocol messages come from people: they change an earlier message.
fn said_of_another(protocol: &ProtocolMessage) -> Option<Said> {
    let of = protocol.key.as_option().and_then(|key| key.id.clone());
    if protocol.r#type == Some(protocol_message::Type::REVOKE) {
        return Some(Said::Revoke { of: of? });
    }
    if protocol.r#type == Some(protocol_message::Type::MESSAGE_EDIT) {
        let edited = protocol.edited_message.as_option()?;
        let body = edited.text_content().or_else(|| edited.get_caption()).unwrap_or_default();
        return Some(Said::Edit { of: of?, body: body.to_owned() });
    }
    None
}

fn said_location(location: &LocationMessage) -> Said {
    let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Said::Location {
        latitude: location.degrees_latitude.unwrap_or_default(),
        longitude: location.degrees_longitude.unwrap_or_default(),
        name: named(&location.name),
        address: named(&location.address),
    }
}

fn contact_card(card: &wa::message::ContactMessage) -> ContactCard {
    ContactCard { name: card.display_name.clone().unwrap_or_default(), vcard: card.vcard.clone().unwrap_or_default() }
}

fn media(message: &wa::Message) -> Option<Said> {
    let (kind, description) = if let Some(image) = message.image_message.as_option() {
        (
            MediaKind::Image,
            MediaDescription {
                mime: image.mimetype.clone(),
                bytes: image.file_length,
                caption: image.caption.clone(),
                width: image.width,
                height: image.height,
                ..MediaDescription::default()
            },
        )
    } else if let Some(video) = message.video_message.as_option().or_else(|| message.ptv_message.as_option()) {
        (
            MediaKind::Video,
            MediaDescription {
                mime: video.mimetype.clone(),
                bytes: video.file_length,
                caption: video.caption.clone(),
                seconds: video.seconds,
                width: video.width,
                height: video.height,
                ..MediaDescription::default()
            },
        )
    } else if let Some(audio) = message.audio_message.as_option() {
        (
            MediaKind::Audio,
            MediaDescription {
                mime: audio.mimetype.clone(),
                bytes: audio.file_length,
                seconds: audio.seconds,
                is_voice: audio.ptt.unwrap_or_default(),
                ..MediaDescription::default()
            },
        )
    } else if let Some(document) = message.document_message.as_option() {
        (
            MediaKind::Document,
            MediaDescription {
                mime: document.mimetype.clone(),
                bytes: document.file_length,
                caption: document.caption.clone(),
                file_name: document.file_name.clone(),
                ..MediaDescription::default()
            },
        )
    } else {
        let sticker = message.sticker_message.as_option()?;
        (
            MediaKind::Sticker,
            MediaDescription {
                mime: sticker.mimetype.clone(),
                bytes: sticker.file_length,
                width: sticker.width,
                height: sticker.height,
                ..MediaDescription::default()
            },
        )
    };
    Some(Said::Media { kind, description })
}

/// The message with nothing but what is needed to fetch and decrypt its media, encoded; `None` if
/// it has none, or no key of it.
pub(super) fn media_keys(message: &wa::Message) -> Option<Zeroizing<Vec<u8>>> {
    let message = message.get_base_message();
    macro_rules! of_the_first {
        ($($field:ident: $kind:ident),+) => {
            $(if let Some(media) = message.$field.as_option() {
                media.media_key.as_ref()?;
                let keys = wa::message::$kind {
                    url: media.url.clone(),
                    direct_path: media.direct_path.clone(),
                    media_key: media.media_key.clone(),
                    media_key_timestamp: media.media_key_timestamp,
                    mimetype: media.mimetype.clone(),
                    file_length: media.file_length,
                    file_sha256: media.file_sha256.clone(),
                    file_enc_sha256: media.file_enc_sha256.clone(),
                    ..Default::default()
                };
                let message = wa::Message { $field: MessageField::some(keys), ..Default::default() };
                return Some(Zeroizing::new(waproto::codec::message_to_vec(&message)));
            })+
        };
    }
    of_the_first!(
        image_message: ImageMessage,
        video_message: VideoMessage,
        ptv_message: VideoMessage,
        audio_message: AudioMessage,
        document_message: DocumentMessage,
        sticker_message: StickerMessage
    );
    None
}

/// The part of a message that has quotes and mentions.
fn context(message: &wa::Message) -> Option<&ContextInfo> {
    macro_rules! of_the_first {
        ($($field:ident),+) => {
            $(if let Some(said) = message.$field.as_option() {
                return said.context_info.as_option();
            })+
        };
    }
    of_the_first!(
        extended_text_message,
        image_message,
        video_message,
        audio_message,
        document_message,
        sticker_message,
        location_message,
        contact_message,
        contacts_array_message
    );
    None
}

/// The number, if the jid contains one.
fn mention(jid: &str) -> String {
    match jid.parse::<Jid>() {
        Ok(jid) if jid.server.is_pn_family() => jid.user.to_string(),
        _ => jid.to_owned(),
    }
}

/// The protocol's name of the first field that is set.
fn name_of(message: &wa::Message) -> String {
    let names = set_fields(message).into_iter().map(|name| snake(&name));
    let mut said = names.filter(|name| !NOT_SAID.contains(&name.as_str()));
    let name = said.next().unwrap_or_else(|| "nothing".to_owned());
    name.strip_suffix("_message").map_or(name.clone(), str::to_owned)
}

/// The fields of an object that are neither null nor an empty list. Their values are passed over as
/// they are read: a stranger decides how large they are.
fn set_fields(object: &impl Serialize) -> Vec<String> {
    let mut names = Vec::new();
    let noting = Noting { names: &mut names, depth: 0, is_key: false, name: String::new(), is_set: false };
    // Into the void, which takes everything.
    let _ = object.serialize(&mut serde_json::Serializer::with_formatter(io::sink(), noting));
    names
}

/// Writes nothing, and notes the names.
struct Noting<'a> {
    names: &'a mut Vec<String>,
    /// How many objects and lists the current value is in.
    depth: usize,
    /// Whether the name of a field is being written, and its name.
    is_key: bool,
    name: String,
    is_set: bool,
}

/// Fields of the outermost object.
const FIELDS: usize = 1;

impl Formatter for Noting<'_> {
    fn begin_object<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.depth += 1;
        Ok(())
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.depth -= 1;
        Ok(())
    }

    fn begin_array<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        // Until it turns out to have something in it.
        self.is_set &= self.depth != FIELDS;
        self.depth += 1;
        Ok(())
    }

    fn begin_array_value<W: io::Write + ?Sized>(&mut self, _: &mut W, _is_first: bool) -> io::Result<()> {
        self.is_set |= self.depth == FIELDS + 1;
        Ok(())
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.depth -= 1;
        Ok(())
    }

    fn write_null<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_set &= self.depth != FIELDS;
        Ok(())
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, _: &mut W, _is_first: bool) -> io::Result<()> {
        if self.depth == FIELDS {
            self.name.clear();
            (self.is_key, self.is_set) = (true, true);
        }
        Ok(())
    }

    fn end_object_key<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_key = false;
        Ok(())
    }

    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, _: &mut W, fragment: &str) -> io::Result<()> {
        if self.is_key {
            self.name.push_str(fragment);
        }
        Ok(())
    }

    fn end_object_value<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        if self.depth == FIELDS && self.is_set {
            self.names.push(std::mem::take(&mut self.name));
        }
        Ok(())
    }
}

fn snake(name: &str) -> String {
    name.chars().fold(String::new(), |mut snake, letter| {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        snake
    })
}

/// A message as it is written.
///
/// # Errors
/// The jid that belongs to a number, or the other way round, could not be looked up.
pub(super) async fn incoming(
    client: &Client,
    info: &MessageInfo,
    content: Result<MessageContent, WaitReason>,
) -> Result<IncomingMessage, StoreError> {
    let (direction, chat, sender) = parties(client, info).await?;
    let name = info.push_name.trim();
    Ok(IncomingMessage {
        direction,
        chat,
        sender,
        sender_name: (!name.is_empty()).then(|| name.to_owned()),
        wa_id: info.id.clone(),
        sent_at: Instant(info.timestamp.timestamp_millis()),
        content,
        media: None,
    })
}

/// A message that will never be read.
///
/// # Errors
/// As of [`incoming`].
pub(super) async fn unread(
    client: &Client,
    info: &MessageInfo,
    why: UnreadReason,
) -> Result<UnreadMessage, StoreError> {
    let (_, chat, sender) = parties(client, info).await?;
    Ok(UnreadMessage { chat, sender, wa_id: info.id.clone(), why })
}

/// Its direction, its chat and its sender.
async fn parties(client: &Client, info: &MessageInfo) -> Result<(MessageDirection, Party, Party), StoreError> {
    let source = &info.source;
    let (direction, sender) = if source.is_from_me {
        // The same jid always, whichever of the two the stanza has.
        let own = client.lid().or_else(|| client.pn()).unwrap_or_else(|| source.sender.clone());
        (MessageDirection::Echo, party(client, &own, client.pn().as_ref()).await?)
    } else {
        (MessageDirection::In, party(client, &source.sender, source.sender_alt.as_ref()).await?)
    };
    let is_with_the_sender = !source.is_from_me && source.chat.to_non_ad() == source.sender.to_non_ad();
    let chat = if is_with_the_sender {
        sender.clone()
    } else {
        party(client, &source.chat, source.recipient_alt.as_ref()).await?
    };
    Ok((direction, chat, sender))
}

/// A waiting message, as the phone is asked for it; `None` if its jids are none.
pub(super) fn info_of(waiting: &WaitingMessage) -> Option<MessageInfo> {
    let WaitingMessage { id: _, direction, chat, sender, wa_id, sent_at } = waiting;
    let number = |party: &Party| party.phone.as_ref().map(|phone| Jid::pn(phone.digits()));
    let chat_jid: Jid = chat.jid.parse().ok()?;
    let is_group = chat_jid.is_group();
    // The phone answers with numbers: the library finds its request by this one.
    let sender_alt = number(if is_group { sender } else { chat });
    let (is_from_me, recipient_alt) = match direction {
        MessageDirection::In => (false, None),
        MessageDirection::Echo => (true, number(chat)),
        // One of our own does not wait to be read.
        MessageDirection::Out => return None,
    };
    let source = MessageSource {
        chat: chat_jid,
        sender: sender.jid.parse().ok()?,
        is_from_me,
        is_group,
        sender_alt,
        recipient_alt,
        ..MessageSource::default()
    };
    Some(MessageInfo { source, id: wa_id.clone(), timestamp: sent_at.to_utc(), ..MessageInfo::default() })
}

/// By the LID if it is known: a stanza may have the LID or the number.
pub(super) async fn party(client: &Client, jid: &Jid, other: Option<&Jid>) -> Result<Party, StoreError> {
    let jid = jid.to_non_ad();
    let (is_lid, is_pn) = (jid.server.is_lid_family(), jid.server.is_pn_family());
    let other = match other
        .filter(|other| (is_lid && other.server.is_pn_family()) || (is_pn && other.server.is_lid_family()))
    {
        Some(other) => Some(other.to_non_ad()),
        None if is_lid || is_pn => other_name(client, &jid).await?,
        None => None,
    };
    let (lid, number) = if is_pn { (other, Some(jid.clone())) } else { (Some(jid.clone()), other) };
    Ok(Party {
        phone: number.and_then(|number| Phone::from_digits(&number.user).ok()),
        jid: lid.unwrap_or(jid).to_string(),
    })
}

async fn other_name(client: &Client, jid: &Jid) -> Result<Option<Jid>, StoreError> {
    let known = client.get_lid_pn_entry(jid).await;
    let known = known.map_err(|failure| StoreError::Unavailable(format!("looking up a LID: {failure:#}")))?;
    Ok(known.map(
        |known| {
            if jid.server.is_lid_family() { Jid::pn(&*known.phone_number) } else { Jid::lid(&*known.lid) }
        },
    ))
}

#[cfg(test)]
mod tests {
    use waproto::whatsapp::{Message, MessageKey, message};

    use super::*;

    fn json_of(message: &Message) -> serde_json::Value {
        content(message).map(|content| content.json()).unwrap_or_default()
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let poll = message::PollCreationMessage { name: Some("lunch?".to_owned()), ..Default::default() };
        let poll = Message { poll_creation_message_v3: MessageField::some(poll), ..Default::default() };
        assert_eq!(json_of(&poll)["unsupported"]["what"], "poll_creation_message_v3");
        let invite = message::GroupInviteMessage { group_name: Some("choir".to_owned()), ..Default::default() };
        let invite = Message { group_invite_message: MessageField::some(invite), ..Default::default() };
        assert_eq!(json_of(&invite)["unsupported"]["what"], "group_invite");
        assert_eq!(json_of(&Message::default())["unsupported"]["what"], "nothing");
    }

    #[test]
    fn only_fields_that_are_set_are_named() {
        let value = serde_json::json!({
            "absent": null, "none": [], "nulls": [null], "empty": {}, "no": false, "zero": 0, "blank": "",
            "deep": { "inner": [null, [], { "more": null }], "last": null }, "lists": [[], []],
        });
        let set = ["nulls", "empty", "no", "zero", "blank", "deep", "lists"];
        let mut found = set_fields(&value);
        found.sort();
        assert_eq!(found, {
            let mut set = set.map(str::to_owned).to_vec();
            set.sort();
            set
        });
    }

    #[test]
    fn what_programs_say_to_each_other_is_no_message() {
        for kind in [
            protocol_message::Type::APP_STATE_SYNC_KEY_SHARE,
            protocol_message::Type::HISTORY_SYNC_NOTIFICATION,
            protocol_message::Type::PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
        ] {
            let protocol = ProtocolMessage { r#type: Some(kind), ..Default::default() };
            let message = Message { protocol_message: MessageField::some(protocol), ..Default::default() };
            assert!(content(&message).is_none(), "{kind:?}");
        }
        let key = MessageKey { id: Some("A".to_owned()), ..Default::default() };
        let protocol = ProtocolMessage {
            key: MessageField::some(key),
            r#type: Some(protocol_message::Type::REVOKE),
            ..Default::default()
        };
        let message = Message { protocol_message: MessageField::some(protocol), ..Default::default() };
        assert_eq!(json_of(&message)["revoke"]["waId"], "A");
    }

    #[test]
    fn devices_channels_and_statuses_are_not_people() {
        let info = |chat: &str, category| MessageInfo {
            source: MessageSource { chat: chat.parse().unwrap(), ..MessageSource::default() },
            category,
            ..MessageInfo::default()
        };
        assert!(is_between_people(&info("1@lid", MessageCategory::default())));
        assert!(is_between_people(&info("1@g.us", MessageCategory::default())));
        assert!(!is_between_people(&info("1@lid", MessageCategory::Peer)));
        assert!(!is_between_people(&info("status@broadcast", MessageCategory::default())));
        assert!(!is_between_people(&info("1@newsletter", MessageCategory::default())));
    }

    #[test]
    fn a_picture_is_described_through_its_wrappers() {
        let image = message::ImageMessage {
            mimetype: Some("image/jpeg".to_owned()),
            file_length: Some(7),
            caption: Some("look".to_owned()),
            context_info: MessageField::some(ContextInfo { stanza_id: Some("A".to_owned()), ..Default::default() }),
            ..Default::default()
        };
        let inner = Message { image_message: MessageField::some(image), ..Default::default() };
        let wrapper = message::FutureProofMessage { message: MessageField::some(inner) };
        let message = Message { ephemeral_message: MessageField::some(wrapper), ..Default::default() };
        let content = content(&message).unwrap();
        assert_eq!(content.refers_to(), Some("A"));
        assert_eq!(content.json()["image"], serde_json::json!({"mime": "image/jpeg", "bytes": 7, "caption": "look"}));
        assert!(media_keys(&message).is_none(), "there is no key");
    }

    #[test]
    fn nothing_is_kept_of_media_but_what_fetches_them() {
        let image = message::ImageMessage {
            media_key: Some(vec![7; 32]),
            direct_path: Some("/v".to_owned()),
            caption: Some("look".to_owned()),
            jpeg_thumbnail: Some(vec![1; 500]),
            ..Default::default()
        };
        let message = Message { image_message: MessageField::some(image), ..Default::default() };
        let kept = waproto::codec::message_decode(&media_keys(&message).unwrap()).unwrap();
        let image = kept.image_message.as_option().unwrap();
        assert_eq!((image.media_key.clone(), image.direct_path.as_deref()), (Some(vec![7; 32]), Some("/v")));
        assert!(image.caption.is_none() && image.jpeg_thumbnail.is_none());
        let text = Message { conversation: Some("x".to_owned()), ..Default::default() };
        assert!(media_keys(&text).is_none());
    }
}
