use super::input::ScanId;
use crate::domain::{CloseReason, Instant};

/// The current state of a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Waits for its turn to connect.
    Queued,
    /// A socket is being dialed; nothing was heard on it yet. Its deadline is the owner's.
    Dialing,
    /// Nothing is linked, and no phone has scanned.
    Pairing,
    /// A phone scanned: every outgoing frame waits.
    Held(Hold),
    /// The link was confirmed, on this socket. At `restart_at` it is closed for the login.
    Confirmed { restart_at: Option<Instant> },
    /// Between two sockets: the library is still at work on the pairing.
    Restarting { until: Instant },
    /// A device that is linked logs in. Its deadline is the owner's.
    LoggingIn,
    /// Logged in.
    Open(Ping),
    /// A reason to end the socket was heard; the library closes it, or it is dropped.
    Ending { until: Instant },
    /// Everything is being taken down. `reason` is reported after it; with none, the
    /// owner has asked for it and hears nothing.
    Closing { reason: Option<CloseReason>, until: Instant },
    /// Nothing of the connection is left.
    Ended,
}

/// A scan that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub scan: ScanId,
    pub device_jid: String,
    pub(super) stage: HoldStage,
    /// Then it is refused.
    pub until: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HoldStage {
    /// The library builds its answer: a confirmation, or an error.
    Answering(crate::domain::Phone),
    /// The answer is a confirmation, and its owner knows of the scan.
    Asked { keys_durable: bool },
}

/// The proof that an open connection still hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ping {
    /// The next one is due.
    Due(Instant),
    /// The `nth` is unanswered, as `missed` were before it.
    Sent { nth: u32, missed: u8, until: Instant },
}

/// Whether an outgoing frame may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frames {
    Pass,
    /// Until a scan has its answer.
    Wait,
    /// Never again.
    Block,
}

impl State {
    /// A socket exists, or is being dialed.
    pub fn has_run(&self) -> bool {
        match self {
            Self::Dialing
            | Self::Pairing
            | Self::Held(_)
            | Self::Confirmed { .. }
            | Self::LoggingIn
            | Self::Open(_)
            | Self::Ending { .. } => true,
            Self::Queued | Self::Restarting { .. } | Self::Closing { .. } | Self::Ended => false,
        }
    }

    /// Nothing more can come of it.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Closing { .. } | Self::Ended)
    }

    /// For logs and the diagram.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Dialing => "Dialing",
            Self::Pairing => "Pairing",
            Self::Held(_) => "Held",
            Self::Confirmed { .. } => "Confirmed",
            Self::Restarting { .. } => "Restarting",
            Self::LoggingIn => "LoggingIn",
            Self::Open(_) => "Open",
            Self::Ending { .. } => "Ending",
            Self::Closing { .. } => "Closing",
            Self::Ended => "Ended",
        }
    }
}
