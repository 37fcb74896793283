//! The passkey gate: publishes WhatsApp's challenge and carries the operator's answer back.

use serde_json::Value;

use super::{CommandInput, Effect, Lifecycle, State, Step};
use crate::domain::{
    Change, CommandId, CommandKind, Event, Finished, Instant, PasskeyAnswer, PasskeyError, PasskeyStage, Reason,
    Status, StatusReason,
};

impl Lifecycle {
    /// AwaitingScan → AwaitingPasskey | Closing
    pub(super) fn on_passkey(&mut self, stage: PasskeyStage, request: Value, expires_at: Instant, step: &mut Step) {
        if !self.state.awaits_phone() {
            return;
        }
        let under_way = matches!(
            self.state,
            State::AwaitingPasskey { answered: true, .. } | State::AwaitingPasskey { stage: PasskeyStage::Confirm, .. }
        );
        if stage == PasskeyStage::Challenge && under_way {
            // An exchange cannot be restarted on its own socket.
            return self.next_socket(failed("WhatsApp asked for it again after it was answered"), step);
        }
        let until = expires_at.min(step.now.after(self.policy.passkey_timeout));
        self.state = State::AwaitingPasskey { stage, answered: false, until };
        let waits_for = match stage {
            PasskeyStage::Challenge => Reason::WaitingForPasskey,
            PasskeyStage::Confirm => Reason::WaitingForPasskeyConfirmation,
        };
        self.set_status(Status::Pending, waits_for, step);
        // The scan is done: neither QR nor code is of use now.
        let change = Change {
            events: vec![Event::Passkey { stage, request, expires_at: self.within_the_attempt(until) }],
            ..Change::out_of_pending()
        };
        self.write(change, step);
    }

    /// The answer reached WhatsApp, or did not. A response that was not taken may be
    /// followed by another; a confirmation that failed has used the exchange up.
    /// AwaitingPasskey → AwaitingPasskey | Closing
    pub(super) fn on_passkey_answered(
        &mut self,
        command: CommandId,
        outcome: Result<(), PasskeyError>,
        step: &mut Step,
    ) {
        if self.is_leaving() {
            return;
        }
        let by_then = step.now.after(self.policy.passkey_timeout);
        let reason = match outcome {
            Ok(()) => {
                if let State::AwaitingPasskey { answered: true, until, .. } = &mut self.state {
                    *until = by_then;
                }
                let result = Ok("the answer was sent to WhatsApp".to_owned());
                let finished = vec![Finished { command, kind: CommandKind::Passkey.to_string(), result }];
                let change = Change { finished, ..Change::default() };
                return self.write(change, step);
            }
            Err(reason) => reason,
        };
        self.fail_all(&[command], CommandKind::Passkey.as_str(), &reason.to_string(), step);
        match &mut self.state {
            State::AwaitingPasskey { stage: PasskeyStage::Challenge, answered, .. } => *answered = false,
            State::AwaitingPasskey { stage: PasskeyStage::Confirm, .. } => {
                self.next_socket(failed("the confirmation did not reach WhatsApp"), step);
            }
            State::Unpaired
            | State::Waiting { .. }
            | State::Opening { .. }
            | State::AwaitingScan { .. }
            | State::Admitting { .. }
            | State::Linking { .. }
            | State::ClaimingNumber { .. }
            | State::Reclaiming { .. }
            | State::Connecting { .. }
            | State::Online { .. }
            | State::Reconnecting { .. }
            | State::Held { .. }
            | State::Closing { .. }
            | State::Deleted { .. }
            | State::Gone => {}
        }
    }

    /// The socket that it was for is gone. The state stays.
    pub(super) fn on_late_passkey_answer(&mut self, command: CommandId, step: &mut Step) {
        if !self.is_leaving() {
            let reason = "the connection ended before the answer";
            self.fail_all(&[command], CommandKind::Passkey.as_str(), reason, step);
        }
    }

    /// AwaitingPasskey → Closing
    pub(super) fn on_passkey_timeout(&mut self, step: &mut Step) {
        self.next_socket(Reason::PasskeyTimeout, step);
    }

    /// AwaitingPasskey → AwaitingPasskey
    pub(super) fn on_passkey_answer(&mut self, answer: PasskeyAnswer, input: &CommandInput, step: &mut Step) {
        let State::AwaitingPasskey { stage, answered, .. } = &mut self.state else {
            return self.fail(input, "WhatsApp did not ask for a passkey", step);
        };
        let wrong = match (&answer, *stage) {
            (_, _) if *answered => Some("an answer was sent to WhatsApp already"),
            (PasskeyAnswer::Response(_), PasskeyStage::Confirm) => {
                Some("the passkey was taken; compare the code with the phone's, and confirm")
            }
            (PasskeyAnswer::Confirm, PasskeyStage::Challenge) => {
                Some("there is nothing to confirm yet: WhatsApp waits for the passkey's response")
            }
            (PasskeyAnswer::Response(_), PasskeyStage::Challenge) | (PasskeyAnswer::Confirm, PasskeyStage::Confirm) => {
                None
            }
        };
        if let Some(wrong) = wrong {
            return self.fail(input, wrong, step);
        }
        *answered = true;
        step.order(Effect::AnswerPasskey { incarnation: self.incarnation, command: input.id, answer });
    }
}

fn failed(why: &str) -> StatusReason {
    StatusReason::new(Reason::PasskeyFailed, why)
}
