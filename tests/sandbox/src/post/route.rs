//! The recipients of a message.

use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeContent, NodeValue};

use super::queue::Class;
use crate::faults::{DeliveryFault, Fault, Occasion};
use crate::keys::bytes;
use crate::phone::Naming;
use crate::stanza::attr;
use crate::world::{DeviceId, State, now_ms};

/// The recipients that a message reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Everybody,
    /// The first half of the devices that it is for.
    Half,
}

/// One copy of a message, for one device.
struct Copy {
    to: DeviceId,
    /// The sender's way to name people: by number or LID.
    naming: Naming,
    encs: Vec<Node>,
}

impl State {
    pub(super) fn route_message(&mut self, from: &DeviceId, message: &Node, reach: Reach) -> Vec<Node> {
        let Some(to) = jid(message, "to").filter(|_| !attr(message, "id").is_empty()) else {
            self.report.note_violation(now_ms(), &from.to_string(), "a message without id or destination".to_owned());
            return Vec::new();
        };
        self.report.messages_taken += 1;
        let group = is_group(message).then(|| attr(message, "to"));
        let members = group.as_deref().and_then(|group| self.members_of(group));
        if group.is_some() && !members.as_ref().is_some_and(|(members, _)| members.contains(&from.number)) {
            return vec![ack(message, None, Some(403))];
        }
        let mut copies = self.copies(from, message, &to, members.as_ref());
        // A simulated phone may answer a device that was removed meanwhile.
        if copies.is_empty() && self.device(from).is_some_and(|device| device.hand.is_none()) {
            let what = format!("message {} is for no device that there is", attr(message, "id"));
            self.report.note_violation(now_ms(), &from.to_string(), what);
        }
        if reach == Reach::Half {
            copies.truncate(copies.len() / 2);
        }
        let phash = self.phash(from, message, &to, members.as_ref());
        for copy in copies {
            self.pass_on(from, message, &to, copy);
        }
        vec![ack(message, phash, None)]
    }

    /// The copy for each device. A retry, or a message to the own phone, has a single copy.
    fn copies(&self, from: &DeviceId, message: &Node, to: &Jid, members: Option<&(Vec<String>, Naming)>) -> Vec<Copy> {
        let bare: Vec<Node> = message.get_children_by_tag("enc").cloned().collect();
        let participant = jid(message, "participant");
        if let Some((members, naming)) = members.filter(|_| participant.is_none()) {
            let own = self.sealed_for(message);
            let devices = members.iter().flat_map(|member| self.devices_of(member)).filter(|device| device != from);
            return devices
                .map(|device| {
                    let own = own.iter().filter(|(of, _, _)| *of == device).flat_map(|(_, _, encs)| encs.clone());
                    let encs = own.chain(bare.clone()).collect();
                    Copy { to: device, naming: *naming, encs }
                })
                .collect();
        }
        if message.get_optional_child("participants").is_none() {
            let target = participant.as_ref().unwrap_or(to);
            let device = self.device_at(target).filter(|device| self.device(device).is_some());
            return device.map(|to| Copy { to, naming: Naming::of(target), encs: bare }).into_iter().collect();
        }
        let copies = self.sealed_for(message).into_iter();
        let there = copies.filter(|(of, _, _)| of != from && self.device(of).is_some());
        there.map(|(to, naming, encs)| Copy { to, naming, encs }).collect()
    }

    /// The parts that are encrypted for single devices.
    fn sealed_for(&self, message: &Node) -> Vec<(DeviceId, Naming, Vec<Node>)> {
        let participants = message.get_optional_child("participants").into_iter();
        let sealed = participants.flat_map(|participants| participants.get_children_by_tag("to"));
        sealed
            .filter_map(|sealed| {
                let jid = jid(sealed, "jid")?;
                let encs = sealed.get_children_by_tag("enc").cloned().collect();
                Some((self.device_at(&jid)?, Naming::of(&jid), encs))
            })
            .collect()
    }

