//! The server's answers to a client's stanzas.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::group_answers::{one_group, participating};
use crate::post::route::Reach;
use crate::post::{bundles, tokens};
use crate::stanza::{attr, refusal, result};
use crate::usync::usync;
use crate::world::{DeviceId, State};

pub(crate) enum Answer {
    Say(Vec<Node>),
    /// Some of what waited for the device.
    Backlog(Vec<Node>),
    /// Understood, and nothing to say to it.
    Nothing,
    /// The device with this jid is to be unlinked.
    Unlink(String),
    /// Not understood; an iq gets an error all the same.
    Unknown(Vec<Node>),
}

/// A client that is not logged in only ever pings, besides pairing. One of another family also says
/// its name as soon as it is paired.
pub(crate) fn answer_unregistered(stanza: &Node) -> Answer {
    match (&*stanza.tag, attr(stanza, "xmlns").as_str()) {
        ("iq", "w:p") => Answer::Say(vec![result(stanza, Vec::new())]),
        ("ib" | "ack" | "presence", _) => Answer::Nothing,
        _ => Answer::Unknown(Vec::new()),
    }
}

pub(crate) fn answer(state: &mut State, id: &DeviceId, stanza: &Node) -> Answer {
    match &*stanza.tag {
        "iq" => answer_iq(state, id, stanza),
        "receipt" | "ack" => Answer::Say(state.submit(id, stanza, Reach::Everybody)),
        "ib" => match stanza.get_optional_child("offline_batch") {
            Some(batch) => {
                let count = attr(batch, "count").parse().unwrap_or_default();
                Answer::Backlog(state.device_mut(id).map(|device| device.queue.fetch(count)).unwrap_or_default())
            }
            None => Answer::Nothing,
        },
        "chatstate" => {
            state.show_typing(id, stanza);
            Answer::Nothing
        }
        "presence" => Answer::Nothing,
        _ => Answer::Unknown(Vec::new()),
    }
}

fn answer_iq(state: &mut State, id: &DeviceId, iq: &Node) -> Answer {
    let (xmlns, kind) = (attr(iq, "xmlns"), attr(iq, "type"));
    let child = iq.children().and_then(<[Node]>::first);
    let say = |children: Vec<Node>| Answer::Say(vec![result(iq, children)]);
    match (xmlns.as_str(), kind.as_str(), child.map(|child| &*child.tag)) {
        ("w:p", "get", _) | ("urn:xmpp:whatsapp:dirty", "set", _) => say(Vec::new()),
        ("passive", "set", Some("active")) => {
            let mut said = vec![result(iq, Vec::new())];
            said.extend(state.device_mut(id).map(|device| device.queue.come_online()).unwrap_or_default());
            Answer::Backlog(said)
        }
        ("passive", "set", Some("passive")) => say(Vec::new()),
        ("encrypt", "set", _) => match device_bundle(state, id).map(|bundle| bundle.upload(iq)) {
            Some(true) => {
                // The next upload is another try.
                let _ = state.share_app_state(id).and_then(|()| state.share_history(id));
                say(Vec::new())
            }
            Some(false) => unknown(iq),
            // The phone has removed the device while its keys were on their way.
            None => Answer::Say(vec![refusal(iq, 404, "item-not-found")]),
        },
        ("encrypt", "get", Some("digest")) => match device_bundle(state, id).and_then(|bundle| bundle.digest()) {
            Some(digest) => say(vec![digest]),
            None => Answer::Say(vec![refusal(iq, 404, "item-not-found")]),
        },
        ("encrypt", "get", Some("count")) => {
            let count = device_bundle(state, id).map_or(0, |bundle| bundle.count());
            say(vec![NodeBuilder::new("count").attr("value", count).build()])
        }
        ("encrypt", "get", Some("key")) => bundles::answer(state, iq),
        ("w:m", "set", Some("media_conn")) => say(vec![media_conn(state)]),
        ("privacy", "set", Some("tokens")) => say(vec![tokens::give(state, id, iq)]),
        ("abt", "get", Some("props")) => say(vec![props()]),
        ("blocklist", "get", _) => say(vec![NodeBuilder::new("list").build()]),
        ("privacy", "get", _) => say(vec![privacy()]),
        ("usync", "get", Some("usync")) => usync(state, iq).map_or_else(|| unknown(iq), |answer| say(vec![answer])),
        ("w:sync:app:state", "set", Some("sync")) => say(vec![state.app_state(id, iq)]),
        ("w:g2", "get", Some("participating")) => say(vec![participating(state, &id.number)]),
        ("w:g2", "get", Some("query")) => match one_group(state, &id.number, &attr(iq, "to")) {
            Some(group) => say(vec![group]),
            None => Answer::Say(vec![refusal(iq, 404, "item-not-found")]),
        },
        ("md", "set", Some("remove-companion-device")) => {
            let jid = child.and_then(|child| child.attrs.get("jid")?.to_jid());
            Answer::Unlink(jid.as_ref().map(Jid::to_string).unwrap_or_default())
        }
        _ => unknown(iq),
    }
}

fn unknown(iq: &Node) -> Answer {
    match attr(iq, "type").as_str() {
        "get" | "set" => Answer::Unknown(vec![refusal(iq, 501, "feature-not-implemented")]),
        _ => Answer::Unknown(Vec::new()),
    }
}

fn device_bundle<'a>(state: &'a mut State, id: &DeviceId) -> Option<&'a mut crate::keys::KeyBundle> {
    Some(&mut state.phones.get_mut(&id.number)?.device_mut(id.device)?.bundle)
}

/// Where media are fetched: from the admin API's address.
fn media_conn(state: &State) -> Node {
    let host = NodeBuilder::new("host").attr("hostname", state.media_host.as_str()).attr("type", "primary").build();
    let node = NodeBuilder::new("media_conn").attr("auth", "sandbox-media-auth").attr("ttl", 3_600_u32);
    node.attr("auth_ttl", 3_600_u32).children([host]).build()
}

fn props() -> Node {
    NodeBuilder::new("props").attr("protocol", "1").attr("ab_key", "sandbox").attr("refresh", 86_400_u32).build()
}

fn privacy() -> Node {
    let category = |name: &'static str| NodeBuilder::new("category").attr("name", name).attr("value", "all").build();
    let names = ["last", "online", "profile", "status", "groupadd", "readreceipts", "calladd"];
    NodeBuilder::new("privacy").children(names.map(category)).build()
}
