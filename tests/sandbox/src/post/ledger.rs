//! What the server has had for devices from outside, to be compared with what a client made of it.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use wacore_binary::{Jid, JidExt as _, Node, NodeValue};

use crate::phone::Naming;
use crate::stanza::attr;
use crate::world::{DeviceId, State};

/// A message that the server has had for a device from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    pub id: String,
    /// The number of its author.
    pub sender: String,
    /// The number of the other one, or the group's jid.
    pub chat: String,
    /// The other one's LID, as a jid; none of a group.
    pub chat_lid: Option<String>,
    /// Whom its first copy named as the one that it is from.
    pub from: String,
    /// Retries and repetitions included.
    pub copies: u32,
    /// Whether some copy was garbled, or withheld.
    pub spoilt: bool,
    /// When the device said that it has it, in milliseconds since 1970.
    pub settled_at_ms: Option<u64>,
}

/// A message's place in the list of its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(usize);

/// Keeps devices that are no more, too.
#[derive(Default)]
pub(crate) struct Ledger {
    of: HashMap<DeviceId, Vec<Posted>>,
    known: HashMap<(DeviceId, String, String), Entry>,
}

impl Ledger {
    /// One more copy of a message.
    pub(crate) fn note(&mut self, device: &DeviceId, copy: Posted) -> Entry {
        let list = self.of.entry(device.clone()).or_default();
        let key = (device.clone(), copy.sender.clone(), copy.id.clone());
        let entry = *self.known.entry(key).or_insert(Entry(list.len()));
        match list.get_mut(entry.0) {
            Some(known) => {
                known.copies += copy.copies;
                known.spoilt |= copy.spoilt;
            }
            None => list.push(copy),
        }
        entry
    }

    pub(crate) fn settle(&mut self, device: &DeviceId, entries: impl IntoIterator<Item = Entry>, at_ms: u64) {
        let Some(list) = self.of.get_mut(device) else { return };
        for entry in entries {
            if let Some(posted) = list.get_mut(entry.0) {
                posted.settled_at_ms.get_or_insert(at_ms);
            }
        }
    }

    /// By the jids of devices, each in the order in which the messages came.
    pub(crate) fn list(&self) -> BTreeMap<String, Vec<Posted>> {
        self.of.iter().map(|(device, list)| (device.to_string(), list.clone())).collect()
    }
}

impl State {
    /// So many copies of a message of `from` are for a device.
    pub(super) fn note_posted(
        &mut self,
        to: &DeviceId,
        from: &DeviceId,
        node: &Node,
        copies: u32,
        spoilt: bool,
    ) -> Entry {
        let jid = |name: &str| node.attrs.get(name).and_then(NodeValue::to_jid);
        let is_own = from.number == to.number;
        let person = if is_own { jid("recipient").and_then(|jid| self.device_at(&jid)) } else { Some(from.clone()) };
        let named = jid("from");
        let group = named.as_ref().filter(|named| named.is_group()).map(Jid::to_string);
        let lid = person.as_ref().filter(|_| group.is_none());
        let chat_lid = lid.map(|person| Naming::Lid.user(&person.number).to_string());
        let posted = Posted {
            id: attr(node, "id"),
            sender: from.number.clone(),
            chat: group.or_else(|| person.map(|person| person.number)).unwrap_or_default(),
            chat_lid,
            from: named.map(|named| named.to_non_ad().to_string()).unwrap_or_default(),
            copies,
            spoilt,
            settled_at_ms: None,
        };
        self.ledger.note(to, posted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_noted_once_with_all_its_copies() {
        let device = DeviceId { number: "15550001111".to_owned(), device: 1 };
        let copy = |id: &str, spoilt| Posted {
            id: id.to_owned(),
            sender: "15550002222".to_owned(),
            chat: "15550002222".to_owned(),
            chat_lid: None,
            from: "15550002222@s.whatsapp.net".to_owned(),
            copies: 1,
            spoilt,
            settled_at_ms: None,
        };
        let mut ledger = Ledger::default();
        let [a, b, again] =
            [("a", true), ("b", false), ("a", false)].map(|(id, spoilt)| ledger.note(&device, copy(id, spoilt)));
        assert_eq!((a == again, a == b), (true, false));
        ledger.settle(&device, [b], 7);
        let list = ledger.list().remove(&device.to_string()).unwrap();
        let seen: Vec<_> =
            list.iter().map(|one| (one.id.as_str(), one.copies, one.spoilt, one.settled_at_ms)).collect();
        assert_eq!(seen, [("a", 2, true, None), ("b", 1, false, Some(7))]);
    }
}
