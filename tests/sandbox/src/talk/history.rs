//! The history that a phone sends to a device which it has just linked: a file on the media host,
//! and a message that says where it is.

use anyhow::{Context as _, Result};
use buffa::{Message as _, MessageField};
use serde::{Deserialize, Serialize};
use wacore::download::MediaType;
use wacore::upload::encrypt_media;
use waproto::whatsapp::history_sync::HistorySyncType;
use waproto::whatsapp::message::protocol_message::Type;
use waproto::whatsapp::message::{HistorySyncNotification, HistorySyncType as NamedType, ProtocolMessage};
use waproto::whatsapp::{
    Conversation, HistorySync, HistorySyncMsg, Message, MessageKey, PhoneNumberToLIDMapping, Pushname, WebMessageInfo,
};

use crate::phone::Naming;
use crate::world::{DeviceId, State, World, now_ms};

/// What a phone has from before it links a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct History {
    pub chats: Vec<OldChat>,
    /// Makes tokens for those who gave none.
    pub salt: Vec<u8>,
    /// Inside the message, as a small one is.
    pub inline: bool,
    pub host: MediaHost,
    /// So many more chats, with people whom the phone has by number, LID and token.
    pub crowd: u32,
    /// Announced so often, each time by another message; 0 is once.
    pub times: u32,
    /// The announcement is longer by so many bytes.
    pub padding: u32,
}

/// The number of one of the crowd.
fn number_in_crowd(nth: u32) -> String {
    format!("88{nth:010}")
}

/// A chat of a phone with somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OldChat {
    pub number: String,
    /// By which name the phone keeps the chat. It knows both.
    pub naming: Naming,
    /// Its last message.
    pub text: String,
    /// The privacy token of the other one; empty if there is none.
    pub token: Vec<u8>,
}

/// How the media host answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaHost {
    #[default]
    Serves,
    /// It takes the request and says nothing, until this is changed.
    Stalls,
    /// It answers with this status.
    Fails(u16),
    /// It serves what is no history.
    Garbage,
}

/// A file on the media host.
pub(crate) struct MediaFile {
    /// The phone whose it is.
    number: String,
    bytes: Vec<u8>,
}

impl History {
    fn packed(&self, now_s: u64) -> Vec<u8> {
        let named = |chat: &OldChat| chat.naming.user(&chat.number).to_string();
        let conversations = self.chats.iter().map(|chat| Conversation {
            id: named(chat),
            messages: vec![HistorySyncMsg {
                message: MessageField::some(last_message(chat, now_s)),
                msg_order_id: Some(1),
            }],
            tc_token: Some(chat.token.clone()).filter(|token| !token.is_empty()),
            tc_token_timestamp: Some(now_s),
            ..Default::default()
        });
        let crowd: Vec<String> = (0..self.crowd).map(number_in_crowd).collect();
        let of_crowd = crowd.iter().zip(0_u32..).map(|(number, nth)| Conversation {
            id: Naming::Lid.user(number).to_string(),
            tc_token: Some(nth.to_be_bytes().to_vec()),
            tc_token_timestamp: Some(now_s),
            ..Default::default()
        });
        let conversations = conversations.chain(of_crowd);
        let numbers = self.chats.iter().map(|chat| &chat.number).chain(&crowd);
        let mappings = numbers.map(|number| PhoneNumberToLIDMapping {
            pn_jid: Some(Naming::Number.user(number).to_string()),
            lid_jid: Some(Naming::Lid.user(number).to_string()),
        });
        let names = self.chats.iter().map(|chat| Pushname {
            id: Some(Naming::Number.user(&chat.number).to_string()),
            pushname: Some(format!("Old friend {}", chat.number)),
        });
        let history = HistorySync {
            sync_type: HistorySyncType::INITIAL_BOOTSTRAP,
            conversations: conversations.collect(),
            pushnames: names.collect(),
            phone_number_to_lid_mappings: mappings.collect(),
            nct_salt: Some(self.salt.clone()).filter(|salt| !salt.is_empty()),
            ..Default::default()
        };
        zlib(&history.encode_to_vec())
    }
}

