//! Unlink, confirmed, then erase. The order is the point: the keys of a device are
//! given up only on WhatsApp's word that the device is gone, or when the ticket's
//! time is over (WhatsApp drops an idle device by itself after about 14 days).

use crate::{
    domain::{
        CloseReason, Ending, Incarnation, Instant, KeyringId, Policy, SessionEvent, StoreError, TicketOutcome,
        TicketRecord, UnlinkAnswer, Verdict,
    },
    machine::Machine,
};

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Session(Incarnation, SessionEvent),
    /// The outcome of [`Effect::Unlink`].
    Answered(Incarnation, UnlinkAnswer),
    /// The outcome of [`Effect::Close`] or [`Effect::Cut`].
    SessionClosed(Incarnation),
    Deadline,
    /// The daemon stops, or hands the account over: the ticket stays open.
    Leave,
    /// The account is another daemon's, or may be soon: the same at once, and without a write.
    Fenced,
}

impl Input {
    /// There is no such connection, for this reason.
    pub fn not_opened(incarnation: Incarnation, why: StoreError) -> Self {
        let reason = match why {
            StoreError::Fenced => return Self::Fenced,
            StoreError::Poisoned(why) => CloseReason::KeysUnusable(why),
            StoreError::Overtaken | StoreError::Refused(_) | StoreError::Unavailable(_) => {
                CloseReason::StoreFailed(why.to_string())
            }
        };
        Self::Session(incarnation, SessionEvent::Ended { reason })
    }
}

/// What follows a record that was not written, and never will be: an input, or the end.
pub fn after_unwritten(why: StoreError) -> Result<Input, Ending> {
    match why {
        StoreError::Fenced => Ok(Input::Fenced),
        StoreError::Overtaken => Err(Ending::Overtaken),
        StoreError::Refused(why) | StoreError::Poisoned(why) | StoreError::Unavailable(why) => {
            Err(Ending::Unwritable(why))
        }
    }
}

/// An order to the shell, as in [`crate::account::lifecycle::Effect`].
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Log in with the ticket's keys.
    Open {
        incarnation: Incarnation,
        keyring: KeyringId,
    },
    /// Ask WhatsApp to remove this device.
    Unlink(Incarnation),
    Close(Incarnation),
    /// Close it at once, whatever is under way.
    Cut(Incarnation),
    /// Write how the try ended; retried by the shell until done.
    Record(TicketOutcome),
    Retire,
}

#[derive(Clone, Debug, PartialEq)]
pub enum State {
    Waiting {
        until: Instant,
    },
    Connecting {
        until: Instant,
    },
    Asking {
        until: Instant,
    },
    /// `None`: the daemon leaves.
    Closing {
        outcome: Option<TicketOutcome>,
        until: Instant,
    },
    Gone,
}

impl State {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "Waiting",
            Self::Connecting { .. } => "Connecting",
            Self::Asking { .. } => "Asking",
            Self::Closing { .. } => "Closing",
            Self::Gone => "Gone",
        }
    }
}

/// The machine of one ticket.
#[derive(Clone, Debug)]
pub struct Saga {
    ticket: TicketRecord,
    policy: Policy,
    state: State,
    incarnation: Incarnation,
    /// WhatsApp did not know the device at the last try.
    doubted: bool,
    seed: u128,
    effects: Vec<Effect>,
}

impl Saga {
    /// Goes on from the ticket's row. → Waiting | Connecting | Gone
    pub fn resume(ticket: TicketRecord, policy: Policy, seed: u128, now: Instant) -> (Self, Vec<Effect>) {
        let state = State::Waiting { until: ticket.next_retry_at };
        let mut saga = Self {
            ticket,
            policy,
            state,
            incarnation: Incarnation::default(),
            doubted: false,
            seed,
            effects: Vec::new(),
        };
        if saga.ticket.next_retry_at <= now {
            saga.try_now(now);
        }
        let effects = std::mem::take(&mut saga.effects);
        (saga, effects)
    }

