//! Unlink, confirmed, then erase. The order is the point: the keys of a device are
//! given up only on WhatsApp's word that the device is gone, or when the ticket's
//! time is over (WhatsApp drops an idle device by itself after about 14 days).

use crate::{
    desk::{Begun, Then, Wait, Work},
    domain::{
        Backoff, CloseReason, Ending, Incarnation, Instant, KeyringId, Policy, SessionEvent, StoreError, TicketOutcome,
        TicketRecord, UnlinkAnswer, Verdict,
    },
    machine::{self, Machine},
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
    /// Close it at once, without finishing anything.
    Cut(Incarnation),
    /// Write how the try ended; retried by the shell until done.
    Record(TicketOutcome),
    Retire,
}

/// One thing to do for a ticket: see [`Effect`].
#[derive(Clone, Debug)]
pub enum TicketTask {
    Open {
        incarnation: Incarnation,
        keyring: KeyringId,
    },
    Unlink(Incarnation),
    Close(Incarnation),
    Cut(Incarnation),
    /// Until it is known what came of it. A confirmation is not lost by a database that is
    /// away; one that the daemon's end cuts off is asked for again, and WhatsApp then says
    /// that the device is gone.
    Record(TicketOutcome),
}

/// The outcome of a task that the machine waits for.
#[derive(Clone, Debug)]
pub enum Answer {
    Opened(Incarnation, Result<(), StoreError>),
    Recorded(TicketOutcome, Result<(), StoreError>),
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
}

type Step = machine::Step<Effect>;

impl Saga {
    /// Goes on from the ticket's row. → Waiting | Connecting | Gone
    pub fn resume(ticket: TicketRecord, policy: Policy, seed: u128, now: Instant) -> (Self, Vec<Effect>) {
        let state = State::Waiting { until: ticket.next_retry_at };
        let mut saga = Self { ticket, policy, state, incarnation: Incarnation::default(), doubted: false, seed };
        let mut step = Step::at(now);
        if saga.ticket.next_retry_at <= now {
            saga.try_now(&mut step);
        }
        (saga, step.effects)
    }

    /// One input → all its effects. Inputs that are late or of another connection change nothing.
    pub fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        let mut step = Step::at(now);
        match input {
            Input::Session(of, event) if of == self.incarnation => self.on_session(event, &mut step),
            Input::Answered(of, answer) if of == self.incarnation => self.on_answered(answer, &mut step),
            Input::SessionClosed(of) if of == self.incarnation => self.on_closed(&mut step),
            Input::Session(..) | Input::Answered(..) | Input::SessionClosed(_) => {}
            Input::Deadline => self.on_deadline(&mut step),
            Input::Leave => self.on_leave(&mut step),
            Input::Fenced => self.on_fenced(&mut step),
        }
        step.effects
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
    fn try_now(&mut self, step: &mut Step) {
        if self.ticket.abandon_at <= step.now {
            let last = self.ticket.last_error.as_ref().map(|why| format!(", the last: {why}")).unwrap_or_default();
            let tries = self.ticket.attempts;
            let reason = format!(
                "given up after {tries} tries{last}; WhatsApp drops an idle device by itself, or remove it on the phone"
            );
            step.order(Effect::Record(TicketOutcome::Abandoned { reason }));
            return self.retire(step);
        }
        self.incarnation = self.incarnation.next();
        step.order(Effect::Open { incarnation: self.incarnation, keyring: self.ticket.keyring });
        self.state = State::Connecting { until: step.now.after(self.policy.turn_timeout) };
    }

    fn on_session(&mut self, event: SessionEvent, step: &mut Step) {
        match (&self.state, event) {
            // Its turn has come: from now on its time is measured.
            (State::Connecting { .. }, SessionEvent::Dialing) => {
                self.state = State::Connecting { until: step.now.after(self.policy.open_timeout) };
            }
            // Connecting → Asking
            (State::Connecting { .. }, SessionEvent::Open { .. }) => {
                step.order(Effect::Unlink(self.incarnation));
                self.state = State::Asking { until: step.now.after(self.policy.unlink_timeout) };
            }
            (State::Connecting { .. } | State::Asking { .. }, SessionEvent::Ended { reason }) => {
                self.on_ended(&reason, step)
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
                | SessionEvent::ScanRejected { .. }
                | SessionEvent::GroupsChanged,
            ) => {}
        }
    }

