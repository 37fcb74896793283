//! That somebody types: passed on to phones that are online, and kept for nobody.

use wacore_binary::{Node, NodeValue};

use crate::phone::ShownTyping;
use crate::stanza::attr;
use crate::world::{DeviceId, State, now_ms};

impl State {
    pub(crate) fn show_typing(&mut self, from: &DeviceId, stanza: &Node) {
        let state = match stanza.children().and_then(<[Node]>::first) {
            Some(child) if child.tag == "composing" && attr(child, "media") == "audio" => "recording",
            Some(child) if child.tag == "composing" => "composing",
            Some(child) if child.tag == "paused" => "paused",
            Some(_) | None => {
                let what = "a chatstate that says nothing".to_owned();
                return self.report.note_violation(now_ms(), &from.to_string(), what);
            }
        };
        let to = attr(stanza, "to");
        let (chat, readers) = if to.ends_with("@g.us") {
            (to.clone(), self.members_of(&to).map(|(members, _)| members).unwrap_or_default())
        } else {
            let to = stanza.attrs.get("to").and_then(NodeValue::to_jid).and_then(|jid| self.device_at(&jid));
            (from.number.clone(), to.map(|to| to.number).into_iter().collect())
        };
        for reader in readers.into_iter().filter(|reader| *reader != from.number) {
            let is_online =
                self.device(&DeviceId { number: reader.clone(), device: 0 }).is_some_and(|one| one.is_connected());
            if let Some(phone) = self.phones.get_mut(&reader).filter(|_| is_online) {
                phone.typing.push(ShownTyping { by: from.number.clone(), chat: chat.clone(), state: state.to_owned() });
            }
        }
    }
}