/// In zlib's format (RFC 1950), not compressed.
fn zlib(data: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 65_535;
    let mut packed = vec![0x78, 0x01];
    let mut blocks = data.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        packed.push(u8::from(blocks.peek().is_none()));
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(block);
    }
    let (low, high) = data.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    packed.extend(((high << 16) | low).to_be_bytes());
    packed
}

fn last_message(chat: &OldChat, now_s: u64) -> WebMessageInfo {
    let key = MessageKey {
        remote_jid: Some(chat.naming.user(&chat.number).to_string()),
        from_me: Some(false),
        id: Some(format!("3EB0{:016X}", rand::random::<u64>())),
        participant: None,
    };
    let message = Message { conversation: Some(chat.text.clone()), ..Default::default() };
    WebMessageInfo {
        key: MessageField::some(key),
        message: MessageField::some(message),
        message_timestamp: Some(now_s),
        push_name: Some(format!("Old friend {}", chat.number)),
        message_secret: Some(rand::random::<[u8; 32]>().to_vec()),
        ..Default::default()
    }
}

impl State {
    /// Sends a device the history of its phone, once, as soon as it can be written to.
    pub(crate) fn share_history(&mut self, with: &DeviceId) -> Result<()> {
        let can_read = self.device(with).is_some_and(|device| device.bundle.is_there());
        let phone = self.phone(&with.number)?;
        let Some(history) = phone.history.clone().filter(|_| can_read) else { return Ok(()) };
        if !phone.historic.insert(with.device) {
            return Ok(());
        }
        let packed = history.packed(now_ms() / 1_000);
        let mut notification = HistorySyncNotification {
            file_length: Some(packed.len() as u64),
            sync_type: Some(NamedType::INITIAL_BOOTSTRAP),
            chunk_order: Some(1),
            progress: Some(100),
            ..Default::default()
        };
        if history.inline {
            notification.initial_hist_bootstrap_inline_payload = Some(packed);
        } else {
            let sealed = encrypt_media(&packed, MediaType::History)?;
            let name = format!("{:016x}", rand::random::<u64>());
            notification.media_key = Some(sealed.media_key.to_vec());
            notification.file_sha256 = Some(sealed.file_sha256.to_vec());
            notification.file_enc_sha256 = Some(sealed.file_enc_sha256.to_vec());
            notification.direct_path = Some(format!("/media/{name}"));
            let file = MediaFile { number: with.number.clone(), bytes: sealed.data_to_upload };
            self.media.insert(name, file);
        }
        if history.padding > 0 {
            notification.original_message_id = Some("x".repeat(history.padding as usize));
        }
        let protocol = ProtocolMessage {
            r#type: Some(Type::HISTORY_SYNC_NOTIFICATION),
            history_sync_notification: MessageField::some(notification),
            ..Default::default()
        };
        let message = Message { protocol_message: MessageField::some(protocol), ..Default::default() };
        (0..history.times.max(1)).try_for_each(|_| self.tell_companion(with, &message))
    }
}

impl World {
    /// From now on the phone sends this to each device that it links.
    pub(crate) fn set_history(&self, number: &str, history: History) -> Result<()> {
        self.state().phone(number)?.history = Some(history);
        // Requests may wait for it.
        self.faults_changed();
        Ok(())
    }

    /// The media host's answer: a status and a body.
    pub(crate) async fn media(&self, name: &str) -> Result<(u16, Vec<u8>)> {
        self.state().report.media_asked += 1;
        let mut changes = self.changes();
        loop {
            let answer = self.state().media_answer(name)?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
            changes.changed().await.context("the sandbox stops")?;
        }
    }
}

impl State {
    fn media_answer(&self, name: &str) -> Result<Option<(u16, Vec<u8>)>> {
        let Some(file) = self.media.get(name) else { return Ok(Some((404, Vec::new()))) };
        let history = self.phones.get(&file.number).and_then(|phone| phone.history.as_ref());
        Ok(match history.context("no history")?.host {
            MediaHost::Serves => Some((200, file.bytes.clone())),
            MediaHost::Stalls => None,
            MediaHost::Fails(status) => Some((status, Vec::new())),
            MediaHost::Garbage => Some((200, vec![0x5a; 512])),
        })
    }
}
