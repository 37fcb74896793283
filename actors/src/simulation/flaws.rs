//! Faults that the core had, each to be brought back: a simulation that does not see one of
//! them proves nothing about it.

use super::referee::Rule;

/// One finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A change knows itself when it comes again, and not what it follows.
    ForgetsPredecessor,
    /// A lease that was lost is live again, and the fences are as they were.
    LapseWithoutFences,
    /// All running commands of the account are put back, even if another daemon took them.
    PutsBackWithoutTaking,
    /// Keys are written even if the keyring was opened again since.
    KeysWithoutEpoch,
    /// A deletion is over when no ticket is open, also if it is under way.
    TicketSettlesDeletion,
    /// A deletion is over when it opened no ticket, also if another is open.
    DeletionIgnoresTickets,
    /// A ticket's time is over when the daemon's clock says so, which is the host's.
    AbandonsByLocalClock,
    /// All orders of an actor are dropped when it loses the account.
    FenceDropsOrders,
    /// Members that are already leaving are not told of a lost lease.
    LeaversKeepTheirSockets,
    /// Commands that were taken are forgotten if those of no account cannot be failed.
    OrphansLoseCommands,
    /// Commands count as delivered before the daemon has received them.
    HandsOutUnheard,
    /// A second drain gets no answer when no actor is left.
    SecondDrainIsSilent,
    /// An account whose release was not answered goes on under the same fence.
    LostReleaseIsKept,
    /// A drain's writes do not name their drain.
    LateDrains,
    /// A login is dialled without asking whose the account is.
    DialsUnasked,
    /// The same, and an expired lease is renewed as if it had not expired.
    RevivesUnseen,
    /// A permanently refused change is retried without end.
    RefusedIsTriedForEver,
    /// A link is confirmed by a daemon that stood still since its keys were durable.
    ConfirmsUnleased,
}

impl Flaw {
    pub const ALL: [Self; 18] = [
        Self::ForgetsPredecessor,
        Self::LapseWithoutFences,
        Self::PutsBackWithoutTaking,
        Self::KeysWithoutEpoch,
        Self::TicketSettlesDeletion,
        Self::DeletionIgnoresTickets,
        Self::AbandonsByLocalClock,
        Self::FenceDropsOrders,
        Self::LeaversKeepTheirSockets,
        Self::OrphansLoseCommands,
        Self::HandsOutUnheard,
        Self::SecondDrainIsSilent,
        Self::LostReleaseIsKept,
        Self::LateDrains,
        Self::RevivesUnseen,
        Self::DialsUnasked,
        Self::RefusedIsTriedForEver,
        Self::ConfirmsUnleased,
    ];

    /// The rule that it breaks.
    pub fn breaks(self) -> Rule {
        match self {
            Self::ForgetsPredecessor => Rule::CommandsFailOnce,
            Self::LapseWithoutFences => Rule::FencesGrow,
            Self::PutsBackWithoutTaking | Self::HandsOutUnheard => Rule::CommandsAreDeliveredOnce,
            Self::KeysWithoutEpoch => Rule::KeysNeverGoBack,
            Self::TicketSettlesDeletion => Rule::RowsFollowTheirChanges,
            Self::DeletionIgnoresTickets => Rule::DeletedSaysWhatIsPending,
            Self::AbandonsByLocalClock => Rule::KeysAreErasedOnAWord,
            Self::FenceDropsOrders | Self::OrphansLoseCommands | Self::RefusedIsTriedForEver => Rule::AllIsWell,
            Self::SecondDrainIsSilent => Rule::DrainsEnd,
            Self::LeaversKeepTheirSockets | Self::LostReleaseIsKept | Self::LateDrains => Rule::NobodyFights,
            Self::DialsUnasked | Self::RevivesUnseen => Rule::OwnersDial,
            Self::ConfirmsUnleased => Rule::OwnersConfirm,
        }
    }
}
