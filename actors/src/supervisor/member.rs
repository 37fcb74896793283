use crate::{account::handle::AccountHandle, unlink::handle::UnlinkHandle};

/// The handle by which the supervisor tells a running actor to leave.
pub(super) enum MemberHandle {
    Account(AccountHandle),
    Ticket(UnlinkHandle),
}

impl MemberHandle {
    /// If it is one.
    pub(super) fn account(&self) -> Option<&AccountHandle> {
        match self {
            Self::Account(account) => Some(account),
            Self::Ticket(_) => None,
        }
    }

    pub(super) fn drain(&self) {
        match self {
            Self::Account(account) => account.drain(),
            Self::Ticket(ticket) => ticket.leave(),
        }
    }

    pub(super) fn hand_over(&self) {
        match self {
            Self::Account(account) => account.hand_over(),
            Self::Ticket(ticket) => ticket.leave(),
        }
    }

    pub(super) fn fence_off(&self) {
        match self {
            Self::Account(account) => account.fence_off(),
            Self::Ticket(ticket) => ticket.fence_off(),
        }
    }
}
