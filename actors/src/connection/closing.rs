//! The end of a connection, and what became of the device that it was to remove.

use super::{Connection, Effect, Note, State, Step, UnlinkOutcome};
use crate::domain::{CloseReason, Instant, SessionEvent, UnlinkAnswer};

const OVER: &str = "the connection is over";

/// An unlink that its owner waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PendingUnlink {
    None,
    Asked,
    /// The request failed. The end of the stream may still say that the device is gone.
    Failed {
        why: String,
        until: Instant,
    },
}

impl PendingUnlink {
    pub(super) fn deadline(&self) -> Option<Instant> {
        if let Self::Failed { until, .. } = self { Some(*until) } else { None }
    }
}

impl Connection {
    /// Anything but Closing | Ended → Closing
    pub(super) fn close(&mut self, reason: Option<CloseReason>, step: &mut Step) {
        self.refuse_held();
        self.state = State::Closing { reason, until: step.now.after(self.policy.close_timeout) };
        step.order(Effect::TakeDown);
    }

    /// The owner wants to hear nothing any more, not even the end. → Closing
    pub(super) fn on_close(&mut self, step: &mut Step) {
        if let State::Closing { reason, .. } = &mut self.state {
            *reason = None;
        } else if !self.state.is_over() {
            self.close(None, step);
        }
    }

    /// → Ended
    pub(super) fn on_cut(&mut self, step: &mut Step) {
        self.refuse_held();
        step.order(Effect::Cut);
        self.end(None, step);
    }

    /// Closing → Ended
    pub(super) fn on_taken_down(&mut self, step: &mut Step) {
        if let State::Closing { reason, .. } = &mut self.state {
            let reason = reason.take();
            self.end(reason, step);
        }
    }

    /// Closing → Ended
    pub(super) fn on_close_timeout(&mut self, step: &mut Step) {
        step.order(Effect::Note(Note::CutShort));
        step.order(Effect::Cut);
        self.on_taken_down(step);
    }

    /// → Ended
    pub(super) fn on_shell_stopped(&mut self, step: &mut Step) {
        let reason = match &mut self.state {
            State::Ended => return,
            State::Closing { reason, .. } => reason.take(),
            State::Queued
            | State::Dialing
            | State::Pairing
            | State::Held(_)
            | State::Confirmed { .. }
            | State::Restarting { .. }
            | State::LoggingIn
            | State::Open(_)
            | State::Ending { .. } => Some(CloseReason::SocketLost("the connection's task stopped".to_owned())),
        };
        self.refuse_held();
        step.order(Effect::Cut);
        self.end(reason, step);
    }

    /// The end is reported last, since the owner may use the keys as soon as it hears of it.
    fn end(&mut self, reason: Option<CloseReason>, step: &mut Step) {
        self.state = State::Ended;
        if self.unlink != PendingUnlink::None {
            self.answer_unlink(self.unlink_verdict(OVER.to_owned()), step);
        }
        if let Some(reason) = reason {
            step.emit(SessionEvent::Ended { reason });
        }
    }

    /// One answer serves all requests made until it arrives.
    pub(super) fn on_unlink(&mut self, step: &mut Step) {
        if self.unlink != PendingUnlink::None {
            return;
        }
        if self.state.is_over() {
            return step.order(Effect::AnswerUnlink(self.unlink_verdict(OVER.to_owned())));
        }
        self.unlink = PendingUnlink::Asked;
        // Nothing needs to reach a device that goes, and WhatsApp's answer has its own time.
        self.delivers_by = None;
        step.order(Effect::Unlink);
    }

    pub(super) fn on_unlinked(&mut self, outcome: UnlinkOutcome, step: &mut Step) {
        if self.unlink != PendingUnlink::Asked {
            return;
        }
        let removed = || UnlinkAnswer::Gone("whatsapp confirmed the removal".to_owned());
        match outcome {
            UnlinkOutcome::Removed => self.answer_unlink(removed(), step),
            UnlinkOutcome::NotLinked => self.answer_unlink(UnlinkAnswer::Unknown("not linked".to_owned()), step),
            UnlinkOutcome::Failed(why) => {
                self.unlink = PendingUnlink::Failed { why, until: step.now.after(self.policy.logout_timeout) };
                self.answer_unlink_by_logout(step);
            }
        }
    }

    /// WhatsApp ended the stream of the removed device, and that overtook its answer.
    pub(super) fn answer_unlink_by_logout(&mut self, step: &mut Step) {
        if let (PendingUnlink::Failed { .. }, Some(raw)) = (&self.unlink, self.evidence.logout()) {
            self.answer_unlink(UnlinkAnswer::Gone(raw.to_owned()), step);
        }
    }

    pub(super) fn on_logout_timeout(&mut self, step: &mut Step) {
        if let PendingUnlink::Failed { why, .. } = &self.unlink {
            self.answer_unlink(UnlinkAnswer::Unknown(why.clone()), step);
        }
    }

    fn answer_unlink(&mut self, answer: UnlinkAnswer, step: &mut Step) {
        self.unlink = PendingUnlink::None;
        step.order(Effect::AnswerUnlink(answer));
    }

    fn unlink_verdict(&self, otherwise: String) -> UnlinkAnswer {
        match self.evidence.logout() {
            Some(raw) => UnlinkAnswer::Gone(raw.to_owned()),
            None => UnlinkAnswer::Unknown(otherwise),
        }
    }
}
