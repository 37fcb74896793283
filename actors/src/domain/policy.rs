use std::time::Duration;

use super::Backoff;

/// The way in which an unwanted link is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuse {
    /// On the wire, before the phone lists the device.
    BeforeLink,
    /// Let the link finish, then unlink it, confirmed: for servers that do not
    /// forgive an unanswered pair-success.
    AfterLink,
}

/// The settings that decide what a machine does. Values, so a test can choose them.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How long an attempt may take (`PAIRD_PAIR_TIMEOUT`).
    pub pair_timeout: Duration,
    /// A `pending` row older than this is parked at start, even before its deadline
    /// (`PAIRD_PENDING_MAX_AGE`).
    pub pending_max_age: Duration,
    pub refuse: Refuse,
    /// How long a login may wait for its turn before it is given up and retried. Only a
    /// backstop: the rate limiter serves every account in time.
    pub turn_timeout: Duration,
    /// How long opening a connection may take from its turn on, until it is given up and retried.
    pub open_timeout: Duration,
    /// How long the database may take to answer the admission question before the link is refused.
    pub admission_timeout: Duration,
    /// How long a confirmed link may take until its first login, before the login is retried.
    pub link_timeout: Duration,
    /// A QR or a code that is not followed by another this long after it expired: the socket
    /// is silent.
    pub qr_silence: Duration,
    /// Wait before a pairing socket is reopened after a failure on our side, jittered.
    pub socket_retry: Duration,
    /// How long an operator has for a step of a passkey, at most, before the socket is given up.
    pub passkey_timeout: Duration,
    /// How long closing a connection may take; the client needs up to 5 s a step.
    pub close_timeout: Duration,
    /// First wait before a reconnect; doubles each time, up to `backoff_cap`.
    pub backoff_base: Duration,
    pub backoff_cap: Duration,
    /// Being connected this long resets the backoff; a pairing socket that lasted this
    /// long did not fail.
    pub stable_after: Duration,
    /// How long a move from one daemon to another may take before `session.disconnected` is
    /// published.
    pub move_timeout: Duration,
    /// How long the actor of a deleted account waits for commands that come too late. In that
    /// time a deletion is not settled, even if its last ticket has been closed meanwhile.
    pub late_commands: Duration,
    /// First wait before an account whose client was refused as outdated tries again; doubles
    /// each time, up to `outdated_cap`. While the refusals last only a few are let through,
    /// see [`crate::connection::Outage`]: the cap is how long they are over before all are back.
    pub outdated_retry: Duration,
    pub outdated_cap: Duration,
    /// Groups are fetched this long after login, at most (jittered).
    pub groups_delay: Duration,
    /// Groups are fetched again this long after they were (`PAIRD_GROUPS_REFRESH`), jittered.
    pub groups_refresh: Duration,
    /// Groups are fetched this long after WhatsApp reports a change, so that a burst of changes is
    /// one fetch. Doubles while changes continue, up to `groups_settle_cap`.
    pub groups_settle: Duration,
    pub groups_settle_cap: Duration,
    /// Wait before a failed group fetch is tried again; doubles each time.
    pub groups_retry: Duration,
    /// After this the groups are not coming; WhatsApp may take 75 s.
    pub groups_timeout: Duration,
    /// How long a command that needs a connection waits for one that is being made.
    pub request_wait: Duration,
    /// How long what is asked of a connection may take; WhatsApp may take 75 s for a query.
    pub request_timeout: Duration,
    /// Typing is shown this long after it was asked for at the latest, by the time of the row.
    pub typing_lifetime: Duration,
    /// Commands that wait for a connection, or for each other, at most.
    pub requests_at_once: usize,
    /// How long WhatsApp's answer to the removal of a device may take (`PAIRD_UNLINK_TIMEOUT`).
    pub unlink_timeout: Duration,
    /// Between two tries of a write that the database did not take.
    pub write_retry: Backoff,
}

impl Policy {
    /// Between two tries with a client that WhatsApp refuses.
    pub fn outdated(&self) -> Backoff {
        Backoff::new(self.outdated_retry, self.outdated_cap)
    }

    /// Between a reported change of the groups and the fetch.
    pub fn groups_settle(&self) -> Backoff {
        Backoff::new(self.groups_settle, self.groups_settle_cap)
    }

    /// Between two reconnects.
    pub fn backoff(&self) -> Backoff {
        Backoff::new(self.backoff_base, self.backoff_cap)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            pair_timeout: Duration::from_secs(300),
            pending_max_age: Duration::from_secs(3600),
            refuse: Refuse::BeforeLink,
            turn_timeout: Duration::from_secs(1800),
            open_timeout: Duration::from_secs(30),
            admission_timeout: Duration::from_secs(15),
            link_timeout: Duration::from_secs(40),
            qr_silence: Duration::from_secs(30),
            socket_retry: Duration::from_secs(2),
            passkey_timeout: Duration::from_secs(180),
            close_timeout: Duration::from_secs(20),
            backoff_base: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(900),
            stable_after: Duration::from_secs(60),
            move_timeout: Duration::from_secs(15),
            late_commands: Duration::from_secs(1),
            outdated_retry: Duration::from_secs(60),
            outdated_cap: Duration::from_secs(600),
            groups_delay: Duration::from_secs(3),
            groups_refresh: Duration::from_secs(6 * 3600),
            groups_settle: Duration::from_secs(10),
            groups_settle_cap: Duration::from_secs(1800),
            groups_retry: Duration::from_secs(30),
            groups_timeout: Duration::from_secs(90),
            request_wait: Duration::from_secs(60),
            request_timeout: Duration::from_secs(30),
            typing_lifetime: Duration::from_secs(10),
            requests_at_once: 256,
            unlink_timeout: Duration::from_secs(45),
            write_retry: Backoff::new(Duration::from_millis(250), Duration::from_secs(1)),
        }
    }
}