    fn pass_on(&mut self, from: &DeviceId, message: &Node, to: &Jid, mut copy: Copy) {
        let id = attr(message, "id");
        let is_peer = attr(message, "category") == "peer";
        let is_outside = self.device(&copy.to).is_some_and(|device| device.hand.is_none());
        let fault =
            if is_outside && !is_peer { self.armed.take(Occasion::Delivery { number: &copy.to.number }) } else { None };
        let mut twice = false;
        let mut spoilt = true;
        match fault {
            Some(Fault::Delivery { how: DeliveryFault::Garbled, .. }) => copy.encs.iter_mut().for_each(garble),
            Some(Fault::Delivery { how: DeliveryFault::Unavailable, .. }) => {
                copy.encs = vec![NodeBuilder::new("unavailable").build()];
            }
            Some(Fault::Delivery { how: DeliveryFault::ViewOnce, .. }) => {
                copy.encs = vec![NodeBuilder::new("unavailable").attr("type", "view_once").build()];
            }
            Some(Fault::Delivery { how: DeliveryFault::Lost, .. }) => return,
            Some(Fault::Delivery { how: DeliveryFault::Twice, .. }) => (twice, spoilt) = (true, false),
            Some(_) | None => spoilt = false,
        }
        let Copy { to: target, naming, mut encs } = copy;
        let is_first = encs.iter().any(|enc| attr(enc, "type") == "pkmsg");
        encs.extend(message.get_optional_child("device-identity").filter(|_| is_first).cloned());
        let push_name = self.phones.get(&from.number).map(|phone| phone.push_name.clone()).unwrap_or_default();
        let node = NodeBuilder::new("message").attr("id", id.as_str()).attr("t", now_ms() / 1_000);
        let node = node.attr("type", attr(message, "type")).attr("notify", push_name);
        let node = if is_group(message) {
            let other = if naming == Naming::Lid { "participant_pn" } else { "participant_lid" };
            node.attr("from", to)
                .attr("participant", naming.device(&from.number, from.device))
                .attr(other, naming.other().user(&from.number))
                .attr("addressing_mode", naming.mode())
        } else {
            let node = node.attr("from", naming.device(&from.number, from.device));
            match (target.number == from.number, is_peer) {
                (true, true) => node.attr("category", "peer"),
                (true, false) => node.attr("recipient", jid(message, "recipient").unwrap_or_else(|| to.to_non_ad())),
                (false, _) if naming == Naming::Lid => node.attr("sender_pn", Naming::Number.user(&from.number)),
                (false, _) => node.attr("sender_lid", Naming::Lid.user(&from.number)),
            }
        };
        let edit = attr(message, "edit");
        let node = if edit.is_empty() { node } else { node.attr("edit", edit) };
        let node = node.children(encs).build();
        let entry =
            (is_outside && !is_peer).then(|| self.note_posted(&target, from, &node, 1 + u32::from(twice), spoilt));
        if twice {
            self.put(&target, Class::Message, &id, node.clone(), entry);
        }
        self.put(&target, Class::Message, &id, node, entry);
    }

    /// The hash of the devices that there really are, so that a sender with an old list learns
    /// of it.
    fn phash(
        &self,
        from: &DeviceId,
        message: &Node,
        to: &Jid,
        members: Option<&(Vec<String>, Naming)>,
    ) -> Option<String> {
        let participants = message.get_optional_child("participants");
        let mut devices: Vec<String> = if let Some((members, naming)) = members {
            let all = members.iter().flat_map(|member| self.devices_or_phone(member));
            all.map(|device| naming.device(&device.number, device.device).to_phash_form_string()).collect()
        } else {
            participants?;
            let sealed = self.sealed_for(message);
            let with = self.device_at(to)?;
            let own = sealed.iter().find(|(of, _, _)| of.number == from.number && with.number != from.number);
            let own = own.map_or_else(|| Naming::of(to), |(_, naming, _)| *naming);
            let others = self.devices_of(&with.number).into_iter().map(|device| (device, Naming::of(to)));
            let mine = self.devices_of(&from.number).into_iter().map(|device| (device, own));
            let all = others.chain(mine.filter(|_| with.number != from.number)).filter(|(device, _)| device != from);
            all.map(|(device, naming)| naming.device(&device.number, device.device).to_phash_form_string()).collect()
        };
        devices.sort_unstable();
        let hash = Sha256::digest(devices.concat().as_bytes());
        Some(format!("2:{}", base64::prelude::BASE64_STANDARD_NO_PAD.encode(&hash[..6])))
    }

    /// A stranger's phone exists even before its first use.
    fn devices_or_phone(&self, number: &str) -> Vec<DeviceId> {
        let devices = self.devices_of(number);
        if devices.is_empty() { vec![DeviceId { number: number.to_owned(), device: 0 }] } else { devices }
    }
}

fn is_group(message: &Node) -> bool {
    attr(message, "to").ends_with("@g.us")
}

fn jid(node: &Node, name: &str) -> Option<Jid> {
    node.attrs.get(name).and_then(NodeValue::to_jid)
}

/// That the server has the message, or why it does not take it.
pub(crate) fn ack(message: &Node, phash: Option<String>, error: Option<u16>) -> Node {
    let node = NodeBuilder::new("ack")
        .attr("class", "message")
        .attr("id", attr(message, "id"))
        .attr("from", attr(message, "to"))
        .attr("t", now_ms() / 1_000);
    let participant = attr(message, "participant");
    let node = if participant.is_empty() { node } else { node.attr("participant", participant) };
    let node = if let Some(phash) = phash { node.attr("phash", phash) } else { node };
    if let Some(error) = error { node.attr("error", error).build() } else { node.build() }
}

/// The ciphertext stays well-formed, and does not verify any more.
fn garble(enc: &mut Node) {
    let mut sealed = bytes(Some(enc));
    if let Some(byte) = sealed.len().checked_sub(10).and_then(|at| sealed.get_mut(at)) {
        *byte ^= 0x40;
    }
    enc.content = Some(NodeContent::Bytes(sealed));
}
