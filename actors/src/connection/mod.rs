//! One connection to WhatsApp, from its turn to dial to its end, as one enum stepped by a
//! pure function.
//!
//! A connection has several sockets if it makes a link: WhatsApp closes the one of the
//! scan, and the device logs in on the next. Here is decided which frames may leave, when
//! a code is asked for, whether a socket that ended is followed by another, and why the
//! connection ended. The shell (`src/whatsapp/connection` of the daemon) steps the machine
//! from inside the protocol library's event handler, under a lock: when a handler returns,
//! the frames of what it reported are held already.
//!
//! - [`pairing`] shows QRs and codes and holds a scan until its owner has decided
//! - [`run`] follows one socket after the other, up to the login and the pings of an open one
//! - [`closing`] is the end, and the answer to an unlink
//! - [`outage`] is what all connections of a daemon know of a client that WhatsApp refuses

mod closing;
mod codes;
mod effect;
mod evidence;
mod input;
mod outage;
mod pairing;
mod policy;
mod run;
mod state;

#[cfg(test)]
mod tests;

pub use effect::{Effect, Note};
pub use input::{Answer, Input, LibraryEvent, Outcome, Request, Scan, ScanId, UnlinkOutcome};
pub use outage::{Leave, Outage, OutagePolicy};
pub use policy::ConnectionPolicy;
pub use state::{Frames, Hold, Ping, State};

use closing::PendingUnlink;
use codes::Codes;
use evidence::CloseEvidence;

use crate::domain::{Instant, Purpose, SessionEvent};
use crate::machine::{self, Machine};

/// The machine of one connection.
#[derive(Clone, Debug)]
pub struct Connection {
    policy: ConnectionPolicy,
    state: State,
    link: LinkStage,
    /// The number of the last scan.
    scan: ScanId,
    codes: Codes,
    /// The number of the last ping.
    pings: u32,
    /// When something was last understood, on an open connection.
    heard: Instant,
    /// The first frame since then: something should be heard soon.
    owed: Option<Instant>,
    /// When WhatsApp must have delivered something, on an open connection. `None` once it has
    /// said that nothing more waits.
    delivers_by: Option<Instant>,
    /// Of the current socket, or of the last one.
    evidence: CloseEvidence,
    unlink: PendingUnlink,
}

/// How far this connection's link has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum LinkStage {
    /// Not made yet.
    Missing,
    /// Confirmed on this connection; its first login is outstanding.
    Confirmed { device_jid: String, is_finished: bool, logins: u8 },
    /// It existed before, or its first login was made.
    Established,
    /// A scan was refused, or lost its socket: no frame may leave any more.
    Refused,
}

type Step = machine::Step<Effect>;

impl Step {
    fn emit(&mut self, event: SessionEvent) {
        self.order(Effect::Emit(event));
    }
}

impl Machine for Connection {
    type Input = Input;
    type Effect = Effect;

    fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        Connection::step(self, input, now)
    }

    fn deadline(&self) -> Option<Instant> {
        Connection::deadline(self)
    }

    fn state_name(&self) -> &'static str {
        self.state.name()
    }
}

impl Connection {
    /// A new connection and its first effects.
    pub fn begin(purpose: Purpose, policy: ConnectionPolicy) -> (Self, Vec<Effect>) {
        let (link, code_for) = match purpose {
            Purpose::Pair { code_for } => (LinkStage::Missing, code_for),
            Purpose::Login | Purpose::Unlink => (LinkStage::Established, None),
        };
        let machine = Self {
            policy,
            state: State::Queued,
            link,
            scan: ScanId::default(),
            codes: Codes::new(code_for),
            pings: 0,
            heard: Instant(0),
            owed: None,
            delivers_by: None,
            evidence: CloseEvidence::default(),
            unlink: PendingUnlink::None,
        };
        (machine, vec![Effect::AwaitTurn])
    }

