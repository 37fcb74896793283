//! The machine of one connection and the effects that it orders.

use std::{
    convert::Infallible,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use paird_actors::{
    clock,
    connection::{
        Answer, Connection, ConnectionPolicy, Effect, Frames, Input, Note, Outcome, Request, ScanId, State,
        UnlinkOutcome,
    },
    domain::{Incarnation, Instant, Phone, Purpose, UnlinkAnswer},
    machine,
    ports::SessionListener,
};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot, watch,
};
use tokio_util::sync::CancellationToken;
use wacore::iq::{devices::RemoveCompanionDeviceSpec, keepalive::KeepaliveSpec};
use wacore_binary::Node;
use whatsapp_rust::{
    Client, NodeFilter, RawNodeLease,
    pair_code::{PairCodeError, PairCodeOptions, PairError},
    request::IqError,
};

use super::{
    super::{runtime::SessionRuntime, version::WebVersion},
    event_sender::EventSender,
    session::describe,
};

/// Orders that may wait for the driver: more than a connection gives in its whole life, which
/// is a turn, four runs with their ends, and the end of all.
const WORK_QUEUE: usize = 16;

/// Steps the machine of one connection, under one mutex, and carries out what it orders.
/// Never blocks: slow work runs in a task of the connection, or in its [`super::Driver`], and
/// comes back as an input.
pub(in crate::whatsapp) struct Shell {
    pub(super) incarnation: Incarnation,
    pub(super) policy: ConnectionPolicy,
    pub(super) runtime: SessionRuntime,
    /// Weak: the client owns the transport factory, and that the shell.
    client: OnceLock<Weak<Client>>,
    inner: Mutex<Inner>,
    /// Of the machine, as of the last step.
    status: watch::Sender<Snapshot>,
    work: mpsc::Sender<DriverTask>,
    cut: CancellationToken,
}

struct Inner {
    machine: Connection,
    events: EventSender,
    /// While it lives, every stanza is reported raw.
    raw_nodes: Option<RawNodeLease>,
    unlinks: Vec<oneshot::Sender<UnlinkAnswer>>,
    /// The client version of the current socket.
    claimed: Option<WebVersion>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Snapshot {
    frames: Frames,
    deadline: Option<Instant>,
}

/// DriverTask that the machine orders from the [`super::Driver`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::whatsapp) enum DriverTask {
    AwaitTurn,
    Run,
    StopRun,
    ReportOutdated,
    TakeDown,
}

impl Shell {
    /// A shell and the orders for its driver.
    pub(in crate::whatsapp) fn begin(
        purpose: Purpose,
        policy: ConnectionPolicy,
        incarnation: Incarnation,
        listener: SessionListener,
        runtime: SessionRuntime,
    ) -> (Arc<Self>, mpsc::Receiver<DriverTask>) {
        let (machine, effects) = Connection::begin(purpose, policy.clone());
        let (work, orders) = mpsc::channel(WORK_QUEUE);
        let status = Snapshot { frames: machine.frames(), deadline: machine.deadline() };
        let events = EventSender::new(incarnation, listener);
        let shell = Arc::new(Self {
            incarnation,
            policy,
            runtime,
            client: OnceLock::new(),
            inner: Mutex::new(Inner { machine, events, raw_nodes: None, unlinks: Vec::new(), claimed: None }),
            status: watch::Sender::new(status),
            work,
            cut: CancellationToken::new(),
        });
        shell.carry_out_all(effects, &mut shell.lock());
        (shell, orders)
    }

    /// The client that this connection runs, once it is made.
    pub(in crate::whatsapp) fn attach(&self, client: &Arc<Client>) {
        // Set once, when the connection is made.
        let _ = self.client.set(Arc::downgrade(client));
    }

    pub(super) fn client(&self) -> Option<Arc<Client>> {
        self.client.get()?.upgrade()
    }

    /// Fires when every task of the connection is to stop at once.
    pub(super) fn cut_token(&self) -> CancellationToken {
        self.cut.clone()
    }

    /// Takes one input. When it returns its effects are carried out, or under way.
    pub(super) fn feed(self: &Arc<Self>, input: Input) {
        self.step(input, &mut self.lock());
    }

