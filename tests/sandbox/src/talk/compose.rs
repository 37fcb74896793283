//! Composes a simulated device's message: one ciphertext for each device of all participants.

use anyhow::Result;
use buffa::{Message as _, MessageField};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use waproto::whatsapp::Message;
use waproto::whatsapp::message::{DeviceSentMessage, SenderKeyDistributionMessage};

use super::handset::Handset;
use super::signal::Sealed;
use crate::phone::Naming;
use crate::world::DeviceId;

/// A message before it is sealed.
pub(crate) struct Draft<'a> {
    pub(crate) id: &'a str,
    /// The other one, or the group.
    pub(crate) to: Jid,
    pub(crate) in_group: bool,
    pub(crate) naming: Naming,
    pub(crate) message: &'a Message,
    pub(crate) kind: &'static str,
    pub(crate) edit: Option<&'static str>,
}

impl Handset {
    /// The stanza for these devices, with all of which there is a session.
    pub(crate) fn compose(&mut self, draft: &Draft<'_>, devices: &[DeviceId]) -> Result<Node> {
        let mut is_first = false;
        let mut children = Vec::new();
        let group = draft.to.to_string();
        let mut participants = Vec::new();
        for device in devices {
            let plain = if draft.in_group {
                if self.keyed.get(&group).is_some_and(|keyed| keyed.contains(device)) {
                    continue;
                }
                self.key_of(&group)?.encode_to_vec()
            } else if device.number == self.own.number {
                wrap(draft.message.clone(), &draft.to.to_string()).encode_to_vec()
            } else {
                draft.message.encode_to_vec()
            };
            let sealed = self.signal.encrypt(device, &plain)?;
            is_first |= sealed.kind == "pkmsg";
            let jid = draft.naming.device(&device.number, device.device);
            participants.push(NodeBuilder::new("to").attr("jid", jid).children([enc(sealed)]).build());
        }
        if draft.in_group {
            self.keyed.entry(group.clone()).or_default().extend(devices.iter().cloned());
        }
        if !participants.is_empty() {
            children.push(NodeBuilder::new("participants").children(participants).build());
        }
        if is_first && !self.device_identity.is_empty() {
            children.push(NodeBuilder::new("device-identity").bytes(self.device_identity.clone()).build());
        }
        if draft.in_group {
            let own = self.own.clone();
            children.push(enc(self.signal.encrypt_for_group(&group, &own, &draft.message.encode_to_vec())?));
        }
        let node = NodeBuilder::new("message").attr("to", &draft.to).attr("id", draft.id).attr("type", draft.kind);
        let node = if draft.in_group { node.attr("addressing_mode", draft.naming.mode()) } else { node };
        let node = if let Some(edit) = draft.edit { node.attr("edit", edit) } else { node };
        Ok(node.children(children).build())
    }

    fn key_of(&mut self, group: &str) -> Result<Message> {
        let key = self.signal.distribution(group, &self.own.clone())?;
        let key = SenderKeyDistributionMessage {
            group_id: Some(group.to_owned()),
            axolotl_sender_key_distribution_message: Some(key),
        };
        Ok(Message { sender_key_distribution_message: MessageField::some(key), ..Default::default() })
    }
}

pub(super) fn enc(sealed: Sealed) -> Node {
    NodeBuilder::new("enc").attr("v", "2").attr("type", sealed.kind).bytes(sealed.bytes).build()
}

/// Wraps a sent message for the other devices of the sender's account.
pub(super) fn wrap(mut message: Message, to: &str) -> Message {
    let context = std::mem::take(&mut message.message_context_info);
    let wrapper = DeviceSentMessage {
        destination_jid: Some(to.to_owned()),
        message: MessageField::some(message),
        ..Default::default()
    };
    Message { device_sent_message: MessageField::some(wrapper), message_context_info: context, ..Default::default() }
}
