//! The members of groups.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::STRANGERS;
use crate::phone::Naming;
use crate::world::State;

/// A group of simulated phones, all of which know of it and can write there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedGroup {
    pub subject: String,
    /// Their numbers; the first one is its admin.
    pub members: Vec<String>,
    /// By which name it calls them.
    #[serde(default)]
    pub naming: Naming,
}

/// The number of the nth stranger in groups.
pub(crate) fn stranger(nth: u32) -> String {
    format!("{STRANGERS}{nth:08}")
}

impl State {
    pub(crate) fn set_shared_group(&mut self, jid: &str, group: SharedGroup) -> Result<()> {
        ensure!(crate::world::is_group_jid(jid), "{jid:?} is no group jid");
        for member in &group.members {
            self.phone(member)?;
        }
        self.groups.insert(jid.to_owned(), group);
        Ok(())
    }

    /// The numbers of all who are in a group, and how it calls them.
    pub(crate) fn members_of(&self, jid: &str) -> Option<(Vec<String>, Naming)> {
        if let Some(group) = self.groups.get(jid) {
            return Some((group.members.clone(), group.naming));
        }
        let mut all = self.phones.values().flat_map(|phone| phone.groups.iter().map(move |group| (phone, group)));
        let (phone, group) = all.find(|(_, group)| group.jid == jid)?;
        let members = std::iter::once(phone.number.clone()).chain((1..group.participants).map(stranger));
        Some((members.collect(), if group.by_lid { Naming::Lid } else { Naming::Number }))
    }

    /// Strangers in a phone's groups are found by their LIDs, too.
    pub(crate) fn learn_strangers(&mut self, up_to: u32) {
        for nth in self.strangers_known..up_to {
            self.learn_number(&stranger(nth));
        }
        self.strangers_known = self.strangers_known.max(up_to);
    }
}