    /// One input → all its effects. What is late or of another connection changes nothing.
    pub fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        match input {
            Input::Session(of, event) if of == self.incarnation => self.on_session(event, now),
            Input::Answered(of, answer) if of == self.incarnation => self.on_answered(answer, now),
            Input::SessionClosed(of) if of == self.incarnation => self.on_closed(),
            Input::Session(..) | Input::Answered(..) | Input::SessionClosed(_) => {}
            Input::Deadline => self.on_deadline(now),
            Input::Leave => self.on_leave(now),
            Input::Fenced => self.on_fenced(now),
        }
        std::mem::take(&mut self.effects)
    }

    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Waiting { until }
            | State::Connecting { until }
            | State::Asking { until }
            | State::Closing { until, .. } => Some(*until),
            State::Gone => None,
        }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn ticket(&self) -> &TicketRecord {
        &self.ticket
    }

    /// Waiting → Connecting | Gone
    fn try_now(&mut self, now: Instant) {
        if self.ticket.abandon_at <= now {
            let last = self.ticket.last_error.as_ref().map(|why| format!(", the last: {why}")).unwrap_or_default();
            let tries = self.ticket.attempts;
            let reason = format!(
                "given up after {tries} tries{last}; WhatsApp drops an idle device by itself, or remove it on the phone"
            );
            self.effects.push(Effect::Record(TicketOutcome::Abandoned { reason }));
            return self.retire();
        }
        self.incarnation = self.incarnation.next();
        self.effects.push(Effect::Open { incarnation: self.incarnation, keyring: self.ticket.keyring });
        self.state = State::Connecting { until: now.after(self.policy.turn_timeout) };
    }

    fn on_session(&mut self, event: SessionEvent, now: Instant) {
        match (&self.state, event) {
            // Its turn has come: from now on its time is measured.
            (State::Connecting { .. }, SessionEvent::Dialing) => {
                self.state = State::Connecting { until: now.after(self.policy.open_timeout) };
            }
            // Connecting → Asking
            (State::Connecting { .. }, SessionEvent::Open { .. }) => {
                self.effects.push(Effect::Unlink(self.incarnation));
                self.state = State::Asking { until: now.after(self.policy.unlink_timeout) };
            }
            (State::Connecting { .. } | State::Asking { .. }, SessionEvent::Ended { reason }) => {
                self.on_ended(&reason, now)
            }
            (State::Asking { .. }, SessionEvent::Open { .. } | SessionEvent::Dialing)
            | (State::Waiting { .. } | State::Closing { .. } | State::Gone, _)
            | (
                State::Connecting { .. } | State::Asking { .. },
                SessionEvent::Qr { .. }
                | SessionEvent::Code { .. }
                | SessionEvent::QrOver
                | SessionEvent::CodeOver { .. }
                | SessionEvent::Passkey { .. }
                | SessionEvent::Scanned { .. }
                | SessionEvent::ScanRejected { .. },
            ) => {}
        }
    }

    /// Connecting | Asking → Closing
    fn on_ended(&mut self, reason: &CloseReason, now: Instant) {
        let is_asked = matches!(self.state, State::Asking { .. });
        let outcome = match reason.verdict() {
            Verdict::LinkGone => TicketOutcome::Unlinked { reason: reason.describe() },
            // Said of a device that was asked to go, it has gone.
            Verdict::LookAgain if is_asked || self.doubted => {
                let raw = reason.raw().unwrap_or_default().to_owned();
                TicketOutcome::Unlinked { reason: CloseReason::LoggedOut(raw).describe() }
            }
            Verdict::LookAgain => {
                self.doubted = true;
                self.failed(reason.describe(), now)
            }
            Verdict::Retry | Verdict::RestartNow | Verdict::Hold { .. } => self.failed(reason.describe(), now),
        };
        self.close(Some(outcome), now);
    }

    /// Asking → Closing
    fn on_answered(&mut self, answer: UnlinkAnswer, now: Instant) {
        if !matches!(self.state, State::Asking { .. }) {
            return;
        }
        let outcome = match answer {
            UnlinkAnswer::Gone(reason) => TicketOutcome::Unlinked { reason },
            UnlinkAnswer::Unknown(error) => self.failed(error, now),
        };
        self.close(Some(outcome), now);
    }

    /// Closing → Waiting | Gone
    fn on_closed(&mut self) {
        let State::Closing { outcome, .. } = &self.state else { return };
        match outcome.clone() {
            Some(TicketOutcome::Failed { error, attempts, next_retry_at }) => {
                self.ticket.attempts = attempts;
                self.ticket.last_error = Some(error.clone());
                self.state = State::Waiting { until: next_retry_at };
                self.effects.push(Effect::Record(TicketOutcome::Failed { error, attempts, next_retry_at }));
            }
            Some(outcome @ (TicketOutcome::Unlinked { .. } | TicketOutcome::Abandoned { .. })) => {
                self.effects.push(Effect::Record(outcome));
                self.retire();
            }
            None => self.retire(),
        }
    }

    fn on_deadline(&mut self, now: Instant) {
        if self.deadline().is_none_or(|due| now < due) {
            return;
        }
        match &self.state {
            State::Waiting { .. } => self.try_now(now),
            State::Connecting { .. } => {
                let outcome = self.failed("no login in time".to_owned(), now);
                self.close(Some(outcome), now);
            }
            State::Asking { .. } => {
                let outcome = self.failed("no answer in time".to_owned(), now);
                self.close(Some(outcome), now);
            }
            State::Closing { .. } => self.on_closed(),
            State::Gone => {}
        }
    }

    /// any → Closing | Gone. A confirmation that is being recorded still is.
    fn on_leave(&mut self, now: Instant) {
        match &mut self.state {
            State::Waiting { .. } => self.retire(),
            State::Connecting { .. } | State::Asking { .. } => self.close(None, now),
            State::Closing { outcome: outcome @ Some(TicketOutcome::Failed { .. }), .. } => *outcome = None,
            State::Closing { .. } | State::Gone => {}
        }
    }

    /// any → Closing | Gone
    fn on_fenced(&mut self, now: Instant) {
        match &self.state {
            State::Waiting { .. } => self.retire(),
            State::Connecting { .. } | State::Asking { .. } | State::Closing { .. } => {
                self.effects.push(Effect::Cut(self.incarnation));
                self.state = State::Closing { outcome: None, until: now.after(self.policy.close_timeout) };
            }
            State::Gone => {}
        }
    }

    fn close(&mut self, outcome: Option<TicketOutcome>, now: Instant) {
        self.effects.push(Effect::Close(self.incarnation));
        self.state = State::Closing { outcome, until: now.after(self.policy.close_timeout) };
    }

    fn failed(&self, error: String, now: Instant) -> TicketOutcome {
        let attempts = self.ticket.attempts.saturating_add(1);
        let wait = self.policy.backoff().wait(self.ticket.attempts, self.seed);
        TicketOutcome::Failed { error, attempts, next_retry_at: now.after(wait) }
    }

    fn retire(&mut self) {
        self.state = State::Gone;
        self.effects.push(Effect::Retire);
    }
}

impl Machine for Saga {
    type Input = Input;
    type Effect = Effect;

    fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        Saga::step(self, input, now)
    }

    fn deadline(&self) -> Option<Instant> {
        Saga::deadline(self)
    }

    fn state_name(&self) -> &'static str {
        self.state.name()
    }
}

#[cfg(test)]
mod tests;
