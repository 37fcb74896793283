//! `w:g2`: the groups of a phone.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::phone::{Group, Naming};
use crate::post::members::{SharedGroup, stranger};
use crate::world::State;

/// Every group that the phone is in.
pub(crate) fn participating(state: &State, number: &str) -> Node {
    let own = state.phones.get(number).into_iter().flat_map(|phone| &phone.groups).map(|group| of_phone(number, group));
    let shared = state.groups.iter().filter(|(_, group)| is_in(group, number)).map(|(jid, group)| shared(jid, group));
    NodeBuilder::new("groups").children(own.chain(shared)).build()
}

/// One group that the phone is in.
pub(crate) fn one_group(state: &State, number: &str, jid: &str) -> Option<Node> {
    let own = state.phones.get(number)?.groups.iter().find(|group| group.jid == jid);
    let shared_one = || state.groups.get(jid).filter(|group| is_in(group, number)).map(|group| shared(jid, group));
    own.map(|group| of_phone(number, group)).or_else(shared_one)
}

fn is_in(group: &SharedGroup, number: &str) -> bool {
    group.members.iter().any(|member| member == number)
}

fn shared(jid: &str, group: &SharedGroup) -> Node {
    let members = group.members.iter().enumerate();
    let members = members.map(|(nth, number)| participant(number, group.naming, nth == 0)).collect();
    describe(jid, &group.subject, group.naming, members)
}

/// A group of one phone and strangers.
fn of_phone(number: &str, group: &Group) -> Node {
    let naming = if group.by_lid { Naming::Lid } else { Naming::Number };
    let own = participant(number, naming, group.is_admin);
    let others = (1..group.participants).map(|nth| participant(&stranger(nth), naming, nth == 1));
    describe(&group.jid, &group.subject, naming, std::iter::once(own).chain(others).collect())
}

fn describe(jid: &str, subject: &str, naming: Naming, participants: Vec<Node>) -> Node {
    NodeBuilder::new("group")
        .attr("id", jid.strip_suffix("@g.us").unwrap_or(jid))
        .attr("subject", subject)
        .attr("creation", 1_700_000_000_u64)
        .attr("s_t", 1_700_000_000_u64)
        .attr("size", u32::try_from(participants.len()).unwrap_or(u32::MAX))
        .attr("addressing_mode", naming.mode())
        .children(participants)
        .build()
}

fn participant(number: &str, naming: Naming, is_admin: bool) -> Node {
    let node = NodeBuilder::new("participant").attr("jid", naming.user(number));
    let node = node.attr(if naming == Naming::Lid { "phone_number" } else { "lid" }, naming.other().user(number));
    if is_admin { node.attr("type", "admin").build() } else { node.build() }
}
