//! WhatsApp's list of groups, as the account's row keeps it.

use paird_actors::domain::Group;
use wacore::iq::groups::GroupInfoResponse;
use wacore_binary::Jid;

/// One group of the list. `own` are the account's addresses, by number and by
/// LID: a group lists its members by either.
pub(super) fn group(listed: &GroupInfoResponse, own: &[Jid]) -> Group {
    let is_admin = listed.participants.iter().filter(|member| member.participant_type.is_admin()).any(|member| {
        own.iter().any(|own| is_member(own, [Some(&member.jid), member.phone_number.as_ref(), member.lid.as_ref()]))
    });
    let named = u32::try_from(listed.participants.len()).unwrap_or(u32::MAX);
    Group {
        jid: listed.id.to_string(),
        subject: listed.subject.as_str().to_owned(),
        // A large group lists only some of its members, and says how many there are.
        participants: listed.size.unwrap_or(named).max(named),
        is_admin,
    }
}

fn is_member(own: &Jid, member: [Option<&Jid>; 3]) -> bool {
    member.into_iter().flatten().any(|jid| jid.user == own.user && jid.server == own.server)
}

#[cfg(test)]
mod tests {
    use wacore::iq::{groups::GroupParticipatingIq, spec::IqSpec};
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
        let listed = GroupParticipatingIq::new().parse_response(&answer.as_node_ref()).unwrap();
        let own: [Jid; 2] = ["436601234567:3@s.whatsapp.net".parse().unwrap(), "990001:3@lid".parse().unwrap()];
        group(&listed.groups[0], &own)
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
}
