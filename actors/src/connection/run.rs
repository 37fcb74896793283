//! One socket after the other: dialed, heard, logged in, pinged, lost.

use super::{Connection, Effect, LinkStage, Note, Ping, State, Step, closing::PendingUnlink};
use crate::domain::{CloseReason, Instant, Phone, SessionEvent};

const DEAF: &str = "whatsapp fell silent before it had delivered all that waited";

impl Connection {
    /// Queued → Dialing. Only the first socket waits for a turn: the login after a link
    /// belongs to it, and a person waits at the phone.
    pub(super) fn on_turn(&mut self, step: &mut Step) {
        if self.state == State::Queued {
            step.emit(SessionEvent::Dialing);
            self.begin_run(step);
        }
    }

    /// Queued | Restarting | (a run that is over) → Dialing
    pub(super) fn begin_run(&mut self, step: &mut Step) {
        self.evidence = super::CloseEvidence::default();
        self.state = State::Dialing;
        step.order(Effect::Run);
        if self.link == LinkStage::Missing {
            self.ask_for_code(step);
        }
    }

    /// Dialing → Pairing | LoggingIn; Open → Open
    pub(super) fn on_stanza(&mut self, now: Instant) {
        self.evidence.heard();
        if let State::Open(ping) = &mut self.state {
            self.heard = now;
            self.owed = None;
            // Any proof will do. One that is due is found to be needless when it is.
            if matches!(ping, Ping::Sent { .. }) {
                *ping = Ping::Due(now.after(self.policy.ping_every));
            }
            return;
        }
        if self.state != State::Dialing {
            return;
        }
        self.state = match self.link {
            LinkStage::Missing => State::Pairing,
            LinkStage::Confirmed { .. } | LinkStage::Established | LinkStage::Refused => State::LoggingIn,
        };
    }

    /// The shell could not dial: no client version, no route, or the keys are not ours any more.
    /// Queued → Closing; Dialing → Restarting | Closing
    pub(super) fn on_not_dialed(&mut self, reason: CloseReason, step: &mut Step) {
        if self.state == State::Queued {
            self.close(Some(reason), step);
        } else if self.state.has_run() {
            self.evidence.report(reason);
            self.on_run_over(step);
        }
    }

    pub(super) fn on_run_ended(&mut self, step: &mut Step) {
        if self.state.has_run() {
            self.on_run_over(step);
        }
    }

    /// Anything with a socket → Ending. In Ending the reason adds to what is known; in
    /// Closing it may answer an unlink.
    pub(super) fn on_close_reported(&mut self, reason: CloseReason, step: &mut Step) {
        self.evidence.report(reason);
        self.answer_unlink_by_logout(step);
        self.end_soon(step);
    }

    /// Anything with a socket → Ending. 503 leaves the socket open, so it is not waited for.
    pub(super) fn on_stream_error(&mut self, reason: CloseReason, step: &mut Step) {
        self.evidence.stream_error(reason);
        self.end_soon(step);
    }

    /// The library closes the socket now, or never. Anything with a socket → Ending
    pub(super) fn end_soon(&mut self, step: &mut Step) {
        if !self.state.has_run() || matches!(self.state, State::Ending { .. }) {
            return;
        }
        self.refuse_held();
        self.state = State::Ending { until: step.now.after(self.policy.socket_end_timeout) };
    }

    /// A scan that loses its socket must not be confirmed on it.
    pub(super) fn refuse_held(&mut self) {
        if matches!(self.state, State::Held(_)) {
            self.link = LinkStage::Refused;
        }
    }

    /// The socket is over. Anything with a socket → Restarting | Dialing | Closing
    pub(super) fn on_run_over(&mut self, step: &mut Step) {
        self.refuse_held();
        step.order(Effect::StopRun);
        let reason = self.evidence.reason();
        if matches!(reason, CloseReason::ClientOutdated(_)) {
            step.order(Effect::ReportOutdated);
        }
        match &mut self.link {
            LinkStage::Confirmed { is_finished, logins, .. }
                if *logins < self.policy.first_logins && reason.may_log_in_again() =>
            {
                *logins += 1;
                if *is_finished {
                    self.begin_run(step);
                } else {
                    self.state = State::Restarting { until: step.now.after(self.policy.pairing_timeout) };
                }
            }
            LinkStage::Missing | LinkStage::Confirmed { .. } | LinkStage::Established | LinkStage::Refused => {
                self.close(Some(reason), step);
            }
        }
    }

    /// The library is through with the pairing. Confirmed → Confirmed; Restarting → Dialing
    pub(super) fn on_pairing_finished(&mut self, step: &mut Step) {
        let LinkStage::Confirmed { is_finished, .. } = &mut self.link else { return };
        *is_finished = true;
        match &mut self.state {
            State::Confirmed { restart_at } => {
                restart_at.get_or_insert(step.now.after(self.policy.restart_timeout));
            }
            State::Restarting { .. } => self.begin_run(step),
            State::Queued
            | State::Dialing
            | State::Pairing
            | State::Held(_)
            | State::LoggingIn
            | State::Open(_)
            | State::Ending { .. }
            | State::Closing { .. }
            | State::Ended => {}
        }
    }

    /// WhatsApp did not ask for a new socket. Confirmed → Ending
    pub(super) fn on_restart_overdue(&mut self, step: &mut Step) {
        step.order(Effect::CloseSocket);
        self.end_soon(step);
    }

