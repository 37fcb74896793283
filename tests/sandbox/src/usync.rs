//! `usync`: which devices belong to which users.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::adv;
use crate::phone::Phone;
use crate::stanza::attr;
use crate::world::{State, now_ms};

/// The answer to a query; nothing when it is not understood.
pub(crate) fn usync(state: &State, iq: &Node) -> Option<Node> {
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

fn answer_user(state: &State, asked: &Node, protocols: &[&str]) -> Option<Node> {
    let jid = asked.attrs.get("jid")?.to_jid()?.to_non_ad();
    let phone =
        state.phones.values().find(|phone| phone.number == jid.user.as_str() || phone.lid_user == jid.user.as_str());
    let answers: Option<Vec<Node>> = protocols.iter().map(|protocol| answer_protocol(phone, &jid, protocol)).collect();
    Some(NodeBuilder::new("user").attr("jid", &jid).children(answers?).build())
}

fn answer_protocol(phone: Option<&Phone>, jid: &Jid, protocol: &str) -> Option<Node> {
    match protocol {
        "devices" => Some(devices(phone)),
        "lid" => {
            let lid = phone.map_or_else(|| Jid::lid(crate::phone::lid_user(&jid.user)), |phone| phone.lid(0));
            Some(NodeBuilder::new("lid").attr("val", lid).build())
        }
        "contact" => Some(NodeBuilder::new("contact").attr("type", "in").build()),
        _ => None,
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
