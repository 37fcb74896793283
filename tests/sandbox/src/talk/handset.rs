//! One simulated device, a phone or a companion of it: it opens what it is sent, shows it,
//! says so, and asks again for what it cannot read.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, Result, bail};
use buffa::Message as _;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::SignalProtocolError;
use waproto::whatsapp::Message;
use waproto::whatsapp::message::protocol_message::Type;

use super::shown::{Place, Screen, ShownReceipt};
use super::signal::Signal;
use super::{pdo, retry};
use crate::keys::bytes;
use crate::stanza::attr;
use crate::world::{DeviceId, now_ms};

/// Finds the device of a jid, which may use the number or the LID.
pub(crate) type Directory<'a> = &'a dyn Fn(&Jid) -> Option<DeviceId>;

pub(crate) struct Handset {
    pub(crate) own: DeviceId,
    pub(crate) signal: Signal,
    pub(crate) screen: Screen,
    pub(crate) online: bool,
    /// Whether it asks for what it cannot read.
    pub(crate) asks_again: bool,
    /// A companion's proof that it belongs to its phone; empty for the phone itself.
    pub(crate) device_identity: Vec<u8>,
    /// The devices that have this one's key for a group.
    pub(super) keyed: HashMap<String, HashSet<DeviceId>>,
    /// How often each message was asked for.
    pub(super) asked: HashMap<(DeviceId, String), u32>,
    /// Those that it cannot read.
    unread: Vec<Envelope>,
}

/// The result of a stanza.
pub(crate) enum Said {
    Stanza(Node),
    /// A protocol violation of this device.
    Violation(DeviceId, String),
}

/// The outside of a message.
#[derive(Clone)]
pub(super) struct Envelope {
    pub(super) id: String,
    /// Whom a receipt goes to.
    pub(super) from: Jid,
    /// The device that wrote it, as the stanza names it.
    pub(super) sender_jid: Jid,
    pub(super) sender: DeviceId,
    pub(super) group: Option<String>,
    pub(super) recipient: Option<Jid>,
    pub(super) is_peer: bool,
    push_name: String,
    sent_at_s: u64,
}

impl Envelope {
    fn read(message: &Node, whois: Directory<'_>) -> Result<Self> {
        let jid = |name: &str| message.attrs.get(name).and_then(wacore_binary::NodeValue::to_jid);
        let from = jid("from").context("a message from nobody")?;
        let group = attr(message, "from").ends_with("@g.us").then(|| attr(message, "from"));
        let sender_jid = if group.is_some() { jid("participant").context("no participant")? } else { from.clone() };
        Ok(Self {
            id: attr(message, "id"),
            sender: whois(&sender_jid).context("nobody has this jid")?,
            from,
            sender_jid,
            group,
            recipient: jid("recipient"),
            is_peer: attr(message, "category") == "peer",
            push_name: attr(message, "notify"),
            sent_at_s: attr(message, "t").parse().unwrap_or_default(),
        })
    }
}

/// The result of decrypting a message's `<enc>`s.
enum Opened {
    Content(Box<Message>),
    /// Keys of a group, and nothing to show.
    KeysOnly,
    /// It came before.
    Known,
    Failed,
}

impl Handset {
    pub(crate) fn new(own: DeviceId, signal: Signal, device_identity: Vec<u8>) -> Self {
        Self {
            own,
            signal,
            screen: Screen::default(),
            online: true,
            asks_again: true,
            device_identity,
            keyed: HashMap::new(),
            asked: HashMap::new(),
            unread: Vec::new(),
        }
    }

    /// Asks once more for what it still cannot read: a request or its answer may have been lost.
    pub(super) fn ask_again(&mut self) -> Vec<Node> {
        let unread = self.unread.clone();
        unread.iter().filter_map(|envelope| retry::ask(self, envelope).ok().flatten()).collect()
    }

    /// Its answers to a stanza of the server.
    pub(crate) fn receive(&mut self, stanza: &Node, whois: Directory<'_>) -> Vec<Said> {
        let answered = match &*stanza.tag {
            "message" => self.on_message(stanza, whois),
            "receipt" => self.on_receipt(stanza, whois),
            _ => Ok(Vec::new()),
        };
        answered.unwrap_or_else(|error| {
            tracing::debug!(device = ?self.own, error = format!("{error:#}"), "a simulated phone gives up on a stanza");
            Vec::new()
        })
    }

