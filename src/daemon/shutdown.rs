//! Shutdown: its triggers and its order.

use std::{future::Future, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use super::Running;
use crate::systemd;

/// All of it takes ten seconds at most, as .deploy/README.md promises.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(7);
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
/// Until the end of this process has cut what did not close.
const CUT_TIMEOUT: Duration = Duration::from_secs(3);

/// SIGTERM or SIGINT, once.
pub struct Stop {
    terminate: Signal,
    interrupt: Signal,
    asked: bool,
}

impl Stop {
    /// # Errors
    /// The signals cannot be heard.
    pub fn on_signals() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt, asked: false })
    }

    /// Waits until a stop is requested; returns at once if it was.
    pub async fn asked(&mut self) {
        if self.asked {
            return;
        }
        tokio::select! {
            _ = self.terminate.recv() => info!("SIGTERM: stopping"),
            _ = self.interrupt.recv() => info!("SIGINT: stopping"),
        }
        self.asked = true;
        systemd::stopping();
    }

    /// What `doing` comes to, or `None` if the daemon is stopped first.
    pub async fn unless<T>(&mut self, doing: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            () = self.asked() => None,
            done = doing => Some(done),
        }
    }
}

/// First it stops claiming accounts. Then the accounts leave, so that their last events are
/// still written and sent. The lease ends last, so that no other daemon takes over an account
/// that is still connected here.
pub(super) async fn in_order(running: Running) {
    let Running { supervisor, listener, lease, outbox, console, pairing_page, probes, vitals } = running;
    vitals.stops();
    listener.stop();
    let closing = async {
        if let Some(page) = pairing_page {
            page.stop().await;
        }
        if let Some(console) = console {
            console.stop().await;
        }
    };
    let (announced, drained, ()) = tokio::join!(
        tokio::time::timeout(FLUSH_TIMEOUT, lease.drain(true)),
        tokio::time::timeout(DRAIN_TIMEOUT, supervisor.drain()),
        closing,
    );
    if !matches!(announced, Ok(Ok(_))) {
        warn!("failed to tell the other daemons about the shutdown");
    }
    let is_drained = drained.unwrap_or(false);
    if !is_drained {
        warn!("some accounts did not disconnect in time");
    }
    if tokio::time::timeout(FLUSH_TIMEOUT, outbox.stop()).await.is_err() {
        warn!("some events were not sent; they are when a daemon runs again");
    }
    let end = async { if is_drained { lease.release().await } else { lease.shorten(CUT_TIMEOUT).await } };
    match tokio::time::timeout(FLUSH_TIMEOUT, end).await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => warn!(%why, "the lease was not released; it will expire by itself"),
        Err(_) => warn!("the lease was not released in time; it will expire by itself"),
    }
    if let Some(probes) = probes {
        probes.stop().await;
    }
}
