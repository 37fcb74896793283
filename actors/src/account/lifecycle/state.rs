use super::closing::AfterClose;
use super::input::CommandInput;
use crate::domain::{AccountRecord, CommandId, HoldCause, Instant, PasskeyStage, Phone, Secret};

/// The current state of an account. States are conditions, not actions; each one that waits
/// for something has a deadline.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nothing runs. Keys may be parked.
    Unpaired,
    /// In an attempt, between two sockets.
    Waiting { until: Instant },
    /// A pairing socket is being opened; no QR yet. It `begins` the attempt if that is all that
    /// the row says so far.
    Opening { begins: bool, until: Instant },
    /// A QR or a code is on the row.
    AwaitingScan { shown: Option<Secret>, until: Instant },
    /// WhatsApp wants a passkey; the operator answers. With `answered` an answer to
    /// this stage is on its way, or was taken.
    AwaitingPasskey { stage: PasskeyStage, answered: bool, until: Instant },
    /// The phone scanned; the link waits for our word, and that for the database's. `claimed`
    /// is the row if the number is the account's, here and below.
    Admitting { phone: Phone, claimed: Box<AccountRecord>, until: Instant },
    /// The link is confirmed, its keys durable; the first login is under way.
    Linking { until: Instant },
    /// Logged in, and the number has yet to be claimed.
    ClaimingNumber { phone: Phone, claimed: Box<AccountRecord>, is_trial: bool, until: Instant },
    /// Claiming the number again, before parked keys are used.
    Reclaiming { command: CommandInput, waiting: Vec<CommandInput>, claimed: Box<AccountRecord>, until: Instant },
    /// Logging in over a link that exists. A trial finds out whether WhatsApp still refuses the
    /// client, here and above: until it is over the row says `held`.
    Connecting { is_trial: bool, until: Instant },
    /// Logged in.
    Online { since: Instant, groups: Groups },
    /// Linked and offline; the next login is scheduled.
    Reconnecting { until: Instant },
    /// Linked, and not to be logged in before a person or the date says so.
    Held { cause: HoldCause, until: Option<Instant> },
    /// The connection is being closed; then what follows is recorded.
    ///
    /// Commands wait; with `leave` the machine leaves after that.
    Closing { after: Box<AfterClose>, waiting: Vec<CommandInput>, leave: bool, until: Instant },
    /// The account is deleted. Stays for a while, to answer commands that come too late.
    Deleted { until: Instant },
    /// Nothing more will come.
    Gone,
}

/// The fetching of groups: never in the way of being connected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups {
    /// When to fetch next; `None` if nothing is due.
    pub due: Option<Instant>,
    /// A fetch is under way; its answer is waited for until `due`.
    pub asked: bool,
    /// WhatsApp has reported a change since the last fetch began.
    pub changed: bool,
    /// Consecutive fetches that followed a reported change.
    pub rush: u32,
    pub failures: u32,
    /// The `groups.sync` that end with the next answer.
    pub commands: Vec<CommandId>,
}

/// The states, in groups: for what is alike in all of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecyclePhase {
    /// No connection exists.
    Resting,
    /// A pairing socket is open and no phone has scanned yet.
    Pairing,
    /// A phone scanned: there is a link, or there may be one.
    Linking,
    /// A connection over a link that is made.
    Linked,
    Closing,
    Gone,
}

impl State {
    pub fn phase(&self) -> LifecyclePhase {
        match self {
            Self::Unpaired
            | Self::Waiting { .. }
            | Self::Reclaiming { .. }
            | Self::Reconnecting { .. }
            | Self::Held { .. }
            | Self::Deleted { .. } => LifecyclePhase::Resting,
            Self::Opening { .. } | Self::AwaitingScan { .. } | Self::AwaitingPasskey { .. } => LifecyclePhase::Pairing,
            Self::Admitting { .. } | Self::Linking { .. } | Self::ClaimingNumber { .. } => LifecyclePhase::Linking,
            Self::Connecting { .. } | Self::Online { .. } => LifecyclePhase::Linked,
            Self::Closing { .. } => LifecyclePhase::Closing,
            Self::Gone => LifecyclePhase::Gone,
        }
    }

    /// A connection exists, or is being closed.
    pub fn has_session(&self) -> bool {
        match self.phase() {
            LifecyclePhase::Pairing | LifecyclePhase::Linking | LifecyclePhase::Linked | LifecyclePhase::Closing => {
                true
            }
            LifecyclePhase::Resting | LifecyclePhase::Gone => false,
        }
    }

    /// A pairing socket is open and no phone has scanned yet.
    pub fn awaits_phone(&self) -> bool {
        self.phase() == LifecyclePhase::Pairing
    }

    /// A pairing socket is open, and nothing is asked of the phone's owner yet.
    pub fn may_show(&self) -> bool {
        self.awaits_phone() && !matches!(self, Self::AwaitingPasskey { .. })
    }

    /// See [`State::Connecting`].
    pub(super) fn is_trial(&self) -> bool {
        matches!(self, Self::Connecting { is_trial: true, .. } | Self::ClaimingNumber { is_trial: true, .. })
    }

    /// The next moment at which something must happen. The attempt's own deadline limits every
    /// state before the link exists, and none after.
    pub fn deadline(&self, attempt: Option<Instant>) -> Option<Instant> {
        let by_attempt = |until: Instant| Some(attempt.map_or(until, |deadline| deadline.min(until)));
        match self {
            Self::Unpaired | Self::Gone => None,
            Self::Waiting { until }
            | Self::Opening { until, .. }
            | Self::AwaitingScan { until, .. }
            | Self::AwaitingPasskey { until, .. } => by_attempt(*until),
            Self::Admitting { until, .. }
            | Self::Linking { until }
            | Self::ClaimingNumber { until, .. }
            | Self::Reclaiming { until, .. }
            | Self::Connecting { until, .. }
            | Self::Reconnecting { until }
            | Self::Deleted { until }
            | Self::Closing { until, .. } => Some(*until),
            Self::Online { groups, .. } => groups.due,
            Self::Held { until, .. } => *until,
        }
    }

    /// For logs, admin messages and the diagram.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unpaired => "Unpaired",
            Self::Waiting { .. } => "Waiting",
            Self::Opening { .. } => "Opening",
            Self::AwaitingScan { .. } => "AwaitingScan",
            Self::AwaitingPasskey { .. } => "AwaitingPasskey",
            Self::Admitting { .. } => "Admitting",
            Self::Linking { .. } => "Linking",
            Self::ClaimingNumber { .. } => "ClaimingNumber",
            Self::Reclaiming { .. } => "Reclaiming",
            Self::Connecting { .. } => "Connecting",
            Self::Online { .. } => "Online",
            Self::Reconnecting { .. } => "Reconnecting",
            Self::Held { .. } => "Held",
            Self::Closing { .. } => "Closing",
            Self::Deleted { .. } => "Deleted",
            Self::Gone => "Gone",
        }
    }
}
