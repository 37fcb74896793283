//! Messages that could not be read: asking for them again, and sending them again.

use anyhow::{Context as _, Result};
use buffa::{Message as _, MessageField};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use waproto::whatsapp::Message;
use waproto::whatsapp::message::SenderKeyDistributionMessage;

use super::compose::{enc, wrap};
use super::handset::{Envelope, Handset};
use crate::keys::KeyBundle;
use crate::stanza::attr;
use crate::world::{DeviceId, now_ms};

/// How often one message is asked for.
const MOST: u32 = 5;
/// From which time on the keys go along.
const WITH_KEYS: u32 = 2;

/// The receipt that asks for a message again; none when it has been asked for often enough.
pub(super) fn ask(hand: &mut Handset, envelope: &Envelope) -> Result<Option<Node>> {
    let asked = hand.asked.entry((envelope.sender.clone(), envelope.id.clone())).or_default();
    if !hand.asks_again || *asked >= MOST {
        return Ok(None);
    }
    *asked += 1;
    let count = *asked;
    let retry = NodeBuilder::new("retry")
        .attr("v", "1")
        .attr("id", envelope.id.as_str())
        .attr("t", now_ms() / 1_000)
        .attr("count", count)
        .build();
    let registration = hand.signal.registration().to_be_bytes().to_vec();
    let mut children = vec![retry, NodeBuilder::new("registration").bytes(registration).build()];
    if count >= WITH_KEYS {
        // The registration id is sent outside of the keys.
        let bundle = hand.signal.own_bundle()?.hand_out(true);
        let mut keys: Vec<Node> = bundle.into_iter().filter(|key| key.tag != "registration").collect();
        if !hand.device_identity.is_empty() {
            keys.push(NodeBuilder::new("device-identity").bytes(hand.device_identity.clone()).build());
        }
        children.push(NodeBuilder::new("keys").children(keys).build());
    }
    let node =
        NodeBuilder::new("receipt").attr("to", &envelope.from).attr("id", envelope.id.as_str()).attr("type", "retry");
    let node = if envelope.group.is_some() { node.attr("participant", &envelope.sender_jid) } else { node };
    let node = match (&envelope.recipient, envelope.is_peer) {
        (_, true) => node.attr("category", "peer"),
        (Some(recipient), false) => node.attr("recipient", recipient),
        (None, false) => node,
    };
    Ok(Some(node.children(children).build()))
}

/// The message again, for the one device that asks; `None` if it does not exist.
pub(super) fn answer(
    hand: &mut Handset,
    receipt: &Node,
    by: &DeviceId,
    by_jid: &Jid,
    chat: &str,
    group: Option<&str>,
) -> Result<Option<Node>> {
    let retry = receipt.get_optional_child("retry").context("a retry receipt without <retry>")?;
    let (id, count) = (attr(retry, "id"), attr(retry, "count"));
    let Some(content) = hand.screen.content(chat, &id).cloned() else { return Ok(None) };
    if let Some(mut keys) = KeyBundle::of_retry(receipt) {
        hand.signal.begin_session(by, &keys.take()?)?;
    }
    if !hand.signal.has_session(by) {
        return Ok(None);
    }
    let message = if let Some(group) = group {
        let key = hand.signal.distribution(group, &hand.own.clone())?;
        with_key(content, group, key)
    } else if by.number == hand.own.number {
        let to = attr(receipt, "recipient");
        wrap(content, &to)
    } else {
        content
    };
    let sealed = hand.signal.encrypt(by, &message.encode_to_vec())?;
    let needs_identity = sealed.kind == "pkmsg" && !hand.device_identity.is_empty();
    let mut sealed = enc(sealed);
    sealed.attrs.insert("count", count);
    let mut children = vec![sealed];
    if needs_identity {
        children.push(NodeBuilder::new("device-identity").bytes(hand.device_identity.clone()).build());
    }
    let node = NodeBuilder::new("message").attr("id", id).attr("type", "text");
    let node = match group {
        Some(group) => node.attr("to", group).attr("participant", by_jid),
        None => node.attr("to", by_jid),
    };
    let recipient = receipt.attrs.get("recipient").and_then(wacore_binary::NodeValue::to_jid);
    let node = if let Some(recipient) = recipient { node.attr("recipient", recipient) } else { node };
    Ok(Some(node.children(children).build()))
}

fn with_key(mut message: Message, group: &str, key: Vec<u8>) -> Message {
    message.sender_key_distribution_message = MessageField::some(SenderKeyDistributionMessage {
        group_id: Some(group.to_owned()),
        axolotl_sender_key_distribution_message: Some(key),
    });
    message
}