    fn on_message(&mut self, stanza: &Node, whois: Directory<'_>) -> Result<Vec<Said>> {
        let envelope = Envelope::read(stanza, whois)?;
        let mut said = Vec::new();
        let opened = self.open(stanza, &envelope, &mut said);
        self.unread.retain(|unread| (&unread.id, &unread.sender) != (&envelope.id, &envelope.sender));
        match opened {
            Opened::Content(message) => self.on_content(*message, &envelope, whois, &mut said)?,
            Opened::KeysOnly | Opened::Known => {}
            Opened::Failed => {
                if !envelope.is_peer {
                    self.screen.wait_for(self.place(&envelope, self.chat_by_stanza(&envelope, whois)));
                    self.unread.push(envelope.clone());
                }
                said.extend(retry::ask(self, &envelope)?.map(Said::Stanza));
                return Ok(said);
            }
        }
        said.push(Said::Stanza(self.receipt(&envelope)));
        Ok(said)
    }

    fn open(&mut self, stanza: &Node, envelope: &Envelope, said: &mut Vec<Said>) -> Opened {
        let mut outcome = Opened::Failed;
        for enc in stanza.get_children_by_tag("enc") {
            let (kind, sealed) = (attr(enc, "type"), bytes(Some(enc)));
            let is_proven = stanza.get_optional_child("device-identity").is_some();
            if kind == "pkmsg" && envelope.sender.device != 0 && !is_proven {
                let what = format!("begins a session for {} without its device identity", envelope.id);
                said.push(Said::Violation(envelope.sender.clone(), what));
            }
            let group = envelope.group.as_deref();
            let opened = match (kind.as_str(), group) {
                ("pkmsg" | "msg", _) => self.signal.decrypt(&envelope.sender, &kind, &sealed),
                ("skmsg", Some(group)) => self.signal.decrypt_of_group(group, &envelope.sender, &sealed),
                _ => Err(anyhow::anyhow!("an <enc> of an unknown type")),
            };
            match opened.and_then(|plain| self.take_keys(&plain, envelope)) {
                Ok((message, has_keys)) => {
                    outcome = if has_keys && kind != "skmsg" && super::content::Read::of(&message).kind == "other" {
                        Opened::KeysOnly
                    } else {
                        Opened::Content(Box::new(message))
                    };
                }
                Err(error) if is_duplicate(&error) => outcome = Opened::Known,
                Err(error) => {
                    let why = format!("{error:#}");
                    tracing::debug!(device = ?self.own, id = envelope.id, why, "a simulated phone cannot read");
                    return Opened::Failed;
                }
            }
        }
        outcome
    }

    /// Reads a plaintext; a key of a group in it is kept.
    fn take_keys(&mut self, plain: &[u8], envelope: &Envelope) -> Result<(Message, bool)> {
        let message = Message::decode_from_slice(plain)?;
        let Some(keys) = message.sender_key_distribution_message.as_option() else { return Ok((message, false)) };
        let group = keys.group_id.clone().context("a key of no group")?;
        let key = keys.axolotl_sender_key_distribution_message.as_deref().unwrap_or_default();
        self.signal.take_distribution(&group, &envelope.sender, key)?;
        Ok((message, true))
    }

    fn on_content(
        &mut self,
        message: Message,
        envelope: &Envelope,
        whois: Directory<'_>,
        said: &mut Vec<Said>,
    ) -> Result<()> {
        let is_own = envelope.sender.number == self.own.number;
        if is_own && envelope.is_peer {
            said.extend(pdo::answer(self, &message, envelope, whois)?.map(Said::Stanza));
            return Ok(());
        }
        let is_wrapped = message.device_sent_message.as_option().is_some();
        if is_wrapped != (is_own && envelope.group.is_none()) {
            let what = if is_wrapped { "with a" } else { "without the" };
            let what = format!("writes {} {what} wrapper of a device's own messages", envelope.id);
            said.push(Said::Violation(envelope.sender.clone(), what));
            return Ok(());
        }
        let (chat, message) = if is_wrapped {
            let (to, message) = unwrap(message)?;
            let to: Jid = to.parse().ok().context("a wrapper for no jid")?;
            (whois(&to).context("a wrapper for nobody")?.number, message)
        } else {
            (self.chat_by_stanza(envelope, whois), message)
        };
        self.screen.show(self.place(envelope, chat), message);
        Ok(())
    }