    pub(super) fn feed_outcome(self: &Arc<Self>, outcome: Outcome) {
        self.feed(Input::Outcome(outcome));
    }

    pub(super) fn feed_request(self: &Arc<Self>, request: Request) {
        self.feed(Input::Request(request));
    }

    /// Asks for an unlink, and for its answer.
    pub(super) fn unlink(self: &Arc<Self>) -> oneshot::Receiver<UnlinkAnswer> {
        let (answer, answered) = oneshot::channel();
        let mut inner = self.lock();
        inner.unlinks.push(answer);
        self.step(Input::Request(Request::Unlink), &mut inner);
        answered
    }

    pub(super) fn awaits_keys(&self) -> Option<ScanId> {
        self.lock().machine.awaits_keys()
    }

    /// Notes the client version that the next socket reports to WhatsApp.
    pub(super) fn claims(&self, version: WebVersion) {
        self.lock().claimed = Some(version);
    }

    pub(super) fn claimed(&self) -> Option<WebVersion> {
        self.lock().claimed
    }

    /// Every stanza is reported from now on.
    pub(super) fn start_raw_forwarding(&self, client: &Arc<Client>) {
        self.lock().raw_nodes = Some(client.acquire_raw_node_forwarding());
    }

    /// Waits while frames are held; whether they may pass then.
    pub(super) async fn may_pass(&self) -> bool {
        let mut status = self.status.subscribe();
        // The sender lives in `self`, so the wait itself cannot fail.
        let decided = status.wait_for(|status| status.frames != Frames::Wait).await;
        decided.is_ok_and(|status| status.frames == Frames::Pass)
    }

    /// Feeds every deadline of the machine when it is reached.
    pub(super) async fn deadlines(self: &Arc<Self>) -> Infallible {
        let mut status = self.status.subscribe();
        loop {
            let due = status.borrow_and_update().deadline;
            let reached = async {
                match due {
                    Some(due) => clock::reached(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The sender lives in `self`.
                _ = status.changed() => {}
                () = reached => self.feed(Input::Deadline),
            }
        }
    }

    fn step(self: &Arc<Self>, input: Input, inner: &mut Inner) {
        let stepped = machine::step(&mut inner.machine, input, clock::now());
        let status = Snapshot { frames: inner.machine.frames(), deadline: inner.machine.deadline() };
        self.status.send_if_modified(|current| std::mem::replace(current, status) != status);
        self.carry_out_all(stepped.effects, inner);
        if let Some((before, after)) = stepped.moved {
            tracing::debug!(incarnation = %self.incarnation, "connection: {before} → {after}");
        }
        if *inner.machine.state() == State::Ended {
            inner.events.close();
            inner.raw_nodes = None;
        }
    }

    fn carry_out_all(self: &Arc<Self>, effects: Vec<Effect>, inner: &mut Inner) {
        for effect in effects {
            self.carry_out(effect, inner);
        }
    }

    fn carry_out(self: &Arc<Self>, effect: Effect, inner: &mut Inner) {
        match effect {
            Effect::AwaitTurn => self.order(DriverTask::AwaitTurn),
            Effect::Run => self.order(DriverTask::Run),
            Effect::StopRun => self.order(DriverTask::StopRun),
            Effect::ReportOutdated => self.order(DriverTask::ReportOutdated),
            Effect::TakeDown => self.order(DriverTask::TakeDown),
            Effect::AwaitAnswer { scan, stanza_id } => self.await_answer(scan, stanza_id),
            Effect::AskForCode { nth, phone } => self.ask_for_code(nth, phone),
            Effect::CancelCode => self.start(|shell, client| async move {
                client.cancel_pair_code().await;
                shell.feed_outcome(Outcome::CodeCancelled);
            }),
            Effect::CloseSocket => self.start(|_, client| async move { client.reconnect_immediately().await }),
            Effect::Ping { nth, timeout } => self.start(move |shell, client| async move {
                let answered = match client.execute(KeepaliveSpec::with_timeout(timeout)).await {
                    // An error is an answer.
                    Ok(()) | Err(IqError::ServerError { .. }) => true,
                    Err(_) => false,
                };
                shell.feed_outcome(Outcome::Pinged { nth, answered });
            }),
            Effect::Unlink => self.start(|shell, client| async move {
                shell.feed_outcome(Outcome::Unlinked(unlink(&client).await));
            }),
            Effect::AnswerUnlink(answer) => {
                for waiting in inner.unlinks.drain(..) {
                    // The asker may be gone.
                    let _ = waiting.send(answer.clone());
                }
            }
            Effect::Emit(event) => inner.events.send(event),
            Effect::Note(note) => self.log(note),
            Effect::Cut => {
                self.runtime.cut();
                self.cut.cancel();
            }
        }
    }

    fn order(&self, work: DriverTask) {
        match self.work.try_send(work) {
            // Without a driver there is nothing left to order.
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(work)) => {
                tracing::error!(incarnation = %self.incarnation, ?work, "the connection does not keep up with its orders and is cut");
                self.runtime.cut();
                self.cut.cancel();
            }
        }
    }

    /// Starts a task of this connection; not where its client is gone.
    fn start<F: Future<Output = ()> + Send + 'static>(
        self: &Arc<Self>,
        task: impl FnOnce(Arc<Self>, Arc<Client>) -> F,
    ) {
        if let Some(client) = self.client() {
            self.runtime.start(task(Arc::clone(self), client));
        }
    }

