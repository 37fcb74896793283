//! `usync`: which devices belong to which users.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::adv;
use crate::faults::Occasion;
use crate::phone::{Naming, Phone};
use crate::stanza::attr;
use crate::world::{State, now_ms};

/// The answer to a query; nothing when it is not understood.
pub(crate) fn usync(state: &mut State, iq: &Node) -> Option<Node> {
    let query = iq.get_optional_child("usync")?;
    let protocols: Vec<&str> = query.get_optional_child("query")?.children()?.iter().map(|child| &*child.tag).collect();
    let asked = query.get_optional_child("list")?.get_children_by_tag("user");
    let users: Option<Vec<Node>> = asked.map(|user| answer_user(state, user, &protocols)).collect();
    let result = NodeBuilder::new("result")
        .children(protocols.iter().map(|tag| NodeBuilder::new_dynamic((*tag).to_owned()).build()))
        .build();
    Some(
        NodeBuilder::new("usync")
            .attr("sid", attr(query, "sid"))
            .attr("index", "0")
            .attr("last", "true")
            .children([result, NodeBuilder::new("list").children(users?).build()])
            .build(),
    )
}

fn answer_user(state: &mut State, asked: &Node, protocols: &[&str]) -> Option<Node> {
    // Whether a number is on WhatsApp is asked with the number in the place of a jid.
    let jid = match asked.attrs.get("jid") {
        Some(jid) => jid.to_jid()?.to_non_ad(),
        None => {
            let written = asked.get_optional_child("contact")?.content_as_string()?;
            Jid::pn(state.as_registered(written.trim_start_matches('+')))
        }
    };
    let number = state.device_at(&jid).map(|of| of.number);
    let stale = number.as_deref().and_then(|number| state.armed.take(Occasion::DeviceList { number }));
    let phone = number.as_ref().and_then(|number| state.phones.get(number));
    let lists_devices = stale.is_none();
    let mut answers = Vec::new();
    for protocol in protocols {
        match *protocol {
            "devices" => answers.push(devices(phone.filter(|_| lists_devices))),
            "lid" => {
                let number = number.as_deref().unwrap_or(&jid.user);
                answers.push(NodeBuilder::new("lid").attr("val", Naming::Lid.user(number)).build());
            }
            "contact" => {
                let is_there = number.is_some() || asked.attrs.get("jid").is_some();
                answers.push(NodeBuilder::new("contact").attr("type", if is_there { "in" } else { "out" }).build());
            }
            // Nobody here is one.
            "business" => {}
            _ => return None,
        }
    }
    Some(NodeBuilder::new("user").attr("jid", &jid).children(answers).build())
}

impl State {
    /// The number under which a phone is known that is asked for by this one: a Brazilian mobile may be
    /// known by what it was before the ninth digit.
    fn as_registered(&self, written: &str) -> String {
        let before = written.strip_prefix("55").and_then(|rest| rest.split_at_checked(2));
        let before = before.and_then(|(area, rest)| Some(format!("55{area}{}", rest.strip_prefix('9')?)));
        let known = |number: &String| !self.phones.contains_key(written) && self.phones.contains_key(number);
        before.filter(known).unwrap_or_else(|| written.to_owned())
    }
}

/// The phone itself is device 0; a number without a simulated phone has only that.
fn devices(phone: Option<&Phone>) -> Node {
    let linked: Vec<u32> = phone.map(|p| p.devices.iter().map(|d| d.number.into()).collect()).unwrap_or_default();
    let mut list = vec![NodeBuilder::new("device").attr("id", 0_u32).build()];
    list.extend(linked.iter().map(|id| NodeBuilder::new("device").attr("id", *id).attr("key-index", *id).build()));
    let mut children = vec![NodeBuilder::new("device-list").children(list).build()];
    let now_s = now_ms() / 1_000;
    if let Some(signed) = phone.and_then(|phone| adv::key_index_list(&phone.identity, &linked, now_s).ok()) {
        children.push(NodeBuilder::new("key-index-list").attr("ts", now_s).bytes(signed).build());
    }
    NodeBuilder::new("devices").children(children).build()
}
