//! The server's part of messages: it passes them on, keeps what waits for whom, hands out the
//! keys of devices, and reads nothing of what is in them.

pub(crate) mod bundles;
pub(crate) mod ledger;
pub(crate) mod members;
pub(crate) mod queue;
pub(crate) mod receipts;
pub(crate) mod route;
pub(crate) mod tokens;
mod typing;

use wacore_binary::{Jid, Node};

use crate::phone::{Device, lid_user};
use crate::stanza::attr;
use crate::talk::handset::Said;
use crate::world::{DeviceId, State, now_ms};
use ledger::Entry;
use queue::Class;
use route::Reach;

/// Numbers that begin with this are strangers: they exist as soon as they are used, and are in
/// no list of phones.
pub(crate) const STRANGERS: &str = "999";

impl State {
    /// A device says something that is for others. Returns what the server answers.
    pub(crate) fn submit(&mut self, from: &DeviceId, stanza: &Node, reach: Reach) -> Vec<Node> {
        let answers = self.accept(from, stanza, reach);
        self.let_hands_work();
        answers
    }

    fn accept(&mut self, from: &DeviceId, stanza: &Node, reach: Reach) -> Vec<Node> {
        match &*stanza.tag {
            "message" => self.route_message(from, stanza, reach),
            "receipt" => self.route_receipt(from, stanza),
            "ack" => {
                if let Some(class) = Class::of(&attr(stanza, "class")) {
                    self.settle(from, class, &[attr(stanza, "id")], &attr(stanza, "to"));
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Lets simulated devices that are online answer their stanzas, until no answers are left.
    pub(crate) fn let_hands_work(&mut self) {
        while let Some(id) = self.due.pop_front() {
            let Some(device) = self.device_mut(&id) else { continue };
            let Some(mut hand) = device.hand.take_if(|hand| hand.online) else { continue };
            let stanzas = device.queue.take_all();
            let mut said = Vec::new();
            for stanza in &stanzas {
                said.extend(hand.receive(stanza, &|jid| self.device_at(jid)));
            }
            if let Some(device) = self.device_mut(&id) {
                device.hand = Some(hand);
            }
            for said in said {
                match said {
                    Said::Stanza(stanza) => drop(self.accept(&id, &stanza, Reach::Everybody)),
                    Said::Violation(by, what) => self.report.note_violation(now_ms(), &by.to_string(), what),
                }
            }
        }
    }

    /// A stanza that waits until the device has said that it has it.
    pub(crate) fn deliver(&mut self, to: &DeviceId, class: Class, id: &str, stanza: Node) {
        self.put(to, class, id, stanza, None);
    }

    fn put(&mut self, to: &DeviceId, class: Class, id: &str, stanza: Node, entry: Option<Entry>) {
        let Some(device) = self.device_mut(to) else { return };
        device.queue.push(class, id, stanza, entry);
        let is_simulated = device.hand.is_some();
        let connection = device.connection;
        if is_simulated {
            self.due.push_back(to.clone());
        } else if let Some(connection) = connection.and_then(|id| self.connections.get(&id)) {
            connection.post.notify_one();
        }
    }

    fn settle(&mut self, of: &DeviceId, class: Class, ids: &[String], from: &str) {
        let Some(device) = self.device_mut(of) else { return };
        match device.queue.settle(class, ids, from) {
            Ok(entries) => self.ledger.settle(of, entries, now_ms()),
            Err(what) => self.report.note_violation(now_ms(), &of.to_string(), what),
        }
    }

    pub(crate) fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.phones.get(&id.number)?.device(id.device)
    }

    pub(crate) fn device_mut(&mut self, id: &DeviceId) -> Option<&mut Device> {
        self.phones.get_mut(&id.number)?.device_mut(id.device)
    }

    /// The device of this jid, by number or LID.
    pub(crate) fn device_at(&self, jid: &Jid) -> Option<DeviceId> {
        let user = jid.user.as_str();
        let number = if jid.is_lid() {
            self.numbers.get(user)?.clone()
        } else if jid.is_pn() && (self.phones.contains_key(user) || user.starts_with(STRANGERS)) {
            user.to_owned()
        } else {
            return None;
        };
        Some(DeviceId { number, device: jid.device })
    }

    /// Every device of a number, the phone itself first.
    pub(crate) fn devices_of(&self, number: &str) -> Vec<DeviceId> {
        let devices = self.phones.get(number).into_iter().flat_map(|phone| phone.all_devices());
        devices.map(|device| DeviceId { number: number.to_owned(), device: device.number }).collect()
    }

    /// From now on the number is found by its LID.
    pub(crate) fn learn_number(&mut self, number: &str) {
        self.numbers.insert(lid_user(number), number.to_owned());
    }
}
