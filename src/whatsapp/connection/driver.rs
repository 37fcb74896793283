//! Runs one connection, from its turn to dial until nothing of it is left.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
};

use futures_util::FutureExt;
use paird_actors::{
    connection::{Input, Leave, LibraryEvent, Outcome},
    domain::CloseReason,
};
use tokio::sync::mpsc::Receiver;
use wacore::store::commands::DeviceCommand;
use whatsapp_rust::{Client, NodeFilter, http::HttpClient};

use super::{
    super::{
        dialer::Route,
        keys::LinkKeys,
        rate_limiter::{Asker, Priority, RateLimiter},
        version::{Versions, WebVersion},
    },
    Courier, CourierEvents, DriverTask, EventHandler, Inbox, Mail, OddStanzas, PresenceKeeper, Shell, close_reason,
};

/// The host of the version lookup.
const VERSION_HOST: &str = "web.whatsapp.com";

/// Carries out the slow work of a connection, one item at a time, as its machine orders.
pub(in crate::whatsapp) struct Driver {
    pub(in crate::whatsapp) client: Arc<Client>,
    pub(in crate::whatsapp) shell: Arc<Shell>,
    pub(in crate::whatsapp) keys: Arc<dyn LinkKeys>,
    pub(in crate::whatsapp) route: Arc<Route>,
    pub(in crate::whatsapp) http: Arc<dyn HttpClient>,
    pub(in crate::whatsapp) versions: Arc<Versions>,
    pub(in crate::whatsapp) limiter: Arc<RateLimiter>,
    pub(in crate::whatsapp) priority: Priority,
    pub(in crate::whatsapp) asker: Asker,
    pub(in crate::whatsapp) presence: Arc<PresenceKeeper>,
    pub(in crate::whatsapp) odd: Arc<OddStanzas>,
    /// None if messages are neither written nor sent.
    pub(in crate::whatsapp) mail: Option<Mail>,
}

/// The work that has ended.
enum Done {
    /// The version to claim is known: the library can run.
    Version(WebVersion),
    Outcome(Outcome),
}

type UnderWay<'a> = Pin<Box<dyn Future<Output = Done> + Send + 'a>>;

/// A driver that stopped early, by a panic in the library, has reported no end.
struct StopGuard(Arc<Shell>);

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.0.feed_outcome(Outcome::ShellStopped);
    }
}

impl Driver {
    /// Returns when the connection has ended, or was cut.
    pub(super) async fn run(self, mut orders: Receiver<DriverTask>) {
        let _stopped = StopGuard(Arc::clone(&self.shell));
        self.shell.cut_token().run_until_cancelled(self.drive(&mut orders)).await;
    }

    async fn drive(&self, orders: &mut Receiver<DriverTask>) {
        let handler = Arc::new(EventHandler::new(
            Arc::clone(&self.shell),
            Arc::clone(&self.presence),
            Arc::clone(&self.odd),
            Arc::clone(&self.versions),
        ));
        let subscription = self.client.subscribe(EventHandler::interest(), handler);
        // Kept until nothing more is sent: messages may be acknowledged while the connection is
        // taken down.
        let _reading = self.mail.clone().map(|Mail { inbox, courier, .. }| {
            let sending = self.client.subscribe(Courier::interest(), Arc::new(CourierEvents(courier)));
            (self.client.subscribe(Inbox::interest(), inbox), sending)
        });
        self.work_until_close(orders).await;
        // The QR rotation would go on reporting.
        drop(subscription);
        tokio::select! {
            () = self.take_down() => self.shell.feed_outcome(Outcome::TakenDown),
            never = self.shell.deadlines() => match never {},
        }
    }

