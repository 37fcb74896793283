//! Makes messages of the protocol out of those of the domain, and reads whom one was addressed to.

use paird_actors::domain::{Instant, MessageRef, OutgoingContent, OutgoingMessage};
use wacore_binary::{Jid, JidExt as _, Node};
use waproto::{
    buffa::MessageField,
    whatsapp::{
        self as wa, ContextInfo, MessageContextInfo, MessageKey,
        message::{ExtendedTextMessage, LocationMessage, ProtocolMessage, ReactionMessage, protocol_message},
    },
};

use whatsapp_rust::Client;

use super::keys::MessageSecret;

/// The account's own names.
pub(super) struct OwnJids {
    number: Option<Jid>,
    lid: Option<Jid>,
}

impl OwnJids {
    pub(super) fn of(client: &Client) -> Self {
        Self { number: client.pn(), lid: client.lid() }
    }

    pub(super) fn is_own(&self, jid: &Jid) -> bool {
        [&self.number, &self.lid].into_iter().flatten().any(|own| own.user == jid.user && own.server == jid.server)
    }

    /// As it is called in a chat.
    fn name_in(&self, chat: &Jid) -> Option<String> {
        let (first, second) =
            if chat.server.is_pn_family() { (&self.number, &self.lid) } else { (&self.lid, &self.number) };
        first.as_ref().or(second.as_ref()).map(|own| own.to_non_ad().to_string())
    }
}

/// The chat's jid, if it is a person's or a group's.
pub(super) fn chat_of(message: &OutgoingMessage) -> Option<Jid> {
    let jid: Jid = message.chat.jid.parse().ok()?;
    (jid.is_group() || jid.server.is_pn_family() || jid.server.is_lid_family()).then(|| jid.to_non_ad())
}

/// The message as it is encrypted. The same message has the same secret in every try: later
/// reactions and edits of it are read with that.
pub(super) fn message(
    outgoing: &OutgoingMessage,
    chat: &Jid,
    own: &OwnJids,
    secret: &MessageSecret,
    now: Instant,
) -> wa::Message {
    let made = Composer { chat, own };
    let secret = || {
        MessageField::some(MessageContextInfo {
            message_secret: Some(secret.to_vec()),
            ..MessageContextInfo::default()
        })
    };
    match &outgoing.content {
        OutgoingContent::Text { body, mentions, reply_to } => {
            wa::Message { message_context_info: secret(), ..made.text(body, mentions, reply_to.as_ref()) }
        }
        OutgoingContent::Location { latitude, longitude, name, address, reply_to } => {
            let location = LocationMessage {
                degrees_latitude: Some(*latitude),
                degrees_longitude: Some(*longitude),
                name: name.clone(),
                address: address.clone(),
                context_info: made.context(&[], reply_to.as_ref()),
                ..LocationMessage::default()
            };
            wa::Message {
                location_message: MessageField::some(location),
                message_context_info: secret(),
                ..wa::Message::default()
            }
        }
        OutgoingContent::Reaction { of, emoji } => {
            let reaction = ReactionMessage {
                key: MessageField::some(made.key(of)),
                text: Some(emoji.clone()),
                sender_timestamp_ms: Some(now.0),
                ..ReactionMessage::default()
            };
            wa::Message { reaction_message: MessageField::some(reaction), ..wa::Message::default() }
        }
        OutgoingContent::Edit { of, body } => {
            let mut key = made.key(of);
            if chat.is_group() {
                key.participant = own.name_in(chat);
            }
            of_another(ProtocolMessage {
                key: MessageField::some(key),
                r#type: Some(protocol_message::Type::MESSAGE_EDIT),
                edited_message: MessageField::some(made.text(body, &[], None)),
                timestamp_ms: Some(now.0),
                ..ProtocolMessage::default()
            })
        }
        OutgoingContent::Revoke { of } => of_another(ProtocolMessage {
            key: MessageField::some(made.key(of)),
            r#type: Some(protocol_message::Type::REVOKE),
            ..ProtocolMessage::default()
        }),
    }
}

struct Composer<'a> {
    chat: &'a Jid,
    own: &'a OwnJids,
}

impl Composer<'_> {
    /// Plain where it can be, as WhatsApp's own clients write it.
    fn text(&self, body: &str, mentions: &[String], reply_to: Option<&MessageRef>) -> wa::Message {
        if mentions.is_empty() && reply_to.is_none() {
            return wa::Message { conversation: Some(body.to_owned()), ..wa::Message::default() };
        }
        let text = ExtendedTextMessage {
            text: Some(body.to_owned()),
            context_info: self.context(mentions, reply_to),
            ..ExtendedTextMessage::default()
        };
        wa::Message { extended_text_message: MessageField::some(text), ..wa::Message::default() }
    }

    fn context(&self, mentions: &[String], reply_to: Option<&MessageRef>) -> MessageField<ContextInfo> {
        if mentions.is_empty() && reply_to.is_none() {
            return MessageField::none();
        }
        let mut context = ContextInfo { mentioned_jid: mentions.to_vec(), ..ContextInfo::default() };
        if let Some(quoted) = reply_to {
            context.stanza_id = Some(quoted.wa_id.clone());
            context.participant = match &quoted.sender {
                Some(sender) => Some(sender.jid.clone()),
                None => self.own.name_in(self.chat),
            };
            if let Some(body) = &quoted.body {
                let quoted = wa::Message { conversation: Some(body.clone()), ..wa::Message::default() };
                context.quoted_message = MessageField::some(quoted);
            }
        }
        MessageField::some(context)
    }

    fn key(&self, of: &MessageRef) -> MessageKey {
        let author = of.sender.as_ref().filter(|_| self.chat.is_group());
        MessageKey {
            remote_jid: Some(self.chat.to_string()),
            from_me: Some(of.sender.is_none()),
            id: Some(of.wa_id.clone()),
            participant: author.map(|author| author.jid.clone()),
        }
    }
}

