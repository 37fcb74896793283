//! Receipts: they settle what waits for who sends them, and tell the author.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeValue};

use super::queue::Class;
use crate::faults::{Fault, Occasion, ReceiptFault};
use crate::phone::Naming;
use crate::stanza::attr;
use crate::world::{DeviceId, State, now_ms};

/// The ids that a receipt is for; several share one stanza.
pub(crate) fn ids(receipt: &Node) -> Vec<String> {
    let items = receipt.get_optional_child("list").and_then(Node::children).unwrap_or_default();
    std::iter::once(attr(receipt, "id")).chain(items.iter().map(|item| attr(item, "id"))).collect()
}

impl State {
    pub(super) fn route_receipt(&mut self, from: &DeviceId, receipt: &Node) -> Vec<Node> {
        let kind = attr(receipt, "type");
        if matches!(kind.as_str(), "" | "inactive" | "sender" | "peer_msg") {
            self.settle(from, Class::Message, &ids(receipt), &attr(receipt, "to"));
        }
        if matches!(kind.as_str(), "" | "read" | "played" | "retry") {
            self.tell_author(from, receipt, &kind);
        }
        let ack = NodeBuilder::new("ack")
            .attr("class", "receipt")
            .attr("id", attr(receipt, "id"))
            .attr("from", attr(receipt, "to"));
        vec![if kind.is_empty() { ack.build() } else { ack.attr("type", kind).build() }]
    }

    /// Receipts that wait to be overtaken wait no longer.
    pub(crate) fn release_receipts(&mut self) {
        for (device, node) in std::mem::take(&mut self.held_receipts) {
            self.deliver(&device, Class::Receipt, &attr(&node, "id"), node);
        }
    }

    fn tell_author(&mut self, from: &DeviceId, receipt: &Node, kind: &str) {
        let jid = |name: &str| receipt.attrs.get(name).and_then(NodeValue::to_jid);
        let Some(to) = jid("to") else { return };
        let group = attr(receipt, "to").ends_with("@g.us").then(|| to.clone());
        let Some(author_jid) = (if group.is_some() { jid("participant") } else { Some(to) }) else { return };
        let Some(author) = self.device_at(&author_jid) else { return };
        let naming = Naming::of(&author_jid);
        let is_retry = kind == "retry";
        // A retry names the device that asks; a read receipt names the person.
        let by = naming.device(&from.number, if is_retry { from.device } else { 0 });
        let node = forwarded(receipt, group.as_ref(), &by, kind);
        let devices = if is_retry {
            vec![author]
        } else if author.number == from.number {
            return;
        } else {
            self.devices_of(&author.number)
        };
        self.report.receipts_taken += 1;
        for device in devices {
            let is_outside = self.device(&device).is_some_and(|device| device.hand.is_none());
            let fault = if is_outside { self.armed.take(Occasion::Receipt { number: &device.number }) } else { None };
            let held: Vec<(DeviceId, Node)> = self.held_receipts.extract_if(.., |(of, _)| *of == device).collect();
            match fault {
                Some(Fault::Receipts { how: ReceiptFault::Lost, .. }) => {}
                Some(Fault::Receipts { how: ReceiptFault::Swapped, .. }) => {
                    self.held_receipts.push((device.clone(), node.clone()));
                }
                Some(_) | None => self.deliver(&device, Class::Receipt, &attr(&node, "id"), node.clone()),
            }
            for (device, node) in held {
                self.deliver(&device, Class::Receipt, &attr(&node, "id"), node);
            }
        }
    }
}

fn forwarded(receipt: &Node, group: Option<&Jid>, by: &Jid, kind: &str) -> Node {
    let node = NodeBuilder::new("receipt").attr("id", attr(receipt, "id")).attr("t", now_ms() / 1_000);
    let node = if kind.is_empty() { node } else { node.attr("type", kind) };
    let node = match group {
        Some(group) => node.attr("from", group).attr("participant", by),
        None => node.attr("from", by),
    };
    let recipient = receipt.attrs.get("recipient").and_then(NodeValue::to_jid);
    let node = if let Some(recipient) = recipient { node.attr("recipient", recipient) } else { node };
    match receipt.children() {
        Some(children) => node.children(children.to_vec()).build(),
        None => node.build(),
    }
}
