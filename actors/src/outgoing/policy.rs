use std::time::Duration;

use crate::domain::Backoff;

/// Every duration and limit of what a connection sends. Values, so a test can choose them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingPolicy {
    /// Whether a message is sent again of which a former connection did not learn what came of
    /// it. If not it counts as failed, and may have arrived.
    pub sends_again: bool,
    /// Messages that one account has under way, each in a chat of its own.
    pub at_once: u16,
    /// How long the library may take to put a message on the wire. It waits 75 s for a query that
    /// is not answered.
    pub send_timeout: Duration,
    /// How long WhatsApp may take to acknowledge a message. After that nobody knows whether it has
    /// it, and only the same message on a new connection tells.
    pub ack_timeout: Duration,
    /// Tries of a message that WhatsApp never acknowledged, or that was not put on the wire.
    pub tries: u16,
    /// Tries of a message whose connections were lost each time before it was known what came of
    /// it.
    pub tries_in_all: u16,
    /// Tries of a message that none of the recipient's devices could be reached with.
    pub tries_unreached: u16,
    /// Tries of a message that WhatsApp was too busy to take.
    pub tries_busy: u16,
    /// The pauses before those.
    pub pause: Backoff,
    /// How long the pace is believed while the bell rings and there is no room by it.
    pub pace_kept: Duration,
    /// The pauses after a statement that failed.
    pub store_pause: Backoff,
    /// A statement whose answer was lost may be carried out this much later.
    pub late_statement: Duration,
}

impl Default for OutgoingPolicy {
    fn default() -> Self {
        Self {
            sends_again: true,
            at_once: 16,
            send_timeout: Duration::from_secs(30),
            ack_timeout: Duration::from_secs(60),
            tries: 5,
            tries_in_all: 20,
            tries_unreached: 3,
            tries_busy: 10,
            pause: Backoff::new(Duration::from_secs(5), Duration::from_mins(5)),
            pace_kept: Duration::from_secs(1),
            store_pause: Backoff::new(Duration::from_millis(250), Duration::from_secs(15)),
            late_statement: Duration::from_mins(1),
        }
    }
}
