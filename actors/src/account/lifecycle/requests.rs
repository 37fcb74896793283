//! What is asked of a live connection on behalf of commands: see [`OnlineRequest`].
//!
//! Of each kind one request is under way at a time, so that they are done in their order. One that
//! can wait is kept while a connection is being made, and is asked again of the next one if its
//! connection ends; the others are for their moment alone.

use super::{CommandInput, Effect, Lifecycle, State, Step, closing::AfterClose, commands::NOT_CONNECTED};
use crate::domain::{Change, CommandId, Finished, Instant, OnlineAnswer, OnlineError, OnlineOrder, OnlineRequest};

/// A request whose command has not ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PendingRequest {
    command: CommandId,
    request: OnlineRequest,
    stage: RequestStage,
    /// It fails then, unless it only waits for others while there is a connection.
    until: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequestStage {
    /// For its turn, or for a connection.
    Waiting,
    Asked,
    /// Its connection said that it is over; it is asked of the next one.
    Returned,
}

impl PendingRequest {
    /// Whether its time counts: not while it only waits for others.
    fn is_timed(&self, is_online: bool) -> bool {
        !is_online || self.stage != RequestStage::Waiting
    }

    /// For the generator of inputs.
    #[cfg(test)]
    pub(super) fn command(&self) -> CommandId {
        self.command
    }
}

impl Lifecycle {
    /// Online → Online; kept while a login is under way.
    pub(super) fn on_request(&mut self, request: OnlineRequest, input: &CommandInput, step: &mut Step) {
        if self.requests.len() >= self.policy.requests_at_once {
            let why = format!("{} of these are under way already", self.policy.requests_at_once);
            return self.fail(input, &why, step);
        }
        let until = if request.can_wait() {
            step.now.after(self.policy.request_wait)
        } else {
            input.created_at.after(self.policy.typing_lifetime)
        };
        let may_wait = request.can_wait() && self.comes_online();
        if !self.is_online() && !may_wait {
            return self.fail(input, NOT_CONNECTED, step);
        }
        if until <= step.now {
            return self.fail(input, &OnlineError::TooLate.to_string(), step);
        }
        self.requests.push(PendingRequest { command: input.id, request, stage: RequestStage::Waiting, until });
        self.ask_next(step);
    }

    /// The answer to [`Effect::Ask`]. Online → Online
    pub(super) fn on_answered(
        &mut self,
        command: CommandId,
        outcome: Result<OnlineAnswer, OnlineError>,
        step: &mut Step,
    ) {
        if !self.is_online() {
            return;
        }
        let is_it = |pending: &PendingRequest| pending.command == command && pending.stage == RequestStage::Asked;
        let Some(at) = self.requests.iter().position(is_it) else { return };
        if outcome == Err(OnlineError::ConnectionOver) && self.requests[at].request.can_wait() {
            self.requests[at].stage = RequestStage::Returned;
            self.requests[at].until = step.now.after(self.policy.request_wait);
            return self.ask_next(step);
        }
        let pending = self.requests.remove(at);
        let kind = pending.request.kind();
        match outcome {
            Ok(answer) => {
                let finished = vec![Finished { command, kind: kind.to_string(), result: Ok(answer.text()) }];
                let events = answer.event(command).into_iter().collect();
                self.write(Change { finished, events, ..Change::default() }, step);
            }
            Err(why) => self.fail_all(&[command], kind.as_str(), &why.to_string(), step),
        }
        self.ask_next(step);
    }

