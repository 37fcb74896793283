//! `w:g2`: the groups of a phone.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::phone::{Group, Phone, lid_user};

/// Every group that the phone is in.
pub(crate) fn participating(phone: &Phone) -> Node {
    NodeBuilder::new("groups").children(phone.groups.iter().map(|group| describe(phone, group))).build()
}

/// One group that the phone is in.
pub(crate) fn one_group(phone: &Phone, jid: &str) -> Option<Node> {
    phone.groups.iter().find(|group| group.jid == jid).map(|group| describe(phone, group))
}

fn describe(phone: &Phone, group: &Group) -> Node {
    let id = group.jid.strip_suffix("@g.us").unwrap_or(&group.jid);
    let own = participant(&phone.number, group.by_lid, group.is_admin);
    // Nobody else's number is a simulated phone's: they begin with 999.
    let others = (1..group.participants).map(|index| participant(&format!("999{index:08}"), group.by_lid, index == 1));
    NodeBuilder::new("group")
        .attr("id", id)
        .attr("subject", group.subject.as_str())
        .attr("creation", 1_700_000_000_u64)
        .attr("s_t", 1_700_000_000_u64)
        .attr("size", group.participants)
        .attr("addressing_mode", if group.by_lid { "lid" } else { "pn" })
        .children(std::iter::once(own).chain(others))
        .build()
}

fn participant(number: &str, by_lid: bool, is_admin: bool) -> Node {
    let (pn, lid) = (Jid::pn(number), Jid::lid(lid_user(number)));
    let node = NodeBuilder::new("participant");
    let node =
        if by_lid { node.attr("jid", lid).attr("phone_number", pn) } else { node.attr("jid", pn).attr("lid", lid) };
    if is_admin { node.attr("type", "admin").build() } else { node.build() }
}