    async fn work_until_close(&self, orders: &mut Receiver<DriverTask>) {
        let mut under_way: UnderWay<'_> = Box::pin(std::future::pending());
        let mut version = None;
        let (deadlines, keys, mail) = (self.shell.deadlines(), self.keep_keys_durable(), self.work_on_mail());
        tokio::pin!(deadlines, keys, mail);
        loop {
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(DriverTask::AwaitTurn) => under_way = Box::pin(self.await_turn()),
                    Some(DriverTask::Run) => under_way = Box::pin(self.find_version()),
                    Some(DriverTask::StopRun) => under_way = Box::pin(std::future::pending()),
                    Some(DriverTask::ReportOutdated) => {
                        if let Some(version) = version {
                            self.versions.outdated(version).await;
                        }
                    }
                    Some(DriverTask::TakeDown) | None => return,
                },
                done = &mut under_way => match done {
                    Done::Version(found) => {
                        version = Some(found);
                        under_way = Box::pin(self.run_socket(found));
                    }
                    Done::Outcome(outcome) => {
                        under_way = Box::pin(std::future::pending());
                        self.shell.feed_outcome(outcome);
                    }
                },
                never = &mut deadlines => match never {},
                never = &mut keys => match never {},
                never = &mut mail => match never {},
            }
        }
    }

    /// The keys were read before the wait, which takes minutes behind a mass reconnect.
    /// Another daemon may have logged in with them meanwhile, and would be thrown out.
    async fn await_turn(&self) -> Done {
        let asked = tokio::time::Instant::now();
        loop {
            let leave = match self.priority {
                Priority::Login => self.versions.leave_to_log_in().await,
                // A person waits for the QR, and sees the error.
                Priority::Pair(_) => Leave::Canary,
            };
            self.limiter.acquire(self.priority, self.asker).await;
            // Behind a mass reconnect the turn comes late.
            if self.versions.still_stands(leave) {
                break;
            }
        }
        let checked = if asked.elapsed() < self.shell.policy.ownership_lasts {
            Ok(())
        } else {
            self.keys.check_ownership().await
        };
        Done::Outcome(match checked {
            Ok(()) => Outcome::TurnCame,
            Err(why) => Outcome::NotDialed(CloseReason::StoreFailed(why.to_string())),
        })
    }

    async fn find_version(&self) -> Done {
        if let Route::Blocked(reason) = &*self.route {
            return Done::Outcome(Outcome::NotDialed(reason.clone()));
        }
        match self.versions.current(&self.http, matches!(*self.route, Route::Direct)).await {
            Ok(version) => Done::Version(version),
            Err(reason) => self.go_on_without_lookup(&reason).await,
        }
    }

    /// With the last version that WhatsApp took: the page may be blocked where the socket is not.
    async fn go_on_without_lookup(&self, reason: &str) -> Done {
        // A lookup does not say whether it failed because of the proxy; the proxy does.
        if let Route::Through(proxy) = &*self.route
            && let Err(of_proxy) = proxy.reach(VERSION_HOST, 443).await
        {
            return Done::Outcome(Outcome::NotDialed(of_proxy));
        }
        let last = self.versions.last_good().await;
        tracing::warn!(%reason, version = %format_args!("{}.{}.{}", last.0, last.1, last.2), "going on with the last client version that worked");
        Done::Version(last)
    }

    /// The library dials, and runs until its socket is over.
    async fn run_socket(&self, version: WebVersion) -> Done {
        self.shell.claims(version);
        // Counts as just fetched: the library will not ask by itself.
        self.client.persistence_manager().process_command(DeviceCommand::SetAppVersion(version)).await;
        // Off, since the library would silently retry a failed connect without end.
        self.client.enable_auto_reconnect.store(false, Ordering::Relaxed);
        self.shell.start_raw_forwarding(&self.client);
        self.presence.watch(&self.client);
        let (run, stream_error) = (self.client.run(), self.report_stream_error());
        tokio::pin!(run, stream_error);
        tokio::select! {
            biased;
            never = &mut stream_error => match never {},
            () = &mut run => {
                // The stanza that ended it may have come just now.
                let _ = stream_error.now_or_never();
            }
        }
        Done::Outcome(Outcome::RunEnded)
    }

    /// Reports the first `<stream:error>` that ends the stream: one with a code. Most have
    /// no event of the library, and 503 leaves the socket open.
    async fn report_stream_error(&self) -> Infallible {
        while let Ok(node) = self.client.wait_for_node(NodeFilter::tag("stream:error")).await {
            let code = node.get().attrs().optional_string("code").map(|code| code.to_string());
            if let Some(code) = code.filter(|code| !code.is_empty()) {
                self.shell.feed(Input::Event(LibraryEvent::StreamError(close_reason::stream_error(&code))));
                break;
            }
        }
        std::future::pending().await
    }

    /// Flushes key changes that no frame has waited for after a while, and reports when keys can
    /// no longer be written.
    async fn keep_keys_durable(&self) -> Infallible {
        let (failure, flushing) = (self.keys_failed(), self.flush_after_a_while());
        tokio::pin!(flushing);
        let why = tokio::select! {
            why = failure => why,
            never = &mut flushing => match never {},
        };
        self.shell.feed_outcome(Outcome::StoreFailed(why));
        flushing.await
    }

    async fn work_on_mail(&self) -> Infallible {
        let Some(Mail { inbox, courier, .. }) = &self.mail else { return std::future::pending().await };
        tokio::select! {
            never = inbox.keep_requesting() => match never {},
            never = inbox.tidy_up() => match never {},
            never = courier.work() => match never {},
        }
    }

    async fn keys_failed(&self) -> String {
        let halted = async {
            while !self.client.persistence_manager().is_saver_halted() {
                tokio::time::sleep(self.shell.policy.writer_checked_every).await;
            }
        };
        tokio::select! {
            failure = self.keys.failed() => failure.to_string(),
            () = halted => "the keys could not be written ten times in a row".to_owned(),
        }
    }

    /// A failed flush is retried; a permanent failure is reported by [`Self::keys_failed`].
    async fn flush_after_a_while(&self) -> Infallible {
        loop {
            self.keys.until_pending().await;
            tokio::time::sleep(self.shell.policy.flush_after).await;
            let _ = self.keys.flush().await;
        }
    }

    async fn take_down(&self) {
        let (policy, incarnation) = (&self.shell.policy, self.shell.incarnation);
        if tokio::time::timeout(policy.disconnect_timeout, self.client.disconnect()).await.is_err() {
            tracing::warn!(%incarnation, "the connection did not close in time and was cut");
        }
        if !self.shell.runtime.end(policy.tasks_timeout).await {
            tracing::warn!(%incarnation, "a task of the connection did not end in time");
        }
        // If this fails, no sent frame depends on the lost changes.
        let _ = tokio::time::timeout(policy.flush_timeout, self.keys.flush()).await;
    }
}
