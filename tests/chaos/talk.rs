//! The phones of a campaign write to each other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use paird_sandbox::{Content, Naming, Reading, SharedGroup, Writing};
use paird_testkit::{Phones, Stage};
use tokio::task::JoinHandle;

use crate::script::{
    ALL_PHONES, Author, CONTACTS, GROUPS, Place, Talk, WITH_COMPANIONS, What, contact, group, members, number,
};

/// What every text contains, so that one look finds any of them in a log.
const MARK: &str = "what chaos has to say, no.";

/// What each message says, by WhatsApp's id: its kind, and its text, or an emoji.
pub type Said = HashMap<String, (&'static str, String)>;

#[derive(Default)]
pub struct Talks {
    written: Arc<Mutex<Written>>,
    bursts: Vec<JoinHandle<()>>,
    texts: usize,
}

#[derive(Default)]
struct Written {
    said: Said,
    /// The last text of each author in each chat, and of anybody in it.
    last: HashMap<(String, String), String>,
    last_of_all: HashMap<String, String>,
}

impl Talks {
    /// The contacts and the groups are there.
    pub async fn begin(stage: &Stage) -> Self {
        stage.web.hush(MARK);
        for nth in 0..WITH_COMPANIONS {
            stage.phones.add(&contact(nth)).await;
            stage.phones.add_companion(&contact(nth)).await;
        }
        for nth in 0..GROUPS {
            let members = members(nth).map(number).chain((0..CONTACTS).map(contact)).collect();
            let naming = if nth % 2 == 0 { Naming::Lid } else { Naming::Number };
            stage.phones.set_group(&group(nth), SharedGroup { subject: "a choir".to_owned(), members, naming }).await;
        }
        Self::default()
    }

    /// Whether there was anything to do it to.
    pub async fn carry_out(&mut self, talk: Talk, phones: &Phones) -> bool {
        match talk {
            Talk::Write { by, to, naming, what } => self.write(by, to, naming, what, phones).await,
            Talk::Burst { contact: by, phone, naming, count } => {
                let (by, to) = (contact(by), number(linked_from(phone, phones).await));
                let texts: Vec<String> = (0..count).map(|_| self.text()).collect();
                let (written, phones) = (Arc::clone(&self.written), phones.clone());
                self.bursts.push(tokio::spawn(async move {
                    let sent = phones.burst_naming(&by, &to, naming, texts.clone()).await;
                    let mut written = written.lock().unwrap();
                    for (sent, text) in sent.into_iter().zip(texts) {
                        written.note(&by, &chat(&by, &to), sent.id, "text", text);
                    }
                }));
                true
            }
            Talk::Look { contact: by, phone } => {
                let (by, chat_with) = (contact(by), number(phone));
                let last = self.written.lock().unwrap().last.get(&(chat_with.clone(), chat(&by, &chat_with))).cloned();
                let Some(id) = last else { return false };
                let reading =
                    Reading { chat: chat_with, ids: vec![id], played: false, device: 0, naming: Naming::default() };
                phones.read(&by, reading).await.is_ok()
            }
            Talk::Online { phone, online } => {
                phones.set_online(&number(phone), online).await;
                true
            }
        }
    }

    async fn write(&mut self, by: Author, to: Place, naming: Naming, what: What, phones: &Phones) -> bool {
        let (author, other, group) = match (by, to) {
            (Author::Contact(by), Place::Chat(_, phone)) => {
                (contact(by), number(linked_from(phone, phones).await), None)
            }
            (Author::Owner(phone), Place::Chat(with, _)) => {
                (number(linked_from(phone, phones).await), contact(with), None)
            }
            (Author::Contact(by), Place::Group(nth)) => (contact(by), group(nth), Some(nth)),
            // One of its members.
            (Author::Owner(phone), Place::Group(nth)) => {
                let of = members(nth).nth(phone % members(nth).count()).unwrap();
                (number(of), group(nth), Some(nth))
            }
        };
        let chat = if group.is_some() { other.clone() } else { chat(&author, &other) };
        let (own, last) = {
            let written = self.written.lock().unwrap();
            (written.last.get(&(author.clone(), chat.clone())).cloned(), written.last_of_all.get(&chat).cloned())
        };
        let text = self.text();
        let (content, kind) = match (what, own, last) {
            (What::Text, _, _) => (Content::Text(text.clone()), "text"),
            (What::Reply, _, Some(to)) => (Content::Reply { to, text: text.clone() }, "text"),
            (What::React, _, Some(to)) => (Content::React { to, emoji: "👍".to_owned() }, "reaction"),
            (What::Edit, Some(of), _) => (Content::Edit { of, text: text.clone() }, "edit"),
            (What::Revoke, Some(of), _) => (Content::Revoke(of), "revoke"),
            (What::Reply | What::React | What::Edit | What::Revoke, _, _) => return false,
        };
        let writing = Writing { naming, ..Writing::new(&other, content) };
        // What it refers to may not be on the author's screen.
        let Ok(sent) = phones.try_to_send(&author, writing).await else { return false };
        let says = match kind {
            "reaction" => "👍".to_owned(),
            "revoke" => String::new(),
            _ => text,
        };
        self.written.lock().unwrap().note(&author, &chat, sent.id, kind, says);
        true
    }

    fn text(&mut self) -> String {
        self.texts += 1;
        format!("{MARK} {}", self.texts)
    }

    /// Everything is said, and every phone is on line.
    pub async fn end(&mut self, phones: &Phones) {
        for burst in self.bursts.drain(..) {
            burst.await.unwrap();
        }
        for phone in 0..ALL_PHONES {
            phones.set_online(&number(phone), true).await;
        }
    }

    pub fn said(&self) -> Said {
        self.written.lock().unwrap().said.clone()
    }
}

impl Written {
    fn note(&mut self, author: &str, chat: &str, id: String, kind: &'static str, says: String) {
        if kind == "text" {
            self.last.insert((author.to_owned(), chat.to_owned()), id.clone());
            self.last_of_all.insert(chat.to_owned(), id.clone());
        }
        self.said.insert(id, (kind, says));
    }
}

/// The first phone from this one on that lists a device.
async fn linked_from(phone: usize, phones: &Phones) -> usize {
    for next in (phone..).take(ALL_PHONES).map(|next| next % ALL_PHONES) {
        if !phones.devices(&number(next)).await.is_empty() {
            return next;
        }
    }
    phone
}

/// The same for both.
fn chat(one: &str, other: &str) -> String {
    if one < other { format!("{one} {other}") } else { format!("{other} {one}") }
}
