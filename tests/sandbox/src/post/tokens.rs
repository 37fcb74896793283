//! Privacy tokens: a sender gives the recipient a token, and the holder of a person's token may
//! write to that person first.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, NodeValue};

use super::queue::Class;
use crate::phone::Naming;
use crate::stanza::attr;
use crate::world::{DeviceId, State, now_ms};

const TRUSTED: &str = "trusted_contact";

/// The tokens that a device gives are passed on to whom they are for. Returns the answer, which
/// like the real one brings none.
pub(crate) fn give(state: &mut State, from: &DeviceId, iq: &Node) -> Node {
    let tokens = iq.get_optional_child("tokens").and_then(Node::children).unwrap_or_default();
    for token in tokens {
        let Some(jid) = token.attrs.get("jid").and_then(NodeValue::to_jid) else { continue };
        let Some(to) = state.device_at(&jid) else { continue };
        let naming = Naming::of(&jid);
        let id = format!("{}", rand::random::<u32>());
        let token = NodeBuilder::new("token")
            .attr("type", TRUSTED)
            .attr("t", attr(token, "t"))
            .bytes(rand::random::<[u8; 16]>().to_vec())
            .build();
        let other = if naming == Naming::Lid { "sender_pn" } else { "sender_lid" };
        let notification = NodeBuilder::new("notification")
            .attr("from", naming.user(&from.number))
            .attr(other, naming.other().user(&from.number))
            .attr("type", "privacy_token")
            .attr("id", id.as_str())
            .attr("t", now_ms() / 1_000)
            .children([NodeBuilder::new("tokens").children([token]).build()])
            .build();
        for device in state.devices_of(&to.number) {
            state.deliver(&device, Class::Notification, &id, notification.clone());
        }
    }
    NodeBuilder::new("tokens").build()
}
