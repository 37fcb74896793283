//! The stanzas that the server says by itself.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, SERVER_JID};

pub(crate) fn pair_device(id: &str, refs: &[String]) -> Node {
    let refs = refs.iter().map(|reference| NodeBuilder::new("ref").bytes(reference.as_bytes()).build());
    set_md(id, NodeBuilder::new("pair-device").children(refs).build())
}

/// `business`: its name, where the phone is one's.
pub(crate) fn pair_success(id: &str, device_identity: Vec<u8>, jid: &Jid, lid: &Jid, business: Option<String>) -> Node {
    let platform = if business.is_some() { "smba" } else { "android" };
    let mut children = vec![NodeBuilder::new("device-identity").bytes(device_identity).build()];
    children.extend(business.map(|name| NodeBuilder::new("biz").attr("name", name).build()));
    children.push(NodeBuilder::new("platform").attr("name", platform).build());
    children.push(NodeBuilder::new("device").attr("jid", jid).attr("lid", lid).build());
    set_md(id, NodeBuilder::new("pair-success").children(children).build())
}

pub(crate) fn success(lid: &Jid, now_s: u64) -> Node {
    NodeBuilder::new("success").attr("t", now_s).attr("lid", lid).attr("location", "loopback").build()
}

pub(crate) fn failure(reason: u16, code: Option<u16>, expire: Option<u64>) -> Node {
    let mut node = NodeBuilder::new("failure").attr("reason", reason).attr("location", "loopback");
    if let Some(code) = code {
        node = node.attr("code", code);
    }
    if let Some(expire) = expire {
        node = node.attr("expire", expire);
    }
    node.build()
}

pub(crate) fn stream_error(code: u16) -> Node {
    NodeBuilder::new("stream:error").attr("code", code).build()
}

/// `replaced` or `device_removed`.
pub(crate) fn conflict(kind: &'static str) -> Node {
    NodeBuilder::new("stream:error").children([NodeBuilder::new("conflict").attr("type", kind).build()]).build()
}

/// No messages are waiting, so the client may consider itself connected.
pub(crate) fn nothing_offline() -> Node {
    ib(vec![NodeBuilder::new("offline").attr("count", 0_u32).build()])
}

/// A notice of the server about itself.
pub(crate) fn ib(children: Vec<Node>) -> Node {
    NodeBuilder::new("ib").attr("from", SERVER_JID).children(children).build()
}

/// The answer to an iq.
pub(crate) fn result(iq: &Node, children: Vec<Node>) -> Node {
    let answer = answer(iq).attr("type", "result");
    if children.is_empty() { answer.build() } else { answer.children(children).build() }
}

/// The refusal of an iq.
pub(crate) fn refusal(iq: &Node, code: u16, text: &str) -> Node {
    let error = NodeBuilder::new("error").attr("code", code).attr("text", text).build();
    answer(iq).attr("type", "error").children([error]).build()
}

/// An attribute as text; empty when absent.
pub(crate) fn attr(node: &Node, name: &str) -> String {
    node.attrs.get(name).map(|value| value.as_str().into_owned()).unwrap_or_default()
}

fn answer(iq: &Node) -> NodeBuilder {
    let to = attr(iq, "to");
    NodeBuilder::new("iq")
        .attr("from", if to.is_empty() { SERVER_JID.to_owned() } else { to })
        .attr("id", attr(iq, "id"))
}

fn set_md(id: &str, child: Node) -> Node {
    NodeBuilder::new("iq")
        .attrs([("from", SERVER_JID), ("type", "set"), ("id", id), ("xmlns", "md")])
        .children([child])
        .build()
}
