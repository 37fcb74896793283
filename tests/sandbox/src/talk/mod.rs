//! The phones' part of messages: sending and reading.

pub(crate) mod app_state;
pub(crate) mod compose;
pub(crate) mod content;
pub(crate) mod handset;
pub(crate) mod history;
mod pdo;
mod retry;
pub(crate) mod shown;
pub(crate) mod signal;
mod stores;

use anyhow::{Context as _, Result, ensure};
use buffa::Message as _;
use serde::{Deserialize, Serialize};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt as _, Node};
use waproto::whatsapp::Message;

use crate::faults::{AgainFault, Fault, Occasion};
use crate::phone::Naming;
use crate::post::route::Reach;
use crate::world::{DeviceId, State, now_ms};
use compose::{Draft, enc};
use content::{Content, Target};
use handset::Handset;
use shown::{Place, ShownMessage};

/// A message that the owner of a phone writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writing {
    /// A number, or the jid of a group.
    pub to: String,
    /// On which device; 0 is the phone itself.
    #[serde(default)]
    pub device: u16,
    /// By which name it addresses the other one.
    #[serde(default)]
    pub naming: Naming,
    /// Chosen at random where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(flatten)]
    pub content: Content,
}

impl Writing {
    pub fn text(to: &str, text: &str) -> Self {
        Self::new(to, Content::Text(text.to_owned()))
    }

    pub fn new(to: &str, content: Content) -> Self {
        Self { to: to.to_owned(), device: 0, naming: Naming::default(), id: None, content }
    }
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub id: String,
    /// The devices that can read it. Of a group, those of all of its members.
    pub devices: Vec<String>,
}

/// The messages that the owner of a phone has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// A number, or the jid of a group.
    pub chat: String,
    /// Several go into one receipt. In a group they must be of one author.
    pub ids: Vec<String>,
    /// A voice message, listened to.
    #[serde(default)]
    pub played: bool,
    #[serde(default)]
    pub device: u16,
    #[serde(default)]
    pub naming: Naming,
}

/// Changes to a simulated device. Absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HandSettings {
    /// Off line, everything waits for it.
    pub online: Option<bool>,
    /// Whether it asks for messages again that it cannot read.
    pub asks_again: Option<bool>,
    /// `true`: it loses all its sessions, now.
    pub forget_sessions: Option<bool>,
}

impl State {
    /// Sends a message from a simulated device.
    pub(crate) fn write(&mut self, number: &str, writing: &Writing) -> Result<Written> {
        self.phone(number)?;
        let author = DeviceId { number: number.to_owned(), device: writing.device };
        let (to, chat, devices) = self.destination(&author, writing)?;
        let id = writing.id.clone().unwrap_or_else(|| format!("3EB0{:016X}", rand::random::<u64>()));
        let in_group = to.is_group();
        let target = writing.content.refers_to().and_then(|id| self.target(&author, &to, &chat, id, writing.naming));
        let message = writing.content.message(target.as_ref())?;
        let draft = Draft {
            id: &id,
            to,
            in_group,
            naming: writing.naming,
            message: &message,
            kind: writing.content.stanza_type(),
            edit: writing.content.edit_attribute(),
        };
        let (stanza, readers) = self.seal(&author, &draft, &devices)?;
        self.show_own(&author, &chat, &id, message.clone())?;
        self.submit(&author, &stanza, Reach::Everybody);
        if !in_group {
            match self.armed.take(Occasion::Again { number: &chat }) {
                Some(Fault::Again { how: AgainFault::Same, .. }) => {
                    self.submit(&author, &stanza, Reach::Everybody);
                }
                Some(Fault::Again { how: AgainFault::Anew, .. }) => {
                    let (stanza, _) = self.seal(&author, &draft, &devices)?;
                    self.submit(&author, &stanza, Reach::Everybody);
                }
                Some(_) | None => {}
            }
        }
        Ok(Written { id, devices: readers.iter().map(ToString::to_string).collect() })
    }