    /// Confirmed | LoggingIn → Open
    pub(super) fn on_success(&mut self, phone: Option<Phone>, device_jid: Option<String>, step: &mut Step) {
        self.on_stanza(step.now);
        match &self.state {
            State::Confirmed { .. } | State::LoggingIn => {
                self.link = LinkStage::Established;
                self.state = State::Open(Ping::Due(step.now.after(self.policy.ping_every)));
                (self.heard, self.owed) = (step.now, None);
                if self.unlink == PendingUnlink::None {
                    self.delivers_by = Some(step.now.after(self.policy.delivery_timeout));
                }
                step.emit(SessionEvent::Open { phone, device_jid });
            }
            State::Queued
            | State::Dialing
            | State::Pairing
            | State::Held(_)
            | State::Restarting { .. }
            | State::Open(_)
            | State::Ending { .. }
            | State::Closing { .. }
            | State::Ended => {}
        }
    }

    /// Open → Open
    pub(super) fn on_groups_changed(&mut self, step: &mut Step) {
        self.on_delivered(step.now);
        if matches!(self.state, State::Open(_)) {
            step.emit(SessionEvent::GroupsChanged);
        }
    }

    /// A long backlog is measured by its pauses. Like [`Self::on_stanza`]
    pub(super) fn on_delivered(&mut self, now: Instant) {
        self.on_stanza(now);
        if let Some(by) = &mut self.delivers_by {
            *by = now.after(self.policy.delivery_timeout);
        }
    }

    /// From now on silence means that nobody writes. Like [`Self::on_stanza`]
    pub(super) fn on_nothing_waits(&mut self, now: Instant) {
        self.on_stanza(now);
        self.delivers_by = None;
    }

    /// WhatsApp may answer pings for ever here, and delivers only to another connection.
    /// Open → Closing
    pub(super) fn on_deaf(&mut self, step: &mut Step) {
        step.order(Effect::Note(Note::Deaf));
        self.evidence.report(CloseReason::SocketLost(DEAF.to_owned()));
        self.on_run_over(step);
    }

    /// Open → Open
    pub(super) fn on_frame(&mut self, now: Instant) {
        let State::Open(ping) = &mut self.state else { return };
        if self.owed.is_some() {
            return;
        }
        self.owed = Some(now);
        if let Ping::Due(due) = ping {
            *due = (*due).min(now.after(self.policy.frame_timeout));
        }
    }

    /// When a ping is needed, if nothing is heard until then.
    fn next_ping(&self) -> Instant {
        let owed = self.owed.map(|since| since.after(self.policy.frame_timeout));
        let quiet = self.heard.after(self.policy.ping_every);
        owed.map_or(quiet, |owed| owed.min(quiet))
    }

    /// Open → Open | Closing
    pub(super) fn on_ping_deadline(&mut self, ping: Ping, step: &mut Step) {
        let next = self.next_ping();
        match ping {
            Ping::Due(_) if next > step.now => self.state = State::Open(Ping::Due(next)),
            Ping::Due(_) => self.ping(0, step),
            Ping::Sent { missed, .. } => self.on_ping_missed(missed, step),
        }
    }

    /// Each has a number of its own: a late answer to an earlier one proves nothing.
    fn ping(&mut self, missed: u8, step: &mut Step) {
        self.pings = self.pings.wrapping_add(1);
        let nth = self.pings;
        let timeout = self.policy.ping_timeout;
        self.state = State::Open(Ping::Sent { nth, missed, until: step.now.after(timeout) });
        step.order(Effect::Ping { nth, timeout });
    }

    /// Open → Open | Closing
    pub(super) fn on_pinged(&mut self, of: u32, answered: bool, step: &mut Step) {
        let State::Open(Ping::Sent { nth, missed, .. }) = self.state else { return };
        if nth != of {
            return;
        }
        if answered {
            (self.heard, self.owed) = (step.now, None);
            self.state = State::Open(Ping::Due(step.now.after(self.policy.ping_every)));
        } else {
            self.on_ping_missed(missed, step);
        }
    }

    fn on_ping_missed(&mut self, missed: u8, step: &mut Step) {
        let missed = missed.saturating_add(1);
        if missed < self.policy.pings {
            return self.ping(missed, step);
        }
        self.evidence.report(CloseReason::SocketLost("two pings in a row were not answered".to_owned()));
        self.on_run_over(step);
    }

    /// Only another connection can tell whether WhatsApp has a message. Open → Closing
    pub(super) fn on_not_acknowledged(&mut self, step: &mut Step) {
        if matches!(self.state, State::Open(_)) {
            self.evidence.report(CloseReason::SocketLost("a message was not acknowledged".to_owned()));
            self.on_run_over(step);
        }
    }

    /// The keys cannot be stored. Closes before sending more, since WhatsApp takes sent keys for
    /// stored ones. Anything but Closing | Ended → Closing
    pub(super) fn on_keys_failed(&mut self, why: String, step: &mut Step) {
        if self.state.is_over() {
            return;
        }
        self.evidence.report(CloseReason::StoreFailed(why));
        if self.state.has_run() {
            step.order(Effect::StopRun);
        }
        self.close(Some(self.evidence.reason()), step);
    }
}