    /// Asks the connection what may be asked now.
    pub(super) fn ask_next(&mut self, step: &mut Step) {
        if !self.is_online() {
            return;
        }
        // What is for its moment alone may have waited for others until that was over.
        let is_past = |pending: &mut PendingRequest| {
            pending.stage == RequestStage::Waiting && !pending.request.can_wait() && pending.until <= step.now
        };
        let past: Vec<_> = self.requests.extract_if(.., is_past).collect();
        for pending in past {
            let why = OnlineError::TooLate.to_string();
            self.fail_all(&[pending.command], pending.request.kind().as_str(), &why, step);
        }
        for at in 0..self.requests.len() {
            let kind = self.requests[at].request.kind();
            let is_busy = |other: &PendingRequest| {
                other.request.kind() == kind && matches!(other.stage, RequestStage::Asked | RequestStage::Returned)
            };
            if self.requests[at].stage != RequestStage::Waiting || self.requests.iter().any(is_busy) {
                continue;
            }
            let timeout = self.policy.request_timeout;
            let pending = &mut self.requests[at];
            if pending.request.can_wait() {
                pending.until = step.now.after(timeout);
            }
            pending.stage = RequestStage::Asked;
            let order = OnlineOrder { request: pending.request.clone(), until: pending.until };
            step.order(Effect::Ask { incarnation: self.incarnation, command: pending.command, order });
        }
        if self.requests.is_empty() {
            // An idle account costs no memory.
            self.requests = Vec::new();
        }
    }

    /// There is another connection: it may be asked. → Online
    pub(super) fn ask_anew(&mut self, step: &mut Step) {
        self.requests.iter_mut().for_each(|pending| pending.stage = RequestStage::Waiting);
        self.ask_next(step);
    }

    /// The connection is about to be closed. Before Closing.
    pub(super) fn requests_lose(&mut self, after: &AfterClose, step: &mut Step) {
        if self.requests.is_empty() {
            return;
        }
        // On leaving they stay `running`, and the next owner runs them again.
        if let AfterClose::Leave(_) = after {
            self.requests = Vec::new();
            return;
        }
        let comes_back = matches!(after, AfterClose::Relogin { .. });
        let until = step.now.after(self.policy.request_wait);
        let was_online = self.is_online();
        let (kept, lost): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.requests).into_iter().partition(|one| comes_back && one.request.can_wait());
        self.requests = kept;
        for pending in &mut self.requests {
            pending.stage = RequestStage::Waiting;
            if was_online {
                pending.until = until;
            }
        }
        for pending in lost {
            self.give_up(&pending, &OnlineError::ConnectionOver, step);
        }
    }

    /// Ends the command of a request that is no longer kept; `asked` is why if a connection was asked.
    fn give_up(&mut self, pending: &PendingRequest, asked: &OnlineError, step: &mut Step) {
        let why = match pending.stage {
            RequestStage::Asked => asked.to_string(),
            RequestStage::Waiting | RequestStage::Returned => NOT_CONNECTED.to_owned(),
        };
        self.fail_all(&[pending.command], pending.request.kind().as_str(), &why, step);
    }

    /// When a request has taken too long.
    pub(super) fn requests_deadline(&self) -> Option<Instant> {
        let is_online = self.is_online();
        if !is_online && !self.comes_online() {
            return None;
        }
        let timed = self.requests.iter().filter(|pending| pending.is_timed(is_online));
        timed.map(|pending| pending.until).min()
    }

    /// Ends those that have taken too long. The state stays.
    pub(super) fn end_late_requests(&mut self, step: &mut Step) {
        let is_online = self.is_online();
        let is_late = |pending: &mut PendingRequest| pending.until <= step.now && pending.is_timed(is_online);
        let late: Vec<_> = self.requests.extract_if(.., is_late).collect();
        for pending in late {
            self.give_up(&pending, &OnlineError::NoAnswer, step);
        }
        self.ask_next(step);
    }

    fn is_online(&self) -> bool {
        matches!(self.state, State::Online { .. })
    }

    /// There is a link, and its login is under way or due.
    fn comes_online(&self) -> bool {
        match self.state {
            State::Connecting { .. }
            | State::Linking { .. }
            | State::ClaimingNumber { .. }
            | State::Reconnecting { .. } => true,
            State::Unpaired
            | State::Waiting { .. }
            | State::Opening { .. }
            | State::AwaitingScan { .. }
            | State::AwaitingPasskey { .. }
            | State::Admitting { .. }
            | State::Reclaiming { .. }
            | State::Online { .. }
            | State::Held { .. }
            | State::Closing { .. }
            | State::Deleted { .. }
            | State::Gone => false,
        }
    }
}