    /// The answer in plain text, before it is encrypted and meets the gate. Registered
    /// before the library builds it: this runs inside its event handler.
    fn await_answer(self: &Arc<Self>, scan: ScanId, stanza_id: String) {
        self.start(move |shell, client| {
            let sent = client.wait_for_sent_node(NodeFilter::tag("iq").attr("id", stanza_id));
            drop(client);
            async move {
                let answer = match sent.await {
                    Ok(answer) if confirms(&answer) => Answer::Confirms,
                    Ok(_) => Answer::Fails,
                    Err(_) => Answer::Missing,
                };
                shell.feed_outcome(Outcome::Answered(scan, answer));
            }
        });
    }

    /// Code and refusal are events of the library, but for a code that is still out.
    fn ask_for_code(self: &Arc<Self>, nth: u8, phone: Phone) {
        self.start(move |shell, client| async move {
            if client.wait_for_socket(shell.policy.socket_timeout).await.is_err() {
                return;
            }
            let options = PairCodeOptions { phone_number: phone.digits().to_owned(), ..PairCodeOptions::default() };
            if let Err(PairError::PairCode(PairCodeError::CodeAlreadyOutstanding { remaining })) =
                client.pair_with_code(options).await
            {
                shell.feed_outcome(Outcome::CodeOutstanding { nth, remaining });
            }
        });
    }

