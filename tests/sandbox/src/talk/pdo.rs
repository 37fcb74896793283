//! Peer requests of a phone's own companions: for a message that one of them could not read.

use anyhow::Result;
use buffa::{Message as _, MessageField};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use waproto::whatsapp::message::peer_data_operation_request_response_message::PeerDataOperationResult;
use waproto::whatsapp::message::peer_data_operation_request_response_message::peer_data_operation_result::PlaceholderMessageResendResponse;
use waproto::whatsapp::message::protocol_message::Type;
use waproto::whatsapp::message::{
    PeerDataOperationRequestResponseMessage, PeerDataOperationRequestType, ProtocolMessage,
};
use waproto::whatsapp::{Message, MessageKey, WebMessageInfo};

use super::compose::enc;
use super::handset::{Directory, Envelope, Handset, asks_for_data};
use crate::world::now_ms;

/// The phone's answer to a request of its companion; `None` for an unknown request.
pub(super) fn answer(
    hand: &mut Handset,
    message: &Message,
    envelope: &Envelope,
    whois: Directory<'_>,
) -> Result<Option<Node>> {
    let protocol = message.protocol_message.as_option();
    let request = protocol.and_then(|protocol| protocol.peer_data_operation_request_message.as_option());
    let Some(request) = request.filter(|_| hand.own.device == 0 && asks_for_data(message)) else { return Ok(None) };
    let asked = request.placeholder_message_resend_request.iter();
    let results: Vec<PeerDataOperationResult> = asked
        .filter_map(|asked| asked.message_key.as_option())
        .map(|key| result(placeholder(hand, key, whois)))
        .collect();
    if results.is_empty() {
        return Ok(None);
    }
    let response = PeerDataOperationRequestResponseMessage {
        peer_data_operation_request_type: Some(PeerDataOperationRequestType::PLACEHOLDER_MESSAGE_RESEND),
        stanza_id: Some(envelope.id.clone()),
        peer_data_operation_result: results,
    };
    let protocol = ProtocolMessage {
        r#type: Some(Type::PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE),
        peer_data_operation_request_response_message: MessageField::some(response),
        ..Default::default()
    };
    let answer = Message { protocol_message: MessageField::some(protocol), ..Default::default() };
    let sealed = hand.signal.encrypt(&envelope.sender, &answer.encode_to_vec())?;
    let node = NodeBuilder::new("message")
        .attr("to", &envelope.sender_jid)
        .attr("id", format!("3EB0{:016X}", rand::random::<u64>()))
        .attr("type", "text")
        .attr("category", "peer")
        .children([enc(sealed)]);
    Ok(Some(node.build()))
}

fn result(info: WebMessageInfo) -> PeerDataOperationResult {
    let response = PlaceholderMessageResendResponse { web_message_info_bytes: Some(info.encode_to_vec()) };
    PeerDataOperationResult { placeholder_message_resend_response: MessageField::some(response), ..Default::default() }
}

/// The message as the phone has it; without content where it could not read it either.
fn placeholder(hand: &Handset, key: &MessageKey, whois: Directory<'_>) -> WebMessageInfo {
    let remote = key.remote_jid.as_deref().unwrap_or_default();
    let person = remote.parse::<Jid>().ok().filter(|_| !remote.ends_with("@g.us")).and_then(|jid| whois(&jid));
    let chat = person.as_ref().map_or_else(|| remote.to_owned(), |person| person.number.clone());
    let id = key.id.as_deref().unwrap_or_default();
    // A phone names people by their numbers here, even if the request used LIDs.
    let named = person.map_or_else(|| remote.to_owned(), |person| Jid::pn(person.number.as_str()).to_string());
    let shown = hand.screen.find(&chat, id);
    WebMessageInfo {
        key: MessageField::some(MessageKey { remote_jid: Some(named), ..key.clone() }),
        message: hand.screen.content(&chat, id).cloned().map(MessageField::some).unwrap_or_default(),
        message_timestamp: Some(shown.map_or_else(|| now_ms() / 1_000, |shown| shown.sent_at_s)),
        push_name: shown.map(|shown| shown.push_name.clone()),
        ..Default::default()
    }
}