    /// Whom a message goes to: the jid, the chat's name on screens, and every device concerned.
    fn destination(&mut self, author: &DeviceId, writing: &Writing) -> Result<(Jid, String, Vec<DeviceId>)> {
        let (to, chat, numbers) = if writing.to.ends_with("@g.us") {
            let (members, _) = self.members_of(&writing.to).context("no such group")?;
            ensure!(members.contains(&author.number), "the phone is not in this group");
            (writing.to.parse().ok().context("no jid of a group")?, writing.to.clone(), members)
        } else {
            self.phone(&writing.to)?;
            let mut numbers = vec![writing.to.clone()];
            numbers.extend((writing.to != author.number).then(|| author.number.clone()));
            (writing.naming.user(&writing.to), writing.to.clone(), numbers)
        };
        let devices = numbers.iter().flat_map(|number| self.devices_of(number)).filter(|device| device != author);
        Ok((to, chat, devices.collect()))
    }

    /// Seals a message for all of these devices whose keys can be had.
    fn seal(&mut self, author: &DeviceId, draft: &Draft<'_>, devices: &[DeviceId]) -> Result<(Node, Vec<DeviceId>)> {
        let mut readers = Vec::new();
        for device in devices {
            let has_session = self.hand(author)?.signal.has_session(device);
            if !has_session {
                let Some(bundle) = self.take_bundle(device)? else { continue };
                self.hand(author)?.signal.begin_session(device, &bundle)?;
            }
            readers.push(device.clone());
        }
        Ok((self.hand(author)?.compose(draft, &readers)?, readers))
    }

    fn show_own(&mut self, author: &DeviceId, chat: &str, id: &str, message: Message) -> Result<()> {
        let place = Place {
            chat: chat.to_owned(),
            id: id.to_owned(),
            from: format!("{}:{}", author.number, author.device),
            from_me: true,
            push_name: String::new(),
            sent_at_s: now_ms() / 1_000,
        };
        self.hand(author)?.screen.show(place, message);
        Ok(())
    }

    fn target(&mut self, by: &DeviceId, to: &Jid, chat: &str, id: &str, naming: Naming) -> Option<Target> {
        let shown = self.hand(by).ok()?.screen.find(chat, id)?;
        let author = shown.from.split(':').next().unwrap_or_default();
        Some(Target {
            chat: to.to_string(),
            from_me: shown.from_me,
            author: naming.user(author).to_string(),
            in_group: to.is_group(),
        })
    }

    /// The owner has looked at messages.
    pub(crate) fn read(&mut self, number: &str, reading: &Reading) -> Result<()> {
        let by = DeviceId { number: number.to_owned(), device: reading.device };
        let (first, more) = reading.ids.split_first().context("nothing was read")?;
        let shown =
            self.hand(&by)?.screen.find(&reading.chat, first).context("there is no such message in this chat")?;
        let author = shown.from.clone();
        let (author, device) = author.split_once(':').unwrap_or((&author, "0"));
        let author = reading.naming.device(author, device.parse().unwrap_or_default());
        let node = NodeBuilder::new("receipt")
            .attr("id", first.as_str())
            .attr("type", if reading.played { "played" } else { "read" })
            .attr("t", now_ms() / 1_000);
        let node = if reading.chat.ends_with("@g.us") {
            node.attr("to", reading.chat.as_str()).attr("participant", author)
        } else {
            node.attr("to", author.to_non_ad())
        };
        let items = more.iter().map(|id| NodeBuilder::new("item").attr("id", id.as_str()).build());
        let node = if more.is_empty() {
            node.build()
        } else {
            node.children([NodeBuilder::new("list").children(items).build()]).build()
        };
        self.submit(&by, &node, Reach::Everybody);
        Ok(())
    }

    pub(crate) fn set_hand(&mut self, of: &DeviceId, settings: &HandSettings) -> Result<()> {
        let hand = self.hand(of)?;
        hand.asks_again = settings.asks_again.unwrap_or(hand.asks_again);
        hand.online = settings.online.unwrap_or(hand.online);
        if settings.forget_sessions == Some(true) {
            hand.signal.forget_sessions();
            hand.keyed.clear();
        }
        let again = if settings.online == Some(true) { hand.ask_again() } else { Vec::new() };
        self.due.push_back(of.clone());
        self.let_hands_work();
        for request in again {
            self.submit(of, &request, Reach::Everybody);
        }
        Ok(())
    }

