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
    /// Whatever of the account is running is put back, whoever took it.
    PutsBackWithoutTaking,
    /// Keys are written whoever opened the keyring since.
    KeysWithoutEpoch,
    /// A deletion is over when no ticket is open, also if it is under way.
    TicketSettlesDeletion,
    /// A deletion is over when it opened no ticket, also if another is open.
    DeletionIgnoresTickets,
    /// A ticket's time is over when the daemon's clock says so, which is the host's.
    AbandonsByLocalClock,
    /// Whatever an actor was to do is forgotten when it loses the account.
    FenceDropsOrders,
    /// A lost lease is not told to who is leaving already.
    LeaversKeepTheirSockets,
    /// Commands that were taken are forgotten if those of no account cannot be failed.
    OrphansLoseCommands,
    /// Commands count as handed out before anybody has heard of them.
    HandsOutUnheard,
    /// Who drains already is not told that nobody is left.
    SecondDrainIsSilent,
    /// An account whose release was not answered goes on under the same fence.
    LostReleaseIsKept,
    /// What a drain writes does not say which drain it is of.
    LateDrains,
    /// A login is dialled without asking whose the account is.
    DialsUnasked,
    /// The same, and an expired lease is renewed as if it had not expired.
    RevivesUnseen,
    /// A change that is refused for good is tried for ever.
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

    /// What it breaks.
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