    /// Connecting | Asking → Closing
    fn on_ended(&mut self, reason: &CloseReason, step: &mut Step) {
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
                self.failed(reason.describe(), step.now)
            }
            Verdict::Retry | Verdict::RestartNow | Verdict::Hold { .. } => self.failed(reason.describe(), step.now),
        };
        self.close(Some(outcome), step);
    }

    /// Asking → Closing
    fn on_answered(&mut self, answer: UnlinkAnswer, step: &mut Step) {
        if !matches!(self.state, State::Asking { .. }) {
            return;
        }
        let outcome = match answer {
            UnlinkAnswer::Gone(reason) => TicketOutcome::Unlinked { reason },
            UnlinkAnswer::Unknown(error) => self.failed(error, step.now),
        };
        self.close(Some(outcome), step);
    }

    /// Closing → Waiting | Gone
    fn on_closed(&mut self, step: &mut Step) {
        let State::Closing { outcome, .. } = &self.state else { return };
        match outcome.clone() {
            Some(TicketOutcome::Failed { error, attempts, next_retry_at }) => {
                self.ticket.attempts = attempts;
                self.ticket.last_error = Some(error.clone());
                self.state = State::Waiting { until: next_retry_at };
                step.order(Effect::Record(TicketOutcome::Failed { error, attempts, next_retry_at }));
            }
            Some(outcome @ (TicketOutcome::Unlinked { .. } | TicketOutcome::Abandoned { .. })) => {
                step.order(Effect::Record(outcome));
                self.retire(step);
            }
            None => self.retire(step),
        }
    }

    fn on_deadline(&mut self, step: &mut Step) {
        if self.deadline().is_none_or(|due| step.now < due) {
            return;
        }
        match &self.state {
            State::Waiting { .. } => self.try_now(step),
            State::Connecting { .. } => {
                let outcome = self.failed("no login in time".to_owned(), step.now);
                self.close(Some(outcome), step);
            }
            State::Asking { .. } => {
                let outcome = self.failed("no answer in time".to_owned(), step.now);
                self.close(Some(outcome), step);
            }
            State::Closing { .. } => self.on_closed(step),
            State::Gone => {}
        }
    }

    /// any → Closing | Gone. A confirmation that is being recorded still is.
    fn on_leave(&mut self, step: &mut Step) {
        match &mut self.state {
            State::Waiting { .. } => self.retire(step),
            State::Connecting { .. } | State::Asking { .. } => self.close(None, step),
            State::Closing { outcome: outcome @ Some(TicketOutcome::Failed { .. }), .. } => *outcome = None,
            State::Closing { .. } | State::Gone => {}
        }
    }

    /// any → Closing | Gone
    fn on_fenced(&mut self, step: &mut Step) {
        match &self.state {
            State::Waiting { .. } => self.retire(step),
            State::Connecting { .. } | State::Asking { .. } | State::Closing { .. } => {
                step.order(Effect::Cut(self.incarnation));
                self.state = State::Closing { outcome: None, until: step.now.after(self.policy.close_timeout) };
            }
            State::Gone => {}
        }
    }

    fn close(&mut self, outcome: Option<TicketOutcome>, step: &mut Step) {
        step.order(Effect::Close(self.incarnation));
        self.state = State::Closing { outcome, until: step.now.after(self.policy.close_timeout) };
    }

    fn failed(&self, error: String, now: Instant) -> TicketOutcome {
        let attempts = self.ticket.attempts.saturating_add(1);
        let wait = self.policy.backoff().wait(self.ticket.attempts, self.seed);
        TicketOutcome::Failed { error, attempts, next_retry_at: now.after(wait) }
    }

    fn retire(&mut self, step: &mut Step) {
        self.state = State::Gone;
        step.order(Effect::Retire);
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

impl Work for Saga {
    type Task = TicketTask;
    type Answer = Answer;

    const DEADLINE: Input = Input::Deadline;
    const FENCED: Input = Input::Fenced;

    fn begin(&mut self, order: Effect, _: Instant, _: bool) -> Begun<TicketTask> {
        match order {
            Effect::Open { incarnation, keyring } => {
                Begun::Task(TicketTask::Open { incarnation, keyring }, Wait::UnlessFenced)
            }
            Effect::Unlink(incarnation) => Begun::Task(TicketTask::Unlink(incarnation), Wait::No),
            Effect::Close(incarnation) => Begun::Task(TicketTask::Close(incarnation), Wait::No),
            Effect::Cut(incarnation) => Begun::Task(TicketTask::Cut(incarnation), Wait::No),
            Effect::Record(outcome) => Begun::Task(TicketTask::Record(outcome), Wait::UnlessFenced),
            Effect::Retire => Begun::Retire,
        }
    }

    fn on_answer(&mut self, answer: Answer) -> Then<Input, TicketTask> {
        match answer {
            Answer::Opened(_, Ok(())) | Answer::Recorded(_, Ok(())) => Then::Proceed,
            Answer::Opened(_, Err(StoreError::Fenced)) | Answer::Recorded(_, Err(StoreError::Fenced)) => Then::Fence,
            Answer::Opened(incarnation, Err(StoreError::Poisoned(why))) => {
                not_opened(incarnation, CloseReason::KeysUnusable(why))
            }
            Answer::Opened(
                incarnation,
                Err(why @ (StoreError::Overtaken | StoreError::Refused(_) | StoreError::Unavailable(_))),
            ) => not_opened(incarnation, CloseReason::StoreFailed(why.to_string())),
            Answer::Recorded(_, Err(StoreError::Overtaken)) => Then::End(Ending::Overtaken),
            Answer::Recorded(_, Err(StoreError::Refused(why) | StoreError::Poisoned(why))) => {
                Then::End(Ending::Unwritable(why))
            }
            Answer::Recorded(outcome, Err(StoreError::Unavailable(why))) => {
                Then::Again(TicketTask::Record(outcome), why)
            }
        }
    }

    fn outlives_a_fence(order: &Effect) -> bool {
        match order {
            Effect::Close(_) | Effect::Cut(_) | Effect::Retire => true,
            Effect::Open { .. } | Effect::Unlink(_) | Effect::Record(_) => false,
        }
    }

    fn retry(&self) -> (Backoff, u128) {
        (self.policy.write_retry, self.seed)
    }
}

fn not_opened(incarnation: Incarnation, reason: CloseReason) -> Then<Input, TicketTask> {
    Then::Input(Input::Session(incarnation, SessionEvent::Ended { reason }))
}

#[cfg(test)]
mod tests;
