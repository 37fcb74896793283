use std::time::Duration;

/// Every duration and limit of a connection. Values, so a test can choose them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionPolicy {
    /// How long a wait for the turn may be for the keys to be used without asking again whose
    /// they are: well below the time in which another daemon could have taken them over.
    pub ownership_lasts: Duration,
    /// Codes that one connection asks for: WhatsApp throttles them per number.
    pub codes: u8,
    /// The library accepts no more tries at one code, and reports nothing about later ones.
    pub tries_per_code: u8,
    /// The library notices the end of a code's validity with a delay of up to this long.
    pub code_grace: Duration,
    /// How long the library may take to answer a pair-success; it verifies two signatures.
    pub answer_timeout: Duration,
    /// How long a scan is held for the owner's answer before it is refused.
    pub hold_timeout: Duration,
    /// How long the library may take to finish a pairing after the connection it was made
    /// on has ended. A login that starts earlier would be disturbed by it.
    pub pairing_timeout: Duration,
    /// WhatsApp asks for a new connection (515) within a second of a link. Without that the
    /// socket is replaced after this long.
    pub restart_timeout: Duration,
    /// Logins on one connection after a link was confirmed: the one that 515 asks for, and
    /// more should it fail.
    pub first_logins: u8,
    /// Once a reason to end was heard the library closes its socket within this time, or never.
    pub socket_end_timeout: Duration,
    /// How long an open connection may be quiet before it is pinged: longer than the library
    /// ever leaves it quiet, so that this costs something only while the library does not
    /// ping, which it does not as long as any query is unanswered.
    pub ping_every: Duration,
    /// How long after a frame, sent or received, something must have been understood, before
    /// it is asked for by a ping. The library counts any received byte as life: after one frame
    /// that it cannot decrypt it stays connected, and never hears anything again. And it takes
    /// 20 s without a byte for death, however healthy the connection is on which only one
    /// query is unanswered.
    pub frame_timeout: Duration,
    pub ping_timeout: Duration,
    /// Unanswered pings in a row after which a connection is lost.
    pub pings: u8,
    /// How long WhatsApp may deliver nothing after a login, and after each stanza that it delivers,
    /// until it has said that nothing more waits. It answers pings on a connection that it delivers
    /// nothing to, so pings do not find that out. WhatsApp says so after each login, with a count
    /// of 0 if nothing waited (`<ib><offline count=…/></ib>`: modules `client::node_io` and
    /// `handlers::ib` of whatsapp-rust 0.7.0; logs of whatsmeow show it for an empty queue).
    /// WhatsApp Web waits 60 s for it (`OFFLINE_STANZA_TIMEOUT_MS`, in `client::sessions`), and then
    /// goes on without. A backlog may take as long as it wants, if only it goes on.
    pub delivery_timeout: Duration,
    /// How long after a failed unlink the logout may take that proves the device gone:
    /// WhatsApp ends the stream of a removed device, which can overtake the answer.
    pub logout_timeout: Duration,
    /// How long closing may take altogether; then it is cut. No less than its three steps.
    pub close_timeout: Duration,
    /// First step of closing: the library writes what is left, up to 5 s each.
    pub disconnect_timeout: Duration,
    /// Second step: until the connection's tasks have stopped.
    pub tasks_timeout: Duration,
    /// Third step: until the last writes of the keys are durable.
    pub flush_timeout: Duration,
    /// How long the library may take to establish its socket before a code can be asked for.
    pub socket_timeout: Duration,
    /// How often the library is asked whether it has given up writing its keys: it does so
    /// silently, after ten failures in a row.
    pub writer_checked_every: Duration,
    /// How long a key change that no sent frame depends on may stay only in memory: longer
    /// than a first login takes to request what WhatsApp would send again.
    pub flush_after: Duration,
}

impl Default for ConnectionPolicy {
    fn default() -> Self {
        Self {
            ownership_lasts: Duration::from_secs(2),
            codes: 3,
            tries_per_code: 3,
            code_grace: Duration::from_secs(1),
            answer_timeout: Duration::from_secs(10),
            hold_timeout: Duration::from_secs(30),
            pairing_timeout: Duration::from_secs(3),
            restart_timeout: Duration::from_secs(10),
            first_logins: 3,
            socket_end_timeout: Duration::from_secs(5),
            ping_every: Duration::from_secs(35),
            frame_timeout: Duration::from_secs(3),
            ping_timeout: Duration::from_secs(10),
            pings: 2,
            delivery_timeout: Duration::from_secs(20),
            logout_timeout: Duration::from_secs(3),
            close_timeout: Duration::from_secs(16),
            disconnect_timeout: Duration::from_secs(12),
            tasks_timeout: Duration::from_secs(2),
            flush_timeout: Duration::from_secs(2),
            socket_timeout: Duration::from_secs(60),
            writer_checked_every: Duration::from_secs(30),
            flush_after: Duration::from_secs(15),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Policy;

    #[test]
    fn a_scan_is_held_longer_than_the_account_takes_to_decide() {
        assert!(ConnectionPolicy::default().hold_timeout > Policy::default().admission_timeout);
    }
}