fn of_another(protocol: ProtocolMessage) -> wa::Message {
    wa::Message { protocol_message: MessageField::some(protocol), ..wa::Message::default() }
}

/// The devices that a stanza carries something for which only they can decrypt.
pub(super) fn addressed_devices(stanza: &Node) -> Vec<Jid> {
    let participants = stanza.get_optional_child("participants");
    let devices = participants.into_iter().flat_map(|all| all.get_children_by_tag("to"));
    devices.filter_map(|to| to.attrs.get("jid")?.to_jid()).collect()
}

/// Whether it carries something that all who have the group's key can decrypt.
pub(super) fn is_for_a_group(stanza: &Node) -> bool {
    stanza.get_children_by_tag("enc").any(|enc| enc.attrs.get("type").is_some_and(|kind| kind.as_str() == "skmsg"))
}

/// Whether one of these is a device of somebody else, or of oneself in the chat with oneself.
pub(super) fn names_the_recipient(devices: &[Jid], chat: &Jid, own: &OwnJids) -> bool {
    devices.iter().any(|device| own.is_own(chat) || !own.is_own(device))
}

#[cfg(test)]
mod tests {
    use paird_actors::domain::{MessageId, Party};
    use wacore_binary::builder::NodeBuilder;

    use super::*;

    const NOW: Instant = Instant(1_700_000_000_000);

    fn own() -> OwnJids {
        OwnJids { number: Some(jid("4366011:3@s.whatsapp.net")), lid: Some(jid("11:3@lid")) }
    }

    fn jid(text: &str) -> Jid {
        text.parse().unwrap()
    }

    fn composed(chat: &str, content: OutgoingContent) -> wa::Message {
        let outgoing = OutgoingMessage {
            id: MessageId(1),
            chat: Party { jid: chat.to_owned(), phone: None },
            wa_id: "3EB0AA".to_owned(),
            content,
            attempt: 1,
            is_new_chat: false,
            maybe_sent: false,
            expires_at: None,
        };
        let chat = chat_of(&outgoing).unwrap();
        message(&outgoing, &chat, &own(), &MessageSecret::new([7; 32]), NOW)
    }

    fn of(sender: Option<&str>) -> MessageRef {
        let sender = sender.map(|jid| Party { jid: jid.to_owned(), phone: None });
        MessageRef { wa_id: "3EB0BB".to_owned(), sender, body: Some("before".to_owned()) }
    }

    #[test]
    fn a_plain_text_is_plain_and_has_its_secret() {
        let content = OutgoingContent::Text { body: "hi".to_owned(), mentions: Vec::new(), reply_to: None };
        let made = composed("22@lid", content);
        assert_eq!(made.conversation.as_deref(), Some("hi"));
        let secret = made.message_context_info.as_option().unwrap().message_secret.clone();
        assert_eq!(secret, Some(vec![7; 32]));
    }

    #[test]
    fn a_reply_quotes_and_names_its_author() {
        let reply = |sender| OutgoingContent::Text {
            body: "yes".to_owned(),
            mentions: vec!["33@lid".to_owned()],
            reply_to: Some(of(sender)),
        };
        let made = composed("22@lid", reply(Some("22@lid")));
        let text = made.extended_text_message.as_option().unwrap();
        let context = text.context_info.as_option().unwrap();
        assert_eq!((context.stanza_id.as_deref(), context.participant.as_deref()), (Some("3EB0BB"), Some("22@lid")));
        assert_eq!(context.quoted_message.as_option().unwrap().conversation.as_deref(), Some("before"));
        assert_eq!(context.mentioned_jid, ["33@lid"]);
        for (chat, own) in [("22@lid", "11@lid"), ("4366022@s.whatsapp.net", "4366011@s.whatsapp.net")] {
            let made = composed(chat, reply(None));
            let context = made.extended_text_message.as_option().unwrap().context_info.as_option().unwrap();
            assert_eq!(context.participant.as_deref(), Some(own));
        }
    }

    #[test]
    fn what_refers_to_another_names_it_as_its_readers_do() {
        let key = |chat, sender| {
            let made = composed(chat, OutgoingContent::Reaction { of: of(sender), emoji: String::new() });
            let key = made.reaction_message.as_option().unwrap().key.as_option().unwrap();
            (key.from_me.unwrap(), key.participant.clone())
        };
        assert_eq!(key("22@lid", Some("22@lid")), (false, None));
        assert_eq!(key("22@lid", None), (true, None));
        assert_eq!(key("5@g.us", Some("33@lid")), (false, Some("33@lid".to_owned())));
    }

    #[test]
    fn a_stanza_for_the_own_devices_alone_reaches_nobody() {
        let to = |jid: &str| NodeBuilder::new("to").attr("jid", jid).build();
        let stanza = |devices: &[&str]| {
            let all = devices.iter().map(|device| to(device));
            NodeBuilder::new("message").children([NodeBuilder::new("participants").children(all).build()]).build()
        };
        let reaches = |chat: &str, devices: &[&str]| {
            names_the_recipient(&addressed_devices(&stanza(devices)), &jid(chat), &own())
        };
        assert!(reaches("22@lid", &["11@lid", "22@lid"]));
        assert!(reaches("22@lid", &["22:4@lid"]));
        assert!(!reaches("22@lid", &["11@lid", "4366011@s.whatsapp.net"]));
        assert!(!reaches("22@lid", &[]));
        assert!(reaches("11@lid", &["11@lid"]));
    }
}
