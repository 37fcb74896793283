//! Faults that the core had, each to be brought back: a simulation that does not see one of
//! them proves nothing about it. Those of messages break one rule about them each.

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
    /// A message is encrypted with another secret by each try.
    SecretsOfTries,
    /// A message goes under another id by each try.
    IdsOfTries,
    /// A key that there is makes another message.
    KeysMakeTwo,
    /// What came of a message is written even if that was known.
    SettlesAgain,
    /// Messages of a chat are taken while one is under way.
    TakesBusyChats,
    /// A message that is to be tried again does not hold up its chat.
    TakesOutOfOrder,
    /// A connection sends as soon as it is logged in.
    SendsUnread,
    /// A message counts as sent when it has left.
    SentWhenLeft,
    /// A message is cancelled even if a connection has taken it.
    CancelsWhatIsSending,
    /// What a former connection has taken is left there.
    LeavesBehind,
    /// A connection takes messages even if another has followed it.
    TakesOvertaken,
    /// A connection does not know that a message may have arrived by a former one, so it gives that
    /// back to the queue.
    ForgetsFormerTries,
}

impl Flaw {
    pub const ALL: [Self; 30] = [
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
        Self::SecretsOfTries,
        Self::IdsOfTries,
        Self::KeysMakeTwo,
        Self::SettlesAgain,
        Self::TakesBusyChats,
        Self::TakesOutOfOrder,
        Self::SendsUnread,
        Self::SentWhenLeft,
        Self::CancelsWhatIsSending,
        Self::LeavesBehind,
        Self::TakesOvertaken,
        Self::ForgetsFormerTries,
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
            Self::SecretsOfTries => Rule::IdsHaveOneContent,
            Self::IdsOfTries => Rule::ShownOnce,
            Self::KeysMakeTwo => Rule::KeysMakeOneMessage,
            Self::SettlesAgain => Rule::MessagesGoForward,
            Self::ForgetsFormerTries => Rule::FailuresAreTrue,
            Self::TakesBusyChats => Rule::OneUnderWayInAChat,
            Self::TakesOutOfOrder => Rule::ChatsKeepTheirOrder,
            Self::SendsUnread => Rule::NothingLeavesUnread,
            Self::SentWhenLeft => Rule::SentIsAcknowledged,
            Self::CancelsWhatIsSending => Rule::CancelWinsOrLoses,
            Self::LeavesBehind => Rule::AllIsWell,
            Self::TakesOvertaken => Rule::LaterConnectionsTake,
        }
    }
}
