//! WhatsApp's list of groups, as the account's row keeps it.
//!
//! Asked and read here, not by the library: its reader takes a group of over 10,000 members, or
//! a value that it has never seen, for a reason to read none of them.

use std::collections::BTreeMap;

use paird_actors::domain::Group;
use wacore::iq::{
    groups::{GROUP_IQ_NAMESPACE, GroupParticipatingRequest},
    spec::IqSpec,
};
use wacore::{protocol::ProtocolNode, request::InfoQuery};
use wacore_binary::{Jid, NodeContent, NodeRef, Server};
use whatsapp_rust::anyhow;

/// WhatsApp takes subjects of up to 100 characters.
const LONGEST_SUBJECT: usize = 500;

/// The query for every group that the account is in. `own` are its addresses, by number and
/// by LID: a group lists its members by either.
pub(super) struct ListGroups {
    pub(super) own: Vec<Jid>,
}

impl IqSpec for ListGroups {
    type Response = Vec<Group>;

    fn build_iq(&self) -> InfoQuery<'static> {
        // Its members say what the account may do in it; its description says nothing here.
        let request = GroupParticipatingRequest { include_participants: true, include_description: false };
        let content = NodeContent::Nodes(vec![request.into_node()]);
        InfoQuery::get(GROUP_IQ_NAMESPACE, Jid::new("", Server::Group), Some(content))
    }

    /// An answer without a list is not one without groups: those that are known stay.
    fn parse_response(&self, answer: &NodeRef<'_>) -> Result<Self::Response, anyhow::Error> {
        let lists: Vec<_> =
            ["groups", "communities"].into_iter().filter_map(|list| answer.get_optional_child(list)).collect();
        let lists = if lists.is_empty() { vec![answer] } else { lists };
        let is_list = lists.iter().any(|list| list.tag != "iq" || !groups_in(list).is_empty());
        if !is_list {
            anyhow::bail!("WhatsApp answered without a list of groups");
        }
        let groups = lists.iter().flat_map(|list| groups_in(list)).filter_map(|group| read_group(group, &self.own));
        // The last of those that are listed twice.
        let distinct: BTreeMap<String, Group> = groups.map(|group| (group.jid.clone(), group)).collect();
        Ok(distinct.into_values().collect())
    }
}

fn groups_in<'r, 'n>(list: &'r NodeRef<'n>) -> Vec<&'r NodeRef<'n>> {
    let children = list.children().unwrap_or_default();
    children.iter().filter(|child| matches!(child.tag.as_ref(), "group" | "community")).collect()
}

/// Reads a group: `None` without its id; all other fields are optional.
fn read_group(listed: &NodeRef<'_>, own: &[Jid]) -> Option<Group> {
    let text = |name: &str| listed.get_attr(name).map(|value| value.as_str().into_owned());
    let id = text("id").or_else(|| text("jid")).filter(|id| (1..=100).contains(&id.len()))?;
    let jid = if id.contains('@') { id } else { format!("{id}@g.us") };
    let members: Vec<_> = listed.get_children_by_tag("participant").collect();
    let named = u32::try_from(members.len()).unwrap_or(u32::MAX);
    Some(Group {
        jid,
        subject: text("subject").unwrap_or_default().chars().take(LONGEST_SUBJECT).collect(),
        // A large group lists only some of its members, and says how many there are.
        participants: text("size").and_then(|size| size.parse().ok()).unwrap_or(named).max(named),
        is_admin: members.into_iter().filter(|member| ranks_high(member)).any(|member| is_one_of(member, own)),
    })
}

fn ranks_high(member: &NodeRef<'_>) -> bool {
    member.get_attr("type").is_some_and(|rank| matches!(&*rank.as_str(), "admin" | "superadmin"))
}

fn is_one_of(member: &NodeRef<'_>, own: &[Jid]) -> bool {
    let addresses = ["jid", "phone_number", "lid"].into_iter();
    let mut addresses = addresses.filter_map(|name| member.get_attr(name)?.to_jid());
    addresses.any(|jid| own.iter().any(|own| own.user == jid.user && own.server == jid.server))
}

#[cfg(test)]
mod tests {
    use wacore_binary::builder::NodeBuilder;

    use super::*;

    fn list(size: Option<&str>, members: Vec<NodeBuilder>) -> Group {
        let mut group_node = NodeBuilder::new("group").attr("id", "120363000000000001@g.us").attr("subject", "Team");
        if let Some(size) = size {
            group_node = group_node.attr("size", size);
        }
        let group_node = group_node.children(members.into_iter().map(NodeBuilder::build)).build();
        let answer =
            NodeBuilder::new("iq").children([NodeBuilder::new("groups").children([group_node]).build()]).build();
        let own = ["436601234567:3@s.whatsapp.net", "990001:3@lid"].map(|jid| jid.parse().unwrap());
        let mut listed = ListGroups { own: own.into() }.parse_response(&answer.as_node_ref()).unwrap();
        listed.remove(0)
    }

    fn member(jid: &'static str) -> NodeBuilder {
        NodeBuilder::new("participant").attr("jid", jid)
    }

    #[test]
    fn an_admin_is_known_by_number_and_by_lid() {
        let by_number = list(None, vec![member("436601234567@s.whatsapp.net").attr("type", "admin")]);
        assert!(by_number.is_admin);
        let by_lid = list(None, vec![member("990001@lid").attr("type", "superadmin")]);
        assert!(by_lid.is_admin);
    }

    #[test]
    fn another_members_rank_is_not_ours() {
        let group = list(None, vec![member("436601234567@s.whatsapp.net"), member("990002@lid").attr("type", "admin")]);
        assert!(!group.is_admin);
        assert_eq!(group.participants, 2);
    }

    #[test]
    fn a_large_group_counts_as_whatsapp_says() {
        assert_eq!(list(Some("900"), vec![member("990001@lid")]).participants, 900);
    }

    #[test]
    fn an_answer_without_a_list_is_not_an_empty_list() {
        let read = |children: Vec<wacore_binary::Node>| {
            let answer = NodeBuilder::new("iq").children(children).build();
            ListGroups { own: Vec::new() }.parse_response(&answer.as_node_ref()).ok()
        };
        assert_eq!(read(vec![]), None);
        assert_eq!(read(vec![NodeBuilder::new("mystery").build()]), None);
        assert_eq!(read(vec![NodeBuilder::new("groups").build()]), Some(Vec::new()));
    }
}