    fn chat_by_stanza(&self, envelope: &Envelope, whois: Directory<'_>) -> String {
        if let Some(group) = &envelope.group {
            return group.clone();
        }
        let with = envelope.recipient.as_ref().filter(|_| envelope.sender.number == self.own.number).and_then(whois);
        with.map_or_else(|| envelope.sender.number.clone(), |with| with.number)
    }

    fn place(&self, envelope: &Envelope, chat: String) -> Place {
        Place {
            chat,
            id: envelope.id.clone(),
            from: format!("{}:{}", envelope.sender.number, envelope.sender.device),
            from_me: envelope.sender.number == self.own.number,
            push_name: envelope.push_name.clone(),
            sent_at_s: envelope.sent_at_s,
        }
    }

    /// That the message has arrived.
    fn receipt(&self, envelope: &Envelope) -> Node {
        let node = NodeBuilder::new("receipt").attr("to", &envelope.from).attr("id", envelope.id.as_str());
        let node = match (&envelope.group, &envelope.recipient) {
            (Some(_), _) => node.attr("participant", &envelope.sender_jid),
            (None, _) if envelope.is_peer => node.attr("type", "peer_msg"),
            (None, Some(recipient)) => node.attr("type", "sender").attr("recipient", recipient.to_non_ad()),
            (None, None) => node,
        };
        // The screen of a companion is dark, so that only its phone makes the second tick.
        let is_own = envelope.sender.number == self.own.number;
        if self.own.device != 0 && !is_own { node.attr("type", "inactive").build() } else { node.build() }
    }

    fn on_receipt(&mut self, stanza: &Node, whois: Directory<'_>) -> Result<Vec<Said>> {
        let jid = |name: &str| stanza.attrs.get(name).and_then(wacore_binary::NodeValue::to_jid);
        let from = jid("from").context("a receipt from nobody")?;
        let group = attr(stanza, "from").ends_with("@g.us").then(|| attr(stanza, "from"));
        let by_jid = if group.is_some() { jid("participant").context("no participant")? } else { from };
        let by = whois(&by_jid).context("a receipt of nobody")?;
        let kind = match attr(stanza, "type").as_str() {
            "" | "delivery" => "delivered",
            "read" => "read",
            "played" => "played",
            "retry" => {
                let own = jid("recipient").and_then(|jid| whois(&jid)).map(|with| with.number);
                let chat = group.clone().or(own).unwrap_or_else(|| by.number.clone());
                return Ok(retry::answer(self, stanza, &by, &by_jid, &chat, group.as_deref())?
                    .map(Said::Stanza)
                    .into_iter()
                    .collect());
            }
            _ => return Ok(Vec::new()),
        };
        let chat = group.unwrap_or_else(|| by.number.clone());
        for id in crate::post::receipts::ids(stanza) {
            let receipt = ShownReceipt { by: by.number.clone(), kind: kind.to_owned(), at_ms: now_ms() };
            self.screen.note_receipt(&chat, &id, receipt);
        }
        Ok(Vec::new())
    }
}

/// The recipient and the message inside the wrapper of a device's own message.
fn unwrap(mut outer: Message) -> Result<(String, Message)> {
    let mut wrapper = outer.device_sent_message.take().context("no wrapper")?;
    let Some(mut inner) = wrapper.message.take() else { bail!("an empty wrapper") };
    if inner.message_context_info.as_option().is_none() {
        inner.message_context_info = std::mem::take(&mut outer.message_context_info);
    }
    Ok((wrapper.destination_jid.context("a wrapper without destination")?, inner))
}

fn is_duplicate(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(SignalProtocolError::DuplicatedMessage(..)))
}

/// Whether it is what devices of an account tell each other.
pub(super) fn asks_for_data(message: &Message) -> bool {
    let protocol = message.protocol_message.as_option();
    protocol.is_some_and(|protocol| protocol.r#type == Some(Type::PEER_DATA_OPERATION_REQUEST_MESSAGE))
}