    fn log(&self, note: Note) {
        let incarnation = self.incarnation;
        match note {
            Note::KeysNotDurable => {
                tracing::error!(%incarnation, "a link was to be confirmed without its keys; refused");
            }
            Note::ConfirmedTooLate => tracing::info!(%incarnation, "the link was confirmed too late"),
            Note::Deaf => {
                tracing::warn!(%incarnation, "WhatsApp answers, but delivers nothing on this connection; it is replaced");
            }
            Note::CutShort => tracing::warn!(%incarnation, "the connection did not close in time and was cut"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an answer to a pair-success is the one that makes the link.
fn confirms(answer: &Node) -> bool {
    answer.get_optional_child("pair-device-sign").is_some()
}

async fn unlink(client: &Arc<Client>) -> UnlinkOutcome {
    let Some(own) = client.pn() else { return UnlinkOutcome::NotLinked };
    match client.execute(RemoveCompanionDeviceSpec::new(&own)).await {
        Ok(()) => UnlinkOutcome::Removed,
        Err(failure) => UnlinkOutcome::Failed(describe(&failure)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;
    use paird_actors::{
        connection::{LibraryEvent, Scan},
        domain::{CloseReason, SessionEvent},
    };
    use tokio::runtime::Handle;

    use super::*;

    type Heard = Arc<Mutex<Vec<SessionEvent>>>;

    /// A shell without a client, whose socket is up, and what its owner hears.
    fn pairing(policy: ConnectionPolicy) -> (Arc<Shell>, Heard) {
        let heard = Heard::default();
        let into = Arc::clone(&heard);
        let listener = Arc::new(move |_, event| into.lock().unwrap().push(event));
        let runtime = SessionRuntime::new(Handle::current());
        let purpose = Purpose::Pair { code_for: None };
        let (shell, _) = Shell::begin(purpose, policy, Incarnation(1), listener, runtime);
        shell.feed_outcome(Outcome::TurnCame);
        shell.feed(Input::Event(LibraryEvent::Stanza));
        (shell, heard)
    }

    fn held(policy: ConnectionPolicy) -> (Arc<Shell>, Heard) {
        let (shell, heard) = pairing(policy);
        let phone = Phone::parse("436601234567").unwrap();
        let device_jid = "436601234567:1@s.whatsapp.net".to_owned();
        let scan = Scan { phone, device_jid, stanza_id: "1".to_owned() };
        shell.feed(Input::Event(LibraryEvent::PairSuccess(Some(scan))));
        shell.feed_outcome(Outcome::Answered(ScanId(1), Answer::Confirms));
        (shell, heard)
    }

    #[tokio::test]
    async fn a_held_frame_waits_and_passes_once_confirmed() {
        let (shell, _) = held(ConnectionPolicy::default());
        let mut frame = Box::pin(shell.may_pass());
        assert_eq!(frame.as_mut().now_or_never(), None);
        shell.feed_outcome(Outcome::KeysDurable(ScanId(1)));
        assert_eq!(frame.as_mut().now_or_never(), None);
        shell.feed_request(Request::Confirm);
        assert_eq!(frame.now_or_never(), Some(true));
    }

    #[tokio::test]
    async fn a_held_frame_is_refused_with_its_scan() {
        let (shell, _) = held(ConnectionPolicy::default());
        let mut frame = Box::pin(shell.may_pass());
        assert_eq!(frame.as_mut().now_or_never(), None);
        shell.feed_request(Request::Refuse);
        assert_eq!(frame.now_or_never(), Some(false));
        assert_eq!(shell.may_pass().now_or_never(), Some(false));
    }

    #[tokio::test]
    async fn a_held_frame_is_refused_in_time() {
        let policy = ConnectionPolicy { hold_timeout: Duration::from_millis(10), ..ConnectionPolicy::default() };
        let (shell, _) = held(policy);
        tokio::select! {
            passes = shell.may_pass() => assert!(!passes),
            never = shell.deadlines() => match never {},
        }
    }

    #[tokio::test]
    async fn the_end_is_reported_once_and_nothing_after_it() {
        let (shell, heard) = pairing(ConnectionPolicy::default());
        shell.feed(Input::Event(LibraryEvent::CloseReported(CloseReason::QrExhausted)));
        shell.feed_outcome(Outcome::RunEnded);
        shell.feed_outcome(Outcome::TakenDown);
        shell.feed_outcome(Outcome::ShellStopped);
        shell.feed(Input::Event(LibraryEvent::ScanFailed("late".to_owned())));
        let end = SessionEvent::Ended { reason: CloseReason::QrExhausted };
        assert_eq!(*heard.lock().unwrap(), [SessionEvent::Dialing, end]);
    }

    #[tokio::test]
    async fn a_closed_connection_reports_not_even_its_end() {
        let (shell, heard) = pairing(ConnectionPolicy::default());
        shell.feed_request(Request::Close);
        shell.feed_outcome(Outcome::TakenDown);
        assert_eq!(*heard.lock().unwrap(), [SessionEvent::Dialing]);
    }

    #[tokio::test]
    async fn an_unlink_of_a_connection_that_is_over_is_answered() {
        let (shell, _) = pairing(ConnectionPolicy::default());
        shell.feed_request(Request::Cut);
        let answer = shell.unlink().await.unwrap();
        assert_eq!(answer, UnlinkAnswer::Unknown("the connection is over".to_owned()));
    }
}