    /// Takes one input, and returns what is to be done about it.
    pub fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        let mut step = Step::at(now);
        match input {
            Input::Event(event) => self.on_event(event, &mut step),
            Input::Outcome(outcome) => self.on_outcome(outcome, &mut step),
            Input::Request(request) => self.on_request(request, &mut step),
            Input::Deadline => self.on_deadline(&mut step),
        }
        step.effects
    }

    /// When [`Input::Deadline`] is due; asked after each step.
    pub fn deadline(&self) -> Option<Instant> {
        self.state_deadline().into_iter().chain(self.unlink.deadline()).min()
    }

    fn state_deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Dialing | State::Pairing => self.codes.deadline(),
            State::Held(hold) => Some(hold.until),
            State::Confirmed { restart_at } => *restart_at,
            State::Open(Ping::Due(until) | Ping::Sent { until, .. }) => {
                Some(self.delivers_by.map_or(*until, |by| by.min(*until)))
            }
            State::Restarting { until } | State::Ending { until } | State::Closing { until, .. } => Some(*until),
            State::Queued | State::LoggingIn | State::Ended => None,
        }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn policy(&self) -> &ConnectionPolicy {
        &self.policy
    }

    /// Whether an outgoing frame may pass. Once blocked, they stay it.
    pub fn frames(&self) -> Frames {
        match (&self.state, &self.link) {
            (State::Held(_), _) => Frames::Wait,
            (_, LinkStage::Refused) => Frames::Block,
            (_, LinkStage::Missing | LinkStage::Confirmed { .. } | LinkStage::Established) => Frames::Pass,
        }
    }

    /// The scan whose keys are complete and wait to become durable.
    pub fn awaits_keys(&self) -> Option<ScanId> {
        if let State::Held(Hold { scan, stage: state::HoldStage::Asked { .. }, .. }) = &self.state {
            Some(*scan)
        } else {
            None
        }
    }

    fn on_event(&mut self, event: LibraryEvent, step: &mut Step) {
        match event {
            LibraryEvent::Stanza => self.on_stanza(step.now),
            LibraryEvent::Frame => self.on_frame(step.now),
            LibraryEvent::Qr { payload, lasts } => self.on_qr(payload, lasts, step),
            LibraryEvent::QrsExhausted { closes } => self.on_qrs_exhausted(closes, step),
            LibraryEvent::Code { code, lasts } => self.on_code(code, lasts, step),
            LibraryEvent::CodeStale => self.on_code_spent(step),
            LibraryEvent::CodeRefused(why) => self.on_code_refused(why, step),
            LibraryEvent::CodeTyped => self.on_code_typed(step),
            LibraryEvent::Passkey { stage, request, lasts } => self.on_passkey(stage, request, lasts, step),
            LibraryEvent::PairSuccess(scan) => self.on_pair_success(scan, step),
            LibraryEvent::ScanFailed(reason) => self.on_scan_failed(reason, step),
            LibraryEvent::PairingFinished => self.on_pairing_finished(step),
            LibraryEvent::Success { phone, device_jid } => self.on_success(phone, device_jid, step),
            LibraryEvent::GroupsChanged => self.on_groups_changed(step),
            LibraryEvent::Delivered => self.on_delivered(step.now),
            LibraryEvent::NothingWaits => self.on_nothing_waits(step.now),
            LibraryEvent::CloseReported(reason) => self.on_close_reported(reason, step),
            LibraryEvent::StreamError(reason) => self.on_stream_error(reason, step),
            LibraryEvent::Disconnected(how) => self.evidence.lost(how),
            LibraryEvent::DialFailed(why) => self.evidence.dial_failed(why),
        }
    }

    fn on_outcome(&mut self, outcome: Outcome, step: &mut Step) {
        match outcome {
            Outcome::TurnCame => self.on_turn(step),
            Outcome::NotDialed(reason) => self.on_not_dialed(reason, step),
            Outcome::RunEnded => self.on_run_ended(step),
            Outcome::Answered(scan, answer) => self.on_answered(scan, answer, step),
            Outcome::CodeOutstanding { nth, remaining } => self.on_code_outstanding(nth, remaining, step),
            Outcome::CodeCancelled => self.on_code_spent(step),
            Outcome::Pinged { nth, answered } => self.on_pinged(nth, answered, step),
            Outcome::Unlinked(outcome) => self.on_unlinked(outcome, step),
            Outcome::TakenDown => self.on_taken_down(step),
            Outcome::KeysDurable(scan) => self.on_keys_durable(scan),
            Outcome::StoreFailed(why) => self.on_keys_failed(why, step),
            Outcome::NotAcknowledged => self.on_not_acknowledged(step),
            Outcome::ShellStopped => self.on_shell_stopped(step),
        }
    }

    fn on_request(&mut self, request: Request, step: &mut Step) {
        match request {
            Request::Confirm => self.on_confirm(step),
            Request::Refuse => self.on_refuse(step),
            Request::Unlink => self.on_unlink(step),
            Request::Close => self.on_close(step),
            Request::Cut => self.on_cut(step),
        }
    }

    /// A reached deadline always makes progress: each arm leaves its state or moves its deadline.
    fn on_deadline(&mut self, step: &mut Step) {
        if self.unlink.deadline().is_some_and(|due| due <= step.now) {
            self.on_logout_timeout(step);
        }
        if self.state_deadline().is_none_or(|due| step.now < due) {
            return;
        }
        match &self.state {
            State::Dialing | State::Pairing => self.on_code_deadline(step),
            State::Held(_) => self.refuse(step),
            State::Confirmed { .. } => self.on_restart_overdue(step),
            State::Restarting { .. } => self.begin_run(step),
            State::Open(_) if self.delivers_by.is_some_and(|by| by <= step.now) => self.on_deaf(step),
            State::Open(ping) => self.on_ping_deadline(*ping, step),
            State::Ending { .. } => self.on_run_over(step),
            State::Closing { .. } => self.on_close_timeout(step),
            State::Queued | State::LoggingIn | State::Ended => {}
        }
    }
}
