//! The sandbox's addresses and answer times.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// The settings of a sandbox.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address of the WhatsApp side. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address of the admin API. Port 0 takes a free one.
    pub admin: SocketAddr,
    pub pace: Pace,
}

impl Default for Settings {
    fn default() -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen: anywhere, admin: anywhere, pace: Pace::default() }
    }
}

impl Settings {
    /// Fails unless both addresses are on loopback: the admin API, which commands
    /// the phones, and the server side accept every client.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, address) in [("listen", self.listen), ("admin", self.admin)] {
            ensure!(address.ip().is_loopback(), "{name} address {address} is not on loopback");
        }
        self.pace.check()
    }
}

/// The server's latencies. A double without any latency shows races that a
/// real server hides, so the defaults are not zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// From the handshake to the first stanza, in milliseconds.
    pub before_first_stanza_ms: u64,
    /// From the confirmed link to the 515, in milliseconds.
    pub before_restart_ms: u64,
    /// From the last stanza to the close of the socket, in milliseconds.
    pub before_close_ms: u64,
    /// Lifetime of a pairing socket without a scan, in milliseconds. A client
    /// shows its six refs for 60 + 5×20 s.
    pub unscanned_lifetime_ms: u64,
    /// How many refs a pairing socket gets.
    pub refs: u8,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            before_first_stanza_ms: 20,
            before_restart_ms: 100,
            before_close_ms: 100,
            unscanned_lifetime_ms: 160_000,
            refs: 6,
        }
    }
}

impl Pace {
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(self.refs > 0, "a pairing socket needs at least one ref");
        Ok(())
    }

    pub(crate) fn before_first_stanza(&self) -> Duration {
        Duration::from_millis(self.before_first_stanza_ms)
    }

    pub(crate) fn before_restart(&self) -> Duration {
        Duration::from_millis(self.before_restart_ms)
    }

    pub(crate) fn before_close(&self) -> Duration {
        Duration::from_millis(self.before_close_ms)
    }

    pub(crate) fn unscanned_lifetime(&self) -> Duration {
        Duration::from_millis(self.unscanned_lifetime_ms)
    }
}
