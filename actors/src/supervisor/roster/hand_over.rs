//! Handing an account to another daemon: its actors leave, then it is released.

use super::{Directive, Roster, Slot};
use crate::domain::{AccountId, Fence, Member, Owned, Taken, TicketId};

/// An account on its way to another daemon: it has left, or is leaving, its slots.
#[derive(Clone, Debug)]
pub(super) struct HandOver {
    fence: Fence,
    tickets: Vec<TicketId>,
    /// [`Directive::Release`] is out.
    releasing: bool,
    /// Commands that were taken for it meanwhile.
    pub(super) commands: Vec<Taken>,
}

impl Roster {
    pub(super) fn is_handed_over(&self, account: AccountId) -> bool {
        self.handing_over.contains_key(&account)
    }

    /// Whom to give up: the youngest, of those that nothing keeps here at the moment.
    pub(super) fn leavers<'a>(&self, owned: &'a [Owned], count: u32) -> Vec<&'a Owned> {
        let can_leave = |own: &&Owned| {
            let moves = |member| !matches!(self.slots.get(&member), Some(Slot::Starting { .. } | Slot::Leaving));
            own.movable
                && own.needs_daemon()
                && !self.is_handed_over(own.account)
                && moves(Member::Account(own.account))
                && own.tickets.iter().copied().map(Member::Ticket).all(moves)
        };
        owned.iter().rev().filter(can_leave).take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
    }

    /// Running → Leaving, BackingOff → (no slot): the account, and its tickets with it.
    pub(super) fn hand_over(&mut self, own: &Owned) -> Vec<Directive> {
        let hand_over =
            HandOver { fence: own.fence, tickets: own.tickets.clone(), releasing: false, commands: Vec::new() };
        self.handing_over.insert(own.account, hand_over);
        let mut directives = Vec::new();
        for member in
            std::iter::once(Member::Account(own.account)).chain(own.tickets.iter().copied().map(Member::Ticket))
        {
            match self.slots.get_mut(&member) {
                Some(slot @ Slot::Running { .. }) => {
                    *slot = Slot::Leaving;
                    directives.push(Directive::HandOver(member));
                }
                // Its commands are put back by the release.
                Some(Slot::BackingOff { .. }) => drop(self.slots.remove(&member)),
                Some(Slot::Starting { .. } | Slot::Leaving) | None => {}
            }
        }
        directives.extend(self.release_when_empty(own.account));
        directives
    }

    /// The account whose hand-over waits for this member.
    pub(super) fn handed_over_with(&self, member: Member) -> Option<AccountId> {
        match member {
            Member::Account(account) => self.is_handed_over(account).then_some(account),
            Member::Ticket(ticket) => {
                let mut leaving = self.handing_over.iter();
                leaving.find(|(_, hand_over)| hand_over.tickets.contains(&ticket)).map(|(account, _)| *account)
            }
        }
    }

    pub(super) fn release_when_empty(&mut self, account: AccountId) -> Option<Directive> {
        let slots = &self.slots;
        let hand_over = self.handing_over.get_mut(&account)?;
        let has_slot = |member| slots.contains_key(&member);
        let waits =
            has_slot(Member::Account(account)) || hand_over.tickets.iter().copied().map(Member::Ticket).any(has_slot);
        if waits || std::mem::replace(&mut hand_over.releasing, true) {
            return None;
        }
        Some(Directive::Release(account, hand_over.fence))
    }
}
