//! The screen of a simulated device: shows each message once, even if it came several times.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use waproto::whatsapp::Message;

use super::content::Read;

/// One message on a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownMessage {
    /// The number of the other one, or the group's jid.
    pub chat: String,
    pub id: String,
    /// The sender, as `<number>:<device>`.
    pub from: String,
    pub from_me: bool,
    /// `text`, `reaction`, `edit`, `revoke`, `other`, or `waiting` for one that cannot be read.
    pub kind: String,
    /// Exactly as it came the first time: of a text, of a caption, the emoji of a reaction.
    pub text: Option<String>,
    /// The id of the message that it answers, edits, revokes or reacts to.
    pub refers_to: Option<String>,
    /// The secret that it brought, in hex.
    pub secret: Option<String>,
    pub push_name: String,
    /// How often it came and could be read.
    pub arrivals: u32,
    /// How often it came with another text or secret than the first time.
    pub deviations: u32,
    /// The time that the server gave it, in seconds.
    pub sent_at_s: u64,
    pub receipts: Vec<ShownReceipt>,
}

/// A receipt for a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownReceipt {
    /// The number that sent the receipt.
    pub by: String,
    /// `delivered`, `read` or `played`.
    pub kind: String,
    pub at_ms: u64,
}

/// The chat and sender of a message.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) chat: String,
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) from_me: bool,
    pub(crate) push_name: String,
    pub(crate) sent_at_s: u64,
}

#[derive(Default)]
pub(crate) struct Screen {
    shown: Vec<ShownMessage>,
    /// Their contents, for retries.
    contents: HashMap<usize, Message>,
    by_id: HashMap<(String, String), usize>,
}

impl Screen {
    /// A message that could be read.
    pub(crate) fn show(&mut self, place: Place, content: Message) {
        let read = Read::of(&content);
        let at = self.at(place);
        let entry = &mut self.shown[at];
        entry.arrivals += 1;
        if entry.arrivals == 1 {
            entry.kind = read.kind.to_owned();
            entry.text = read.text;
            entry.refers_to = read.refers_to;
            entry.secret = read.secret;
            self.contents.insert(at, content);
        } else if (&entry.text, &entry.secret) != (&read.text, &read.secret) {
            entry.deviations += 1;
        }
    }

    /// "Waiting for this message."
    pub(crate) fn wait_for(&mut self, place: Place) {
        self.at(place);
    }

    fn at(&mut self, place: Place) -> usize {
        let key = (place.chat, place.id);
        if let Some(at) = self.by_id.get(&key) {
            return *at;
        }
        self.shown.push(ShownMessage {
            chat: key.0.clone(),
            id: key.1.clone(),
            from: place.from,
            from_me: place.from_me,
            kind: "waiting".to_owned(),
            text: None,
            refers_to: None,
            secret: None,
            push_name: place.push_name,
            arrivals: 0,
            deviations: 0,
            sent_at_s: place.sent_at_s,
            receipts: Vec::new(),
        });
        self.by_id.insert(key, self.shown.len() - 1);
        self.shown.len() - 1
    }

    pub(crate) fn find(&self, chat: &str, id: &str) -> Option<&ShownMessage> {
        self.shown.get(*self.by_id.get(&(chat.to_owned(), id.to_owned()))?)
    }

    pub(crate) fn content(&self, chat: &str, id: &str) -> Option<&Message> {
        self.contents.get(self.by_id.get(&(chat.to_owned(), id.to_owned()))?)
    }

    pub(crate) fn note_receipt(&mut self, chat: &str, id: &str, receipt: ShownReceipt) {
        let at = self.by_id.get(&(chat.to_owned(), id.to_owned()));
        if let Some(entry) = at.and_then(|at| self.shown.get_mut(*at)) {
            entry.receipts.push(receipt);
        }
    }

    /// In the order in which they came; of one chat, or of all.
    pub(crate) fn list(&self, chat: Option<&str>) -> Vec<ShownMessage> {
        self.shown.iter().filter(|entry| chat.is_none_or(|chat| entry.chat == chat)).cloned().collect()
    }
}
