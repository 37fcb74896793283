//! The life of one connection, from the first dial to the last word.

use std::{
    convert::Infallible,
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::FutureExt;
use paird_actors::{domain::CloseReason, ports::SessionEvent};
use tokio_util::sync::CancellationToken;
use wacore::{iq::keepalive::KeepaliveSpec, store::commands::DeviceCommand};
use whatsapp_rust::{Client, NodeFilter, http::HttpClient, request::IqError};

use super::{
    admission::Gate,
    close::Signs,
    ear::Ear,
    keys::LinkKeys,
    pace::{Budget, Errand},
    runtime::SessionRuntime,
    transport::Way,
    version::Versions,
    voice::Voice,
};

/// Logins after a confirmed link, on the same client: the one that 515 asks for,
/// and two more should the first not come about.
const FIRST_LOGINS: u8 = 3;
/// The library notes a pairing's end at most this long after its answer left.
const PAIRED_PATIENCE: Duration = Duration::from_secs(3);
/// WhatsApp sends 515 within a second of the confirmation; without it the login
/// is tried all the same.
const RESTART_PATIENCE: Duration = Duration::from_secs(10);
/// After a reason to end was heard the library closes by itself, or never.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
/// After ten failed writes in a row the library writes no more, and tells nobody.
const SAVER_CHECKED_EVERY: Duration = Duration::from_secs(30);
/// How long a write that nothing is sent upon may be in memory alone: longer than a first
/// login takes to ask for what WhatsApp would tell again.
const SETTLED_WITHIN: Duration = Duration::from_secs(15);
/// `disconnect` writes what is left: up to 5 s a step.
const DISCONNECT_PATIENCE: Duration = Duration::from_secs(12);
const TASKS_PATIENCE: Duration = Duration::from_secs(2);
const SETTLE_PATIENCE: Duration = Duration::from_secs(2);

/// Where the version is looked up.
const VERSION_HOST: &str = "web.whatsapp.com";

/// All that one connection is made of.
pub(super) struct Life {
    pub(super) client: Arc<Client>,
    pub(super) ear: Arc<Ear>,
    pub(super) voice: Arc<Voice>,
    pub(super) gate: Arc<Gate>,
    pub(super) signs: Arc<Signs>,
    pub(super) keys: Arc<dyn LinkKeys>,
    pub(super) way: Arc<Way>,
    pub(super) http: Arc<dyn HttpClient>,
    pub(super) versions: Arc<Versions>,
    pub(super) runtime: SessionRuntime,
    pub(super) probe: Probe,
    pub(super) budget: Arc<Budget>,
    pub(super) errand: Errand,
    /// The owner wants it closed.
    pub(super) stop: CancellationToken,
}

/// The proof that a connection still hears: an IQ that must be answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    pub(super) every: Duration,
    pub(super) patience: Duration,
}

impl Default for Probe {
    /// The library's own keepalive counts any received byte as life: after one
    /// undecryptable frame it stays connected, and deaf.
    fn default() -> Self {
        Self { every: Duration::from_secs(90), patience: Duration::from_secs(20) }
    }
}

impl Drop for Life {
    /// A life that was cut short, by a panic in the library, has had no last word.
    fn drop(&mut self) {
        self.runtime.cut();
        self.voice.end(CloseReason::SocketLost("the connection's task stopped".to_owned()));
    }
}

impl Life {
    /// Lives until it ends or is stopped, takes everything down, and only then
    /// says why: whoever hears the end may use the keys at once.
    pub(super) async fn live(self) {
        let subscription = self.client.subscribe(Ear::interest(), self.ear.clone());
        let reason = self.stop.run_until_cancelled(self.run_to_the_end()).await;
        // The QR rotation would go on talking.
        drop(subscription);
        self.take_down().await;
        if let Some(reason) = reason {
            tracing::debug!(incarnation = %self.voice.incarnation(), reason = reason.code(), "connection ended");
            self.voice.end(reason);
        }
    }

    async fn run_to_the_end(&self) -> CloseReason {
        // Once: a login that 515 asks for belongs to the link, and a phone waits for it.
        self.budget.turn(self.errand).await;
        self.voice.say(SessionEvent::Dialing);
        let mut first_logins = 0;
        loop {
            let reason = self.run_once().await;
            let linked = self.gate.is_linked() && !self.ear.is_open();
            if !linked || first_logins == FIRST_LOGINS || !is_a_step(&reason) {
                return reason;
            }
            first_logins += 1;
            // Its last act after the answer is to flag an expected disconnect:
            // on the next connection that would end the login.
            let _ = tokio::time::timeout(PAIRED_PATIENCE, self.ear.paired()).await;
        }
    }