    /// The screen of a simulated device.
    pub(crate) fn screen(&mut self, of: &DeviceId, chat: Option<&str>) -> Result<Vec<ShownMessage>> {
        Ok(self.hand(of)?.screen.list(chat))
    }

    /// A phone tells a companion something that no person reads.
    fn tell_companion(&mut self, with: &DeviceId, message: &Message) -> Result<()> {
        let own = DeviceId { number: with.number.clone(), device: 0 };
        if !self.hand(&own)?.signal.has_session(with) {
            let Some(bundle) = self.take_bundle(with)? else { return Ok(()) };
            self.hand(&own)?.signal.begin_session(with, &bundle)?;
        }
        let sealed = self.hand(&own)?.signal.encrypt(with, &message.encode_to_vec())?;
        let node = NodeBuilder::new("message")
            .attr("to", Naming::Number.device(&with.number, with.device))
            .attr("id", format!("3EB0{:016X}", rand::random::<u64>()))
            .attr("type", "text")
            .attr("category", "peer")
            .children([enc(sealed)])
            .build();
        self.submit(&own, &node, Reach::Everybody);
        Ok(())
    }

    fn hand(&mut self, of: &DeviceId) -> Result<&mut Handset> {
        self.phone(&of.number)?;
        let device = self.device_mut(of).context("the phone has no such device")?;
        device.hand.as_deref_mut().context("this device is not a simulated one")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "15550001111";
    const BERT: &str = "15550002222";

    fn two_phones() -> State {
        let mut state = State::new(crate::settings::Pace::default());
        state.add_phone(ANNA).unwrap();
        state.add_phone(BERT).unwrap();
        state
    }

    fn on(state: &mut State, number: &str, device: u16, chat: &str) -> Vec<(String, bool, u32)> {
        let id = DeviceId { number: number.to_owned(), device };
        let shown = state.screen(&id, Some(chat)).unwrap();
        shown.into_iter().map(|shown| (shown.text.unwrap_or(shown.kind), shown.from_me, shown.arrivals)).collect()
    }

    #[test]
    fn a_text_is_shown_on_all_devices_of_both_sides() {
        let mut state = two_phones();
        for number in [ANNA, BERT] {
            state.phone(number).unwrap().add_companion().unwrap();
        }
        for naming in [Naming::Lid, Naming::Number] {
            for device in [0, 1] {
                let text = format!("{naming:?} {device}");
                let writing = Writing { device, naming, ..Writing::text(BERT, &text) };
                let written = state.write(ANNA, &writing).unwrap();
                assert_eq!(written.devices.len(), 3);
            }
        }
        for (number, chat, from_me) in [(ANNA, BERT, true), (BERT, ANNA, false)] {
            for device in [0, 1] {
                let texts = ["Lid 0", "Lid 1", "Number 0", "Number 1"];
                assert_eq!(on(&mut state, number, device, chat), texts.map(|text| (text.to_owned(), from_me, 1)));
            }
        }
        assert_eq!(state.report.violations, []);
    }

    #[test]
    fn messages_to_an_offline_phone_are_queued() {
        let mut state = two_phones();
        let bert = DeviceId { number: BERT.to_owned(), device: 0 };
        let online = |online| HandSettings { online: Some(online), ..HandSettings::default() };
        state.set_hand(&bert, &online(false)).unwrap();
        state.write(ANNA, &Writing::text(BERT, "are you there?")).unwrap();
        assert_eq!((on(&mut state, BERT, 0, ANNA), state.device(&bert).unwrap().queue.len()), (vec![], 1));
        state.set_hand(&bert, &online(true)).unwrap();
        assert_eq!(on(&mut state, BERT, 0, ANNA), [("are you there?".to_owned(), false, 1)]);
        assert_eq!(state.device(&bert).unwrap().queue.len(), 0);
    }

    #[test]
    fn lost_sessions_are_repaired_by_a_retry_with_keys() {
        let mut state = two_phones();
        let bert = DeviceId { number: BERT.to_owned(), device: 0 };
        state.write(ANNA, &Writing::text(BERT, "one")).unwrap();
        state.write(BERT, &Writing::text(ANNA, "two")).unwrap();
        state.set_hand(&bert, &HandSettings { forget_sessions: Some(true), ..HandSettings::default() }).unwrap();
        state.write(ANNA, &Writing::text(BERT, "three")).unwrap();
        state.write(BERT, &Writing::text(ANNA, "four")).unwrap();
        let texts = ["one", "two", "three", "four"].map(|text| text.to_owned());
        let shown = on(&mut state, BERT, 0, ANNA).into_iter().map(|(text, ..)| text);
        assert_eq!(shown.collect::<Vec<_>>(), texts);
    }

    #[test]
    fn a_phone_that_comes_back_asks_again_for_what_it_cannot_read() {
        let mut state = two_phones();
        let bert = DeviceId { number: BERT.to_owned(), device: 0 };
        let set = |state: &mut State, settings| state.set_hand(&bert, &settings).unwrap();
        state.write(ANNA, &Writing::text(BERT, "one")).unwrap();
        state.write(BERT, &Writing::text(ANNA, "two")).unwrap();
        let deaf = HandSettings { asks_again: Some(false), forget_sessions: Some(true), ..HandSettings::default() };
        set(&mut state, deaf);
        state.write(ANNA, &Writing::text(BERT, "three")).unwrap();
        set(&mut state, HandSettings { asks_again: Some(true), ..HandSettings::default() });
        assert_eq!(on(&mut state, BERT, 0, ANNA).last().unwrap().0, "waiting");
        for _ in 0..2 {
            set(&mut state, HandSettings { online: Some(true), ..HandSettings::default() });
        }
        assert_eq!(on(&mut state, BERT, 0, ANNA).last().unwrap(), &("three".to_owned(), false, 1));
    }

    #[test]
    fn receipts_reach_the_author_and_name_the_reader() {
        let mut state = two_phones();
        let [first, second] = ["one", "two"].map(|text| state.write(ANNA, &Writing::text(BERT, text)).unwrap().id);
        let reading =
            Reading { chat: ANNA.to_owned(), ids: vec![first, second], played: false, device: 0, naming: Naming::Lid };
        state.read(BERT, &reading).unwrap();
        let anna = DeviceId { number: ANNA.to_owned(), device: 0 };
        for shown in state.screen(&anna, Some(BERT)).unwrap() {
            let kinds: Vec<&str> = shown.receipts.iter().map(|receipt| receipt.kind.as_str()).collect();
            assert_eq!((kinds, shown.receipts[0].by.as_str()), (vec!["delivered", "read"], BERT));
        }
    }

    #[test]
    fn a_group_is_read_by_all_its_members_only() {
        let mut state = two_phones();
        state.add_phone("15550003333").unwrap();
        state.phone(BERT).unwrap().add_companion().unwrap();
        let group = crate::post::members::SharedGroup {
            subject: "Crew".to_owned(),
            members: vec![ANNA.to_owned(), BERT.to_owned()],
            naming: Naming::Lid,
        };
        state.set_shared_group("120300000000000001@g.us", group).unwrap();
        for text in ["first", "second"] {
            state.write(ANNA, &Writing::text("120300000000000001@g.us", text)).unwrap();
        }
        for device in [0, 1] {
            let shown = on(&mut state, BERT, device, "120300000000000001@g.us");
            assert_eq!(shown, ["first", "second"].map(|text| (text.to_owned(), false, 1)));
        }
        let outsider = state.write("15550003333", &Writing::text("120300000000000001@g.us", "me too")).unwrap_err();
        assert_eq!(outsider.to_string(), "the phone is not in this group");
        assert_eq!(state.report.violations, []);
    }
}