    async fn run_once(&self) -> CloseReason {
        self.signs.start();
        if let Way::Barred(reason) = &*self.way {
            return reason.clone();
        }
        let version = match self.versions.current(&self.http, matches!(*self.way, Way::Direct)).await {
            Ok(version) => version,
            Err(reason) => return self.no_version(reason).await,
        };
        // Counts as just fetched: the library will not ask by itself.
        self.client.persistence_manager().process_command(DeviceCommand::SetAppVersion(version)).await;
        // Off, or a failed connect is retried in silence for ever.
        self.client.enable_auto_reconnect.store(false, Ordering::Relaxed);
        self.ear.prick_up(&self.client);
        if !self.gate.is_linked() {
            self.ear.ask_for_code(&self.client);
        }

        let (run, stream_error) = (self.client.run(), self.stream_error());
        tokio::pin!(run, stream_error);
        tokio::select! {
            () = &mut stream_error => end_of(run).await,
            () = self.signs.told() => end_of(run).await,
            () = self.restart_overdue() => {
                self.client.reconnect_immediately().await;
                end_of(run).await;
            }
            reason = self.deafness() => self.signs.say(reason),
            reason = self.keys_failed() => self.signs.say(reason),
            never = self.settling() => match never {},
            () = &mut run => {
                // The stanza that ended it may have come just now.
                let _ = stream_error.now_or_never();
            }
        }
        if self.gate.is_shut() {
            return CloseReason::SocketLost("the link was refused".to_owned());
        }
        let reason = self.signs.reason();
        if matches!(reason, CloseReason::ClientOutdated(_)) {
            self.versions.outdated(version).await;
        }
        reason
    }

    /// A lookup does not say whether it was the proxy's fault; the proxy does.
    async fn no_version(&self, reason: String) -> CloseReason {
        match &*self.way {
            Way::Through(proxy) => match proxy.reach(VERSION_HOST, 443).await {
                Ok(_) => CloseReason::Unreachable(reason),
                Err(proxys) => proxys,
            },
            Way::Direct | Way::Barred(_) => CloseReason::Unreachable(reason),
        }
    }

    /// Waits for a `<stream:error>` that ends the stream: one with a code. Most
    /// have no event, and 503 leaves the socket open.
    async fn stream_error(&self) {
        loop {
            match self.client.wait_for_node(NodeFilter::tag("stream:error")).await {
                Ok(node) => {
                    let code = node.get().attrs().optional_string("code").map(|code| code.to_string());
                    if let Some(code) = code.filter(|code| !code.is_empty()) {
                        return self.signs.stream_error(&code);
                    }
                }
                Err(_) => std::future::pending::<()>().await,
            }
        }
    }

    /// Waits until a link that was confirmed should long have been restarted by 515.
    async fn restart_overdue(&self) {
        if self.gate.is_linked() {
            // This run is the login already.
            std::future::pending::<()>().await;
        }
        self.ear.paired().await;
        tokio::time::sleep(RESTART_PATIENCE).await;
    }

    /// Waits until the keys cannot be written any more: what the other side believes
    /// to be stored must be.
    async fn keys_failed(&self) -> CloseReason {
        let halted = async {
            while !self.client.persistence_manager().is_saver_halted() {
                tokio::time::sleep(SAVER_CHECKED_EVERY).await;
            }
        };
        let reason = tokio::select! {
            failure = self.keys.failed() => failure.to_string(),
            () = halted => "the keys could not be written ten times in a row".to_owned(),
        };
        CloseReason::StoreFailed(reason)
    }

    /// What fails is tried again, and in the end told by [`Self::keys_failed`].
    async fn settling(&self) -> Infallible {
        loop {
            self.keys.until_pending().await;
            tokio::time::sleep(SETTLED_WITHIN).await;
            let _ = self.keys.flush().await;
        }
    }

    /// Waits until an open connection proves deaf.
    async fn deafness(&self) -> CloseReason {
        loop {
            tokio::time::sleep(self.probe.every).await;
            if self.ear.is_open() && !self.answers().await && !self.answers().await {
                return CloseReason::SocketLost("two pings in a row were not answered".to_owned());
            }
        }
    }

    async fn answers(&self) -> bool {
        match self.client.execute(KeepaliveSpec::with_timeout(self.probe.patience)).await {
            // An error is an answer.
            Ok(()) | Err(IqError::ServerError { .. }) => true,
            Err(_) => false,
        }
    }

    async fn take_down(&self) {
        // A held frame would wait for its answer.
        self.gate.refuse_held();
        if tokio::time::timeout(DISCONNECT_PATIENCE, self.client.disconnect()).await.is_err() {
            tracing::warn!(incarnation = %self.voice.incarnation(), "the connection did not close in time and was cut");
        }
        if !self.runtime.end(TASKS_PATIENCE).await {
            tracing::warn!(incarnation = %self.voice.incarnation(), "a task of the connection did not end in time");
        }
        // What is lost here nothing was sent upon.
        let _ = tokio::time::timeout(SETTLE_PATIENCE, self.keys.flush()).await;
    }
}

/// The end that was announced, or as much of it as the library brings about.
async fn end_of(run: impl Future<Output = ()>) {
    let _ = tokio::time::timeout(CLOSE_PATIENCE, run).await;
}

/// Whether a run between a confirmed link and its first login may end like this:
/// 515 always, and anything else that a login at once may mend.
fn is_a_step(reason: &CloseReason) -> bool {
    match reason {
        CloseReason::RestartRequired
        | CloseReason::SocketLost(_)
        | CloseReason::Unreachable(_)
        | CloseReason::ProxyUnreachable(_)
        | CloseReason::ProxyRefused(_)
        | CloseReason::ServerBusy(_) => true,
        CloseReason::RateLimited(_)
        | CloseReason::LoggedOut(_)
        | CloseReason::Replaced(_)
        | CloseReason::TemporaryBan { .. }
        | CloseReason::Banned(_)
        | CloseReason::ClientOutdated(_)
        | CloseReason::QrExhausted
        | CloseReason::ProxyAuth(_)
        | CloseReason::ProxyInvalid(_)
        | CloseReason::Refused(_)
        | CloseReason::StoreFailed(_)
        | CloseReason::KeysUnusable(_) => false,
    }
}
